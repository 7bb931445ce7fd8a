"""S14 for workspaces: who is removed, deactivated or gone loses the session by itself."""

from __future__ import annotations

from typing import Any

from services.core.work import Work
from services.sessions import authority
from tests.sessions.conftest import Desk


async def member(desk: Desk, name: str) -> tuple[str, str]:
    """Make somebody a contributor; token and id."""
    desk.hub.add(name)
    token = desk.hub.token(name)
    await desk.call("GET", "/me", token)
    path = f"/projects/{desk.project['id']}/members"
    body = {"person": name, "role": "contributor"}
    added = await desk.call("POST", path, json=body)
    assert added.status_code == 201, added.text
    return token, added.json()["person"]["id"]


async def session_of(desk: Desk, token: str) -> Any:
    """Have somebody's workspace run."""
    made = await desk.make("theirs", as_=token)
    path = f"/workspaces/{made['id']}/start"
    assert (await desk.call("POST", path, token)).status_code == 202
    await desk.until(made, "Preparing")
    return await desk.answers(made)


async def test_a_member_who_is_removed_loses_the_session(desk_on_both: Desk) -> None:
    desk = desk_on_both
    token, person = await member(desk, "bob")
    made = await session_of(desk, token)
    await desk.call("DELETE", f"/projects/{desk.project['id']}/members/{person}")
    await desk.until(made, "Stopping", "bob may not work in this project any more")
    refused = await desk.hub.start("bob", "theirs")
    assert refused.status_code in (403, 404)


async def test_a_member_who_may_only_look_loses_the_session(desk: Desk) -> None:
    token, person = await member(desk, "bob")
    made = await session_of(desk, token)
    path = f"/projects/{desk.project['id']}/members/{person}"
    assert (await desk.call("PUT", path, json={"role": "consumer"})).status_code == 200
    await desk.until(made, "Stopping", "may not work in this project")


async def test_a_person_who_is_deactivated_loses_the_session(desk: Desk) -> None:
    token, person = await member(desk, "bob")
    made = await session_of(desk, token)
    desk.hub.add("root", admin=True)
    root = desk.hub.token("root")
    body = {"status": "deactivated"}
    assert (await desk.call("PATCH", f"/people/{person}", root, json=body)).status_code == 200
    await desk.until(made, "Stopping", "may not sign in")
    refused = await desk.hub.start("bob", "theirs")
    assert refused.status_code == 403


async def test_workspaces_of_a_deleted_project_go_with_it(desk: Desk) -> None:
    made = await desk.make()
    assert (await desk.call("DELETE", f"/projects/{desk.project['id']}")).status_code == 204
    await authority.turn(Work(desk.house.context))
    rows = await desk.house.context.db.read(lambda tx: tx.all(_workspaces().select()))
    assert [row.deleted_at is not None for row in rows if row.id == made["id"]] == [True]


def _workspaces() -> Any:
    from services.sessions.tables import workspaces

    return workspaces

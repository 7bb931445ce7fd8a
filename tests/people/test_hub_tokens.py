"""Hub tokens: whose they are, what they may, and what happens when the hub is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.core.auth.resolver import Resolver
from services.core.rights import PlatformRole
from services.core.work import Work
from services.people import store
from services.people.sync import follow_hub
from tests.house import House
from tests.people.hub import Hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A platform with a small hub beside it."""
    async with House(tmp_path) as house, Hub(house) as made:
        yield made


async def me(hub: Hub, token: str) -> dict[str, Any] | int:
    """Ask who a token's bearer is, with nothing remembered; the status when refused."""
    hub.house.context.get(Resolver).forget()
    answer = await hub.house.call("GET", "/me", as_=token)
    if answer.status_code != 200:
        return answer.status_code
    view: dict[str, Any] = answer.json()
    return view


async def test_a_hub_user_is_met_once_and_known_again(hub: Hub) -> None:
    hub.add("alice", groups=("red", "blue"))
    first = await me(hub, hub.token("alice"))
    assert isinstance(first, dict)
    assert (first["name"], first["roles"]) == ("alice", ["practitioner"])
    assert first["groups"] == ["blue", "red"]
    assert await me(hub, hub.token("alice")) == first


async def test_the_same_name_created_again_is_somebody_else(hub: Hub) -> None:
    hub.add("alice")
    before = await me(hub, hub.token("alice"))
    assert isinstance(before, dict)
    hub.add("alice")
    after = await me(hub, hub.token("alice"))
    assert isinstance(after, dict)
    assert after["id"] != before["id"]
    old = await hub.house.context.db.read(store.find, before["id"])
    assert old.retired_at is not None


async def test_somebody_entered_by_name_alone_is_not_whoever_logs_in_under_it(hub: Hub) -> None:
    token = await hub.house.sign_in("root", PlatformRole.ADMIN)
    entered = hub.house.tokens.actors[token].id
    hub.add("root")
    came = await me(hub, hub.token("root"))
    assert isinstance(came, dict)
    assert came["id"] != entered
    assert came["admin"] is False


async def test_administrators_follow_the_hub(hub: Hub) -> None:
    hub.add("boss", admin=True)
    token = hub.token("boss")
    view = await me(hub, token)
    assert isinstance(view, dict)
    assert view["roles"] == ["admin", "practitioner"]
    hub.users["boss"]["admin"] = False
    view = await me(hub, token)
    assert isinstance(view, dict)
    assert view["admin"] is False
    hub.users["boss"]["groups"] = ["smalti-admins"]
    view = await me(hub, token)
    assert isinstance(view, dict)
    assert view["admin"] is True


async def test_a_read_only_token_changes_nothing(hub: Hub) -> None:
    hub.add("alice")
    token = hub.token("alice", ["custom:smalti:read"])
    assert isinstance(await me(hub, token), dict)
    call = hub.house.call
    assert (await call("GET", "/projects", as_=token)).status_code == 200
    made = await call("POST", "/projects", as_=token, json={"name": "wine"})
    assert made.status_code == 403
    assert (await call("POST", "/tokens", as_=token, json={"name": "x"})).status_code == 403


@pytest.mark.parametrize("scopes", [[], ["users:activity!user"], ["access:servers!server=alice/"]])
async def test_a_token_that_was_not_given_for_us_is_nobodys(hub: Hub, scopes: list[str]) -> None:
    hub.add("alice")
    assert await me(hub, hub.token("alice", scopes)) == 401


async def test_services_of_the_hub_are_no_persons(hub: Hub) -> None:
    hub.add("smalti")
    assert await me(hub, hub.token("smalti", kind="service")) == 401
    assert await me(hub, hub.own) == 401


@pytest.mark.parametrize("token", ["x" * 600, "ü", "wrong", "sml_wrong", "a b", "a\tb"])
async def test_what_is_no_token_is_refused(hub: Hub, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = await hub.house.client.get("/services/smalti/api/v1/me", headers=headers)
    assert answer.status_code == 401


async def test_a_deactivated_person_is_refused_with_a_good_hub_token(hub: Hub) -> None:
    root = await hub.house.sign_in("root", PlatformRole.ADMIN)
    hub.add("alice")
    token = hub.token("alice")
    view = await me(hub, token)
    assert isinstance(view, dict)
    change = {"status": "deactivated"}
    await hub.house.call("PATCH", f"/people/{view['id']}", as_=root, json=change)
    answer = await hub.house.call("GET", "/me", as_=token)  # at once: not after the cache's time
    assert answer.status_code == 401


async def test_a_hub_that_is_away_is_not_a_bad_token(hub: Hub) -> None:
    hub.add("alice")
    token = hub.token("alice")
    for status in (500, 502, 503):
        hub.broken = status
        answer = await hub.house.call("GET", "/me", as_=token)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["error"]["code"] == "login_away"
    hub.broken = 0
    assert isinstance(await me(hub, token), dict)


async def test_who_was_known_a_moment_ago_works_on_while_the_hub_is_away(tmp_path: Path) -> None:
    async with House(tmp_path, auth_cache=0.0) as house, Hub(house) as hub:
        hub.add("alice")
        token = hub.token("alice")
        assert (await house.call("GET", "/me", as_=token)).status_code == 200
        hub.broken = 503
        assert (await house.call("GET", "/me", as_=token)).status_code == 200
        unknown = await house.call("GET", "/me", as_=hub.token("alice"))
        assert unknown.status_code == 503


async def test_many_at_once_are_one_question(hub: Hub) -> None:
    hub.add("alice")
    token = hub.token("alice")
    hub.hold = asyncio.Event()
    calls = [asyncio.create_task(hub.house.call("GET", "/me", as_=token)) for _ in range(20)]
    while "/user" not in hub.asked:
        await asyncio.sleep(0.01)
    await hub.house.call("GET", "/services/smalti/health")
    hub.hold.set()
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {200}
    assert hub.asked.count("/user") <= 2  # a newcomer is asked about twice


async def test_who_is_gone_from_the_hub_loses_tokens_that_act_for_them(hub: Hub) -> None:
    hub.add("alice")
    alice = hub.token("alice")
    answer = await hub.house.call("POST", "/tokens", as_=alice, json={"name": "robot"})
    robot = answer.json()["token"]
    work = Work(hub.house.context)
    await follow_hub(work)
    assert isinstance(await me(hub, robot), dict)
    hub.broken = 503
    await follow_hub(work)  # silence is no dismissal
    hub.broken = 0
    assert isinstance(await me(hub, robot), dict)
    hub.remove("alice")
    await follow_hub(work)
    assert (await hub.house.call("GET", "/me", as_=robot)).status_code == 401
    assert await hub.house.context.db.read(store.by_name, "alice") is None


async def test_a_demotion_in_the_hub_reaches_tokens_without_a_login(hub: Hub) -> None:
    hub.add("boss", admin=True)
    boss = hub.token("boss")
    answer = await hub.house.call("POST", "/tokens", as_=boss, json={"name": "robot"})
    robot = answer.json()["token"]
    assert (await hub.house.call("GET", "/people", as_=robot)).status_code == 200
    hub.users["boss"]["admin"] = False
    await follow_hub(Work(hub.house.context))
    assert (await hub.house.call("GET", "/people", as_=robot)).status_code == 403

"""S3 rights that grow: whatever a credential was narrowed to, nothing makes it wider."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.actor import Actor
from services.core.rights import GRANTS, Permission, PlatformRole, Principal
from services.core.routing import Route
from services.people.rules import possible_rights, rights_of_scopes
from services.workloads import tokens as run_tokens
from tests.house import House
from tests.security.furnished import Furnished, bodies, furnish, made, routes_of

ALWAYS = {Permission.PUBLIC, Permission.ME_READ, Permission.AGENT_ENROL}
GOOD = 300
PROJECT, JOB = "/projects/{id}", "/jobs/{id}"


@pytest.fixture
async def two(house: House) -> Furnished:
    """Alice and Bob and what is theirs."""
    return await furnish(house)


def address(route: Route, ids: dict[str, str]) -> str:
    """A route's path with somebody's own ids in it."""
    values = {"path": "metrics.json", "attempt": "1", "number": "1", "person_id": ids["person"]}
    values["id"] = ids["project"] if PROJECT in route.path else ids["job0"]
    path = route.path
    for name in route.parameters:
        value = values.get(name, "x")
        path = path.replace(f"{{{name}*}}", value).replace(f"{{{name}}}", value)
    return path


async def walk(two: Furnished, token: str, allowed: Iterable[Permission]) -> int:
    """Call every route that these rights do not allow; each must refuse. Give how many."""
    rights, refused = set(allowed) | ALWAYS, 0
    for route in routes_of(two.house):
        if route.permission in rights:
            continue
        more: dict[str, Any] = {}
        if route.body is not None:
            more["json"] = bodies(two.alice, route)[0]
        elif route.upload is not None:
            more["content"] = b"0000"
        path = address(route, two.alice.ids)
        answer = await two.house.call(route.method, path, as_=token, **more)
        assert answer.status_code in (401, 403, 404), (route.method, path, sorted(rights))
        refused += 1
    return refused


@pytest.mark.parametrize("seed", range(4))
async def test_a_service_token_never_does_more_than_it_was_given(two: Furnished, seed: int) -> None:
    random_ = random.Random(seed)
    alice = two.house.tokens.actors[two.alice.token]
    possible = sorted(possible_rights(alice))
    for _ in range(3):
        rights = random_.sample(possible, random_.randint(0, len(possible)))
        body = {"name": "robot", "rights": rights}
        service = await made(two.house, "POST", "/tokens", two.alice.token, json=body)
        assert await walk(two, service["token"], rights) > 10


async def test_a_service_token_of_one_project_is_blind_to_the_others(two: Furnished) -> None:
    house, alice = two.house, two.alice
    other = await made(house, "POST", "/projects", alice.token, json={"name": "other"})
    body = {"name": "robot", "project_id": other["id"]}
    bound = (await made(house, "POST", "/tokens", alice.token, json=body))["token"]
    for path in (
        f"/projects/{alice.ids['project']}",
        f"/projects/{alice.ids['project']}/files",
        f"/jobs/{alice.ids['job0']}",
        f"/jobs/{alice.ids['job0']}/logs?follow=false",
        f"/jobs/{alice.ids['job0']}/outputs/metrics.json",
        f"/jobs?project_id={alice.ids['project']}",
    ):
        answer = await house.call("GET", path, as_=bound)
        assert answer.status_code == 404, (path, answer.text)
    assert (await made(house, "GET", "/jobs", bound))["items"] == []
    start = {"project_id": alice.ids["project"], "command": ["true"]}
    assert (await house.call("POST", "/jobs", as_=bound, json=start)).status_code == 404
    [seen] = (await made(house, "GET", "/projects", bound))["items"]
    assert seen["id"] == other["id"]


async def test_nobody_makes_a_token_with_more_than_they_have(two: Furnished) -> None:
    for right in set(Permission) - possible_rights(two.house.tokens.actors[two.bob.token]):
        body = {"name": "more", "rights": [right.value]}
        answer = await two.house.call("POST", "/tokens", as_=two.bob.token, json=body)
        assert answer.status_code == 403, (right, answer.text)


async def test_a_token_follows_what_its_person_loses(two: Furnished) -> None:
    house, alice, bob = two.house, two.alice, two.bob
    member = {"person": bob.ids["person"], "role": "contributor"}
    members = f"/projects/{alice.ids['project']}/members"
    await made(house, "POST", members, alice.token, json=member)
    robot = (await made(house, "POST", "/tokens", bob.token, json={"name": "r"}))["token"]
    start = {"project_id": alice.ids["project"], "command": ["true"]}
    await made(house, "POST", "/jobs", robot, json=start)
    role = f"{members}/{bob.ids['person']}"
    await made(house, "PUT", role, alice.token, json={"role": "consumer"})
    assert (await house.call("POST", "/jobs", as_=robot, json=start)).status_code == 403
    await made(house, "DELETE", role, alice.token)
    assert (await house.call("POST", "/jobs", as_=robot, json=start)).status_code == 404


def run_token(two: Furnished, job_id: str) -> str:
    """The token that the agent hands to a job."""
    order = two.agent.commands[job_id].order
    assert order is not None
    return order.token


async def test_a_runs_token_reaches_its_project_and_no_further(two: Furnished) -> None:
    house, alice, bob = two.house, two.alice, two.bob
    token = run_token(two, alice.ids["running"])
    me = await made(house, "GET", "/me", token)
    assert (me["kind"], me["project_id"]) == ("run", alice.ids["project"])
    assert await walk(two, token, run_tokens.RIGHTS) > 10
    for path in (f"/projects/{bob.ids['project']}", f"/jobs/{bob.ids['job0']}"):
        assert (await house.call("GET", path, as_=token)).status_code == 404
    again = {"project_id": bob.ids["project"], "command": ["true"]}
    assert (await house.call("POST", "/jobs", as_=token, json=again)).status_code == 404


async def test_an_administrators_run_is_no_administrator(two: Furnished) -> None:
    """A job that an administrator starts runs the project's code, which others can write."""
    house, ids = two.house, two.alice.ids
    start = {"project_id": ids["project"], "command": ["true"]}
    job = await made(house, "POST", "/jobs", two.admin, json=start)
    await two.agent.poll()
    token = run_token(two, job["id"])
    assert await walk(two, token, run_tokens.RIGHTS) > 10
    other = f"/projects/{two.bob.ids['project']}"
    assert (await house.call("GET", other, as_=token)).status_code == 404
    assert (await house.call("GET", "/people", as_=token)).status_code == 403
    body = {"roles": ["admin"]}
    answer = await house.call("PATCH", f"/people/{ids['person']}", as_=token, json=body)
    assert answer.status_code == 403


async def test_a_runs_token_ends_with_the_run(two: Furnished) -> None:
    house, ids = two.house, two.alice.ids
    token = run_token(two, ids["running"])
    await made(house, "GET", "/me", token)
    await two.agent.finish(ids["running"])
    assert (await house.call("GET", "/me", as_=token)).status_code == 401
    await made(house, "POST", f"/jobs/{ids['running']}/rerun", two.alice.token, json={})
    assert (await house.call("GET", "/me", as_=token)).status_code == 401


async def test_a_job_started_by_a_narrow_token_is_as_narrow(two: Furnished) -> None:
    """Or starting a job would be a way to every right of its owner's runs."""
    house, ids = two.house, two.alice.ids
    body = {"name": "starter", "rights": ["job:start", "job:read"], "project_id": ids["project"]}
    narrow = (await made(house, "POST", "/tokens", two.alice.token, json=body))["token"]
    start = {"project_id": ids["project"], "command": ["true"]}
    job = await made(house, "POST", "/jobs", narrow, json=start)
    await two.agent.poll()
    token = run_token(two, job["id"])
    outputs = await house.call("GET", f"/jobs/{ids['job0']}/outputs", as_=narrow)
    assert outputs.status_code == 403
    through = await house.call("GET", f"/jobs/{ids['job0']}/outputs", as_=token)
    assert through.status_code == 403
    stop = await house.call("POST", f"/jobs/{ids['running']}/stop", as_=token)
    assert stop.status_code == 403
    # What running code needs is the code: that comes with the right to start.
    assert (
        await house.call("GET", f"/projects/{ids['project']}/files", as_=token)
    ).status_code == 200
    once_more = await made(house, "POST", "/jobs", token, json=start)
    await two.agent.poll()
    grandchild = run_token(two, once_more["id"])
    answer = await house.call("GET", f"/jobs/{ids['job0']}/outputs", as_=grandchild)
    assert answer.status_code == 403


async def test_a_reading_hub_token_changes_nothing(two: Furnished) -> None:
    rights = rights_of_scopes({"custom:smalti:read"})
    assert rights is not None
    full = two.house.tokens.actors[two.alice.token]
    narrow = Actor(
        full.kind, full.id, full.name, person_id=full.person_id, roles=full.roles, rights=rights
    )
    two.house.tokens.actors["reading"] = narrow
    assert await walk(two, "reading", rights) > 10
    before = await made(two.house, "GET", f"/projects/{two.alice.ids['project']}", "reading")
    assert before["name"] == "alice-wine"


async def test_an_agents_token_is_nobody_elsewhere(two: Furnished) -> None:
    assert await walk(two, two.agent.token, {Permission.AGENT_WORK}) > 30


async def test_a_deactivated_persons_tokens_are_dead(two: Furnished) -> None:
    house, bob = two.house, two.bob
    robot = (await made(house, "POST", "/tokens", bob.token, json={"name": "r"}))["token"]
    run = run_token(two, bob.ids["running"])
    path = f"/people/{bob.ids['person']}"
    await made(house, "PATCH", path, two.admin, json={"status": "deactivated"})
    for token in (robot, run):
        assert (await house.call("GET", "/me", as_=token)).status_code == 401


actors = st.builds(
    Actor,
    kind=st.sampled_from([Principal.PERSON, Principal.RUN, Principal.SERVICE]),
    id=st.just("1"),
    name=st.just("ada"),
    person_id=st.just("1"),
    roles=st.frozensets(st.sampled_from(list(PlatformRole))),
    rights=st.none() | st.frozensets(st.sampled_from(list(Permission))),
)


@given(actors, st.sampled_from(list(Permission)))
def test_narrowing_never_adds(actor: Actor, permission: Permission) -> None:
    wide = Actor(actor.kind, "1", "ada", person_id="1", roles=actor.roles)
    if actor.may(permission):
        assert wide.may(permission)
        assert actor.rights is None or permission in actor.rights | ALWAYS


@given(actors)
def test_a_token_can_have_only_what_its_maker_has_and_a_program_may(actor: Actor) -> None:
    for permission in possible_rights(actor):
        assert actor.may(permission)
        assert Principal.SERVICE in GRANTS[permission].principals


@given(st.frozensets(st.sampled_from(["custom:smalti:read", "custom:smalti:admin", "self", "x"])))
def test_without_the_writing_scope_nothing_is_written(scopes: frozenset[str]) -> None:
    try:
        rights = rights_of_scopes(scopes)
    except ValueError:
        return
    assert rights is not None
    assert not any(GRANTS[one].writes for one in rights)


def test_every_permission_that_changes_something_says_so() -> None:
    """`writes` is what a reading token is held back by: a forgotten one would be a way round."""
    changing = {"manage", "create", "edit", "delete", "write", "start", "stop", "work"}
    for permission, verb in itertools.product(Permission, changing):
        if permission.value.endswith(f":{verb}"):
            assert GRANTS[permission].writes, permission


async def test_a_route_that_changes_something_needs_a_right_that_does(house: House) -> None:
    for route in routes_of(house):
        if route.method == "GET" or route.permission in ALWAYS or route.path.endswith("-pack"):
            continue
        if route.path.endswith("/members/{person_id}") and route.method == "DELETE":
            continue  # leaving a project needs no more than being in it: see the test below
        assert GRANTS[route.permission].writes, (route.method, route.path)


async def test_who_only_reads_does_not_leave_a_project_either(two: Furnished) -> None:
    house, alice, bob = two.house, two.alice, two.bob
    members = f"/projects/{alice.ids['project']}/members"
    member = {"person": bob.ids["person"], "role": "contributor"}
    await made(house, "POST", members, alice.token, json=member)
    full = house.tokens.actors[bob.token]
    rights = rights_of_scopes({"custom:smalti:read"})
    house.tokens.actors["reading-bob"] = Actor(
        full.kind, full.id, full.name, person_id=full.person_id, roles=full.roles, rights=rights
    )
    path = f"{members}/{bob.ids['person']}"
    run = await made(
        house, "POST", "/jobs", bob.token,
        json={"project_id": alice.ids["project"], "command": ["true"]},
    )  # fmt: skip
    await two.agent.poll()
    assert (await house.call("DELETE", path, as_="reading-bob")).status_code == 403
    answer = await house.call("DELETE", path, as_=run_token(two, run["id"]))
    assert answer.status_code == 403

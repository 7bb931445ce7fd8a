"""S4: two people, and every id of one put into every route by the other: nothing comes of it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from services.core.rights import Permission
from services.core.routing import API, Route
from tests.house import House
from tests.security.furnished import Furnished, Owner, bodies, furnish, made, routes_of

# Shared by everybody who is signed in, and why: none of these is anybody's own.
SHARED = {
    ("GET", "/people/{id}"): "who somebody is, is known to all who are signed in",
    ("GET", "/environments/{id}"): "environments are shared",
    ("GET", "/environments/{id}/revisions"): "environments are shared",
    ("GET", "/environments/{id}/revisions/{number}"): "environments are shared",
    ("GET", "/planes/{id}"): "planes are shared",
    ("GET", "/hardware-tiers/{id}"): "tiers are shared",
}
REFUSED = {400, 403, 404, 405, 409, 412, 422}


@pytest.fixture
async def two(house: House) -> Furnished:
    """Alice and Bob."""
    return await furnish(house)


def values_of(owner: Owner, name: str, route: Route) -> list[str]:
    """What a parameter of a path may be filled with, of an owner's."""
    ids = owner.ids
    if name == "owner":
        return [owner.name]
    if name == "name":
        return [f"{owner.name}-wine"]
    if name == "path":
        return ["metrics.json", "main.py"]
    if name in ("attempt", "number"):
        return ["1"]
    if name == "user":
        return [owner.name]
    if name == "server":
        return [f"{owner.name}-wine"]
    if name == "person_id":
        return [ids["person"]]
    return list(ids.values())


def filled(route: Route, owner: Owner) -> list[str]:
    """A route's addresses with an owner's ids in every place, of every kind."""
    choices = [values_of(owner, name, route) for name in route.parameters]
    addresses = []
    for chosen in product(*choices):
        path = route.path
        for name, value in zip(route.parameters, chosen, strict=True):
            path = path.replace(f"{{{name}*}}", value).replace(f"{{{name}}}", value)
        addresses.append(path)
    return addresses


# MLflow does not run beside this platform; tests/experiments and test_experiments ask it.
BY_MLFLOW = ("/projects/{id}/models", "/projects/{id}/experiment", "/jobs/{id}/experiment")


def with_ids(house: House) -> list[Route]:
    """Routes that take an id and are not open to everybody.

    Not the console's addresses: each gives the same page, which knows nothing by itself.
    """
    return [
        route
        for route in routes_of(house)
        if route.parameters
        and route.tag != "console"
        and route.permission is not Permission.PUBLIC
        and (route.method, route.path.removeprefix(API)) not in SHARED
    ]


async def view_of(two: Furnished, owner: Owner) -> list[Any]:
    """All that an owner has, as they see it."""
    house, ids = two.house, owner.ids
    paths = [
        f"/projects/{ids['project']}",
        f"/projects/{ids['project']}/members",
        f"/projects/{ids['project']}/commits",
        f"/projects/{ids['project']}/branches",
        f"/jobs?project_id={ids['project']}",
        f"/workspaces?project_id={ids['project']}",
        "/tokens",
        "/secrets",
        f"/secrets?project_id={ids['project']}",
        f"/people/{ids['person']}",
    ]
    return [await made(house, "GET", path, owner.token) for path in paths]


async def test_nobody_gets_at_anothers_things_by_their_ids(two: Furnished) -> None:
    alice, bob, house = two.alice, two.bob, two.house
    before = await view_of(two, alice)
    tried = 0
    for route in with_ids(house):
        for address, body in product(filled(route, alice), bodies(bob, route)):
            more: dict[str, Any] = {}
            if route.body is not None:
                more["json"] = body
            elif route.upload is not None:
                more["content"] = b"0000"
            answer = await house.call(route.method, address, as_=bob.token, **more)
            assert answer.status_code in REFUSED, (route.method, address, answer.text)
            assert alice.name not in answer.text, (route.method, address, answer.text)
            tried += 1
    assert tried > 200
    assert await view_of(two, alice) == before


async def test_the_same_routes_serve_their_owner(two: Furnished) -> None:
    """Or the refusals above would prove nothing."""
    alice, house = two.alice, two.house
    served = set()
    for route in with_ids(house):
        if route.method != "GET" or route.media_type == "text/event-stream":
            continue
        for address in filled(route, alice):
            answer = await house.call("GET", address, as_=alice.token)
            if answer.status_code < 300:
                served.add(route.path.removeprefix(API))
    unserved = {
        route.path.removeprefix(API)
        for route in with_ids(house)
        if route.method == "GET" and route.media_type != "text/event-stream"
    } - served
    elsewhere = ("/agent", "/hub-servers", *BY_MLFLOW)
    assert {path for path in unserved if not path.startswith(elsewhere)} <= {
        "/services/smalti/git/{owner}/{name}.git/info/refs"  # asks for ?service=
    }


async def test_ids_in_bodies_and_queries_are_no_way_round(two: Furnished) -> None:
    alice, bob, house = two.alice, two.bob, two.house
    theirs, mine = alice.ids, bob.ids
    job = {"command": ["true"]}
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/jobs", {**job, "project_id": theirs["project"]}),
        ("POST", "/jobs", {**job, "project_id": mine["project"], "ref": theirs["commit"]}),
        ("POST", "/jobs", {**job, "project_id": mine["project"], "environment_id": theirs["job0"]}),
        ("POST", "/tokens", {"name": "x", "project_id": theirs["project"]}),
        ("POST", "/secrets", {"name": "A", "value": "x", "project_id": theirs["project"]}),
        ("GET", f"/secrets?project_id={theirs['project']}", None),
        ("POST", "/workspaces", {"project_id": theirs["project"]}),
        ("POST", "/workspaces", {"project_id": mine["project"], "branch": theirs["commit"]}),
        ("POST", "/workspaces", {"project_id": mine["project"], "environment_id": theirs["job0"]}),
        ("GET", f"/workspaces?project_id={theirs['project']}", None),
        ("GET", f"/jobs?project_id={theirs['project']}", None),
        ("GET", f"/jobs/compare?left={mine['job0']}&right={theirs['job0']}", None),
        ("GET", f"/jobs/compare?left={theirs['job0']}&right={mine['job0']}", None),
        ("GET", f"/jobs/compare?left={theirs['job0']}&right={theirs['job1']}", None),
        ("GET", f"/projects/{mine['project']}/files?ref={theirs['commit']}", None),
        ("GET", f"/projects/{mine['project']}/content/main.py?ref={theirs['commit']}", None),
        ("GET", f"/projects/{mine['project']}/commits?ref={theirs['commit']}", None),
    ]
    for method, path, body in calls:
        more = {} if body is None else {"json": body}
        answer = await house.call(method, path, as_=bob.token, **more)
        assert answer.status_code in REFUSED, (method, path, body, answer.text)


async def test_lists_and_cursors_show_only_ones_own(two: Furnished) -> None:
    alice, bob, house = two.alice, two.bob, two.house
    page = await made(house, "GET", "/jobs?limit=1", alice.token)
    stolen = page["next_cursor"]
    assert stolen
    for path in (
        "/jobs",
        "/workspaces",
        f"/jobs?cursor={stolen}",
        "/projects",
        "/tokens",
        "/groups",
    ):
        found = await made(house, "GET", path, bob.token)
        text = str(found)
        assert not any(theirs in text for theirs in alice.ids.values()), (path, found)
    everything = await made(house, "GET", f"/jobs?owner={alice.name}", bob.token)
    assert everything["items"] == []


async def test_a_key_of_anothers_request_gives_nothing_of_it(two: Furnished) -> None:
    """An Idempotency-Key belongs to its caller."""
    alice, bob, house = two.alice, two.bob, two.house
    headers = {"Idempotency-Key": "the-same"}
    body = {"name": "twice"}
    first = await made(house, "POST", "/projects", alice.token, json=body, headers=headers)
    second = await made(house, "POST", "/projects", bob.token, json=body, headers=headers)
    assert first["id"] != second["id"]
    assert second["owner"]["name"] == "bob"


async def test_an_object_address_is_good_for_its_object_alone(two: Furnished) -> None:
    """Signed addresses are the only ones without a login: a guessed or bent one is nothing."""
    for token in ("x", "a.b", two.alice.ids["job0"], "../../secrets/signing.key", "." * 400):
        answer = await two.house.call("GET", f"/services/smalti/objects/{token}")
        assert answer.status_code in {403, 404, 410}, (token, answer.text)

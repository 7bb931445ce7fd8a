"""S1: every route, every method, every kind of caller. Nothing is open that does not say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services import people
from services.core.actor import Actor
from services.core.ids import new_id
from services.core.rights import GRANTS, Permission, PlatformRole, Principal
from services.core.routing import PREFIX, Route
from services.platform.nouns import nouns
from tests.house import House

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW")
# Everything that may be called without a login, and what protects it instead.
OPEN = {
    "GET /health": "says nothing of anybody",
    "GET /metrics": "numbers of the whole; the front door may close it",
    "GET /api/openapi.json": "the API's description",
    "GET /login": "the way in",
    "GET /oauth_callback": "needs a state of this browser",
    "POST /logout": "needs the session's XSRF value",
    "GET ": "leads to the first page",
    "GET /experiments/away": "the same words for everybody",
    "GET /experiments/server-info": "the same words for everybody",
    "GET /static/{name}": "the pages' own files",
    "GET /static/built/{name}": "the console's own files",
    "GET /objects/{token}": "needs a signed address",
    "PUT /objects/{token}": "needs a signed address",
    "POST /api/v1/agents/enrol": "needs a single-use token in its body",
}
REFUSED = {400, 403, 404, 405, 409, 410, 412, 413, 416, 422}


def named(route: Route) -> str:
    """A route's name in the list above."""
    return f"{route.method} {route.path.removeprefix(PREFIX)}"


def every_route() -> list[Route]:
    """The route table, as the platform's process has it."""
    return [route for noun in nouns() if noun.routes is not None for route in noun.routes.table]


def address(route: Route) -> str:
    """A route's address with ids that nothing has."""
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}*}}", "a/b").replace(f"{{{name}}}", new_id())
    return path


def is_open(route: Route) -> bool:
    """Tell whether anybody at all may call it."""
    return Principal.ANONYMOUS in GRANTS[route.permission].principals


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[House]:
    """A house where an agent's long poll is short."""
    async with House(tmp_path, agent_poll=0.1) as made:
        yield made


async def ask(house: House, route: Route, token: str | None, method: str = "") -> httpx.Response:
    """Call a route with nothing that means anything in it."""
    more: dict[str, Any] = {}
    if route.body is not None:
        more["json"] = {}
    elif route.upload is not None:
        more["content"] = b"0000"
    method = method or route.method
    if route.path.endswith("/events") and method == "GET":
        method = "HEAD"  # the stream of one who may listen has no end
    return await house.call(method, address(route), as_=token, **more)


async def callers(house: House) -> dict[str, tuple[str, Actor]]:
    """Make one of each kind of caller; none has anything to do with any project."""
    found: dict[str, tuple[str, Actor]] = {}
    await house.sign_in("spare", PlatformRole.ADMIN)
    for role in PlatformRole:
        token = await house.sign_in(f"the-{role.value}", role)
        found[role.value] = (token, house.tokens.actors[token])
    nobody = await house.sign_in("without-roles")
    person_id = house.tokens.actors[nobody].id
    house.tokens.actors[nobody] = Actor(
        Principal.PERSON, person_id, "without-roles", person_id=person_id
    )
    found["no role"] = (nobody, house.tokens.actors[nobody])
    for kind in ("run", "agent", "service", "hub"):
        secret = await house.context.db.write(_token, kind, person_id)
        actor = await house.context.get(people_resolver()).actor_of_token(secret)
        assert actor is not None
        found[kind] = (secret, actor)
    return found


def people_resolver() -> Any:
    """The type under which the platform keeps its resolver."""
    from services.core.auth.resolver import Resolver

    return Resolver


def _token(tx: Any, kind: str, person_id: str) -> str:
    return people.issue_token(
        tx,
        kind=kind,
        principal_id=new_id(),
        name=kind,
        person_id=None if kind in ("agent", "hub") else person_id,
        project_id=new_id() if kind == "run" else None,
        plane_id=new_id() if kind == "agent" else None,
    )


def test_what_is_open_is_listed_with_its_reason() -> None:
    assert {named(route) for route in every_route() if is_open(route)} == set(OPEN)


def test_every_permission_is_granted_in_the_matrix() -> None:
    assert set(GRANTS) == set(Permission)
    for route in every_route():
        assert isinstance(route.permission, Permission)


def test_the_tables_hold_every_route_that_the_process_answers(house: House) -> None:
    assert {named(route) for route in house.platform.routes} == {named(r) for r in every_route()}
    assert len(every_route()) > 50


async def test_nobody_gets_in_without_a_login(quick: House) -> None:
    for route in every_route():
        answer = await ask(quick, route, None)
        if is_open(route):
            assert answer.status_code < 500, named(route)
        elif route.cookie:
            assert answer.status_code == 302, named(route)
            assert answer.headers["Location"].startswith(f"{PREFIX}/login?next=")
        else:
            assert answer.status_code == 401, named(route)
            assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("token", ["wrong", "sml_" + "x" * 43])
async def test_a_wrong_token_is_worse_than_none(quick: House, token: str) -> None:
    for route in every_route():
        answer = await ask(quick, route, token)
        if named(route).partition(" ")[2].startswith("/objects/"):
            continue  # these never look at it
        # The hub cannot be asked here: what is not ours is then neither good nor bad.
        assert answer.status_code == (401 if token.startswith("sml_") else 503), named(route)


async def test_each_caller_gets_no_further_than_the_matrix_says(quick: House) -> None:
    for name, (token, actor) in (await callers(quick)).items():
        for route in every_route():
            if is_open(route):
                continue
            answer = await ask(quick, route, token)
            where = (name, named(route), answer.status_code, answer.text[:300])
            if not actor.may(route.permission):
                assert answer.status_code == 403, where
            elif route.parameters and route.tag != "console":
                assert answer.status_code in REFUSED, where
            else:
                assert answer.status_code < 500, where


async def test_methods_that_are_not_declared_do_nothing(quick: House) -> None:
    token = await quick.sign_in("root", PlatformRole.ADMIN)
    tables: dict[str, set[str]] = {}
    for route in every_route():
        tables.setdefault(route.pattern, set()).add(route.method)
    for route in every_route():
        declared = tables[route.pattern]
        for method in set(METHODS) - declared - ({"HEAD"} if "GET" in declared else set()):
            if method == "CONNECT":
                continue  # a client does not send it to a path
            answer = await quick.call(method, address(route), as_=token)
            assert answer.status_code == 405, (method, route.path)


async def test_an_upgrade_is_no_way_round(quick: House) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for route in every_route():
        if route.method == "GET" and not is_open(route):
            answer = await quick.call("GET", address(route), headers=headers)
            assert answer.status_code in (401, 302), named(route)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/services",
        "/services/smaltix",
        "/services/smalti/api/v2/me",
        "/services/smalti/api/v1/me/",
        "/services/smalti/api/v1//me",
        "/services/smalti/api/v1/ME",
        "/services/smalti/api/v1/me%00",
        "/hub/api/users",
    ],
)
async def test_what_is_not_in_the_table_is_not_there(house: House, path: str) -> None:
    token = await house.sign_in("root", PlatformRole.ADMIN)
    for method in METHODS[:7]:
        answer = await house.client.request(
            method, httpx.URL(house.origin).copy_with(raw_path=path.encode()),
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        assert answer.status_code in (400, 404), (method, path)


async def test_headers_that_claim_somebody_are_not_believed(house: House) -> None:
    await house.sign_in("root", PlatformRole.ADMIN)
    for name in ("X-Forwarded-User", "Remote-User", "X-Remote-User", "X-JupyterHub-User"):
        answer = await house.call("GET", "/me", headers={name: "root"})
        assert answer.status_code == 401
    claimed = {"Cookie": "smalti-session=x; jupyterhub-services=root"}
    assert (await house.call("GET", "/me", headers=claimed)).status_code == 401

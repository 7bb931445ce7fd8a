"""People, groups and tokens over HTTP: who sees whom, who changes what, rights never grow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services import people
from services.core import audit
from services.core.auth.resolver import Resolver
from services.core.rights import Permission, PlatformRole
from services.people import store
from services.people.rules import RoleSource
from tests.house import House

ADMIN, SUPPORT = PlatformRole.ADMIN, PlatformRole.SUPPORT


def id_of(house: House, token: str) -> str:
    """Id of the person whom a test's token belongs to."""
    return house.tokens.actors[token].id


async def made(house: House, token: str, **body: Any) -> dict[str, Any]:
    """Make a service token; return the answer."""
    answer = await house.call("POST", "/tokens", as_=token, json={"name": "robot", **body})
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def test_me_says_who_asks(house_on_both: House) -> None:
    house = house_on_both
    alice = await house.sign_in("alice")
    view = (await house.call("GET", "/me", as_=alice)).json()
    assert view["name"] == "alice"
    assert view["kind"] == "person"
    assert view["roles"] == ["practitioner"]
    assert view["admin"] is False
    assert view["person"] == {"id": view["id"], "name": "alice"}
    assert (await house.call("GET", "/me")).status_code == 401
    assert (await house.call("GET", "/me", as_="sml_nobody-made-this")).status_code == 401


async def test_people_are_listed_for_watchers_and_found_by_name_for_others(
    house_on_both: House,
) -> None:
    house = house_on_both
    root, alice = await house.sign_in("root", ADMIN), await house.sign_in("alice")
    watcher = await house.sign_in("watcher", SUPPORT)
    for token in (root, watcher):
        names = [one["name"] for one in await everybody(house, token)]
        assert sorted(names) == ["alice", "root", "watcher"]
    assert (await house.call("GET", "/people", as_=alice)).status_code == 403
    found = (await house.call("GET", "/people?name=root", as_=alice)).json()["items"]
    assert [(one["name"], one["roles"]) for one in found] == [("root", [])]
    assert (await house.call("GET", "/people?name=roo", as_=alice)).json()["items"] == []
    mine = await house.call("GET", f"/people/{id_of(house, alice)}", as_=alice)
    assert mine.json()["roles"] == ["practitioner"]


async def everybody(house: House, token: str) -> list[dict[str, Any]]:
    """Walk the whole list, two at a time."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = (await house.call("GET", f"/people?limit=2{cursor}", as_=token)).json()
        found += answer["items"]
        if answer["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer['next_cursor']}"


async def test_roles_change_by_an_administrator_only(house: House) -> None:
    root, alice = await house.sign_in("root", ADMIN), await house.sign_in("alice")
    path = f"/people/{id_of(house, alice)}"
    change = {"roles": ["librarian", "lite"]}
    assert (await house.call("PATCH", path, as_=alice, json=change)).status_code == 403
    answer = await house.call("PATCH", path, as_=root, json=change)
    assert answer.json()["roles"] == ["librarian", "lite"]
    stale = {"If-Match": '"of-long-ago"'}
    refused = await house.call("PATCH", path, as_=root, json=change, headers=stale)
    assert refused.status_code == 412
    fresh = {"If-Match": answer.headers["ETag"]}
    answer = await house.call("PATCH", path, as_=root, json={"roles": ["lite"]}, headers=fresh)
    assert answer.json()["roles"] == ["lite"]
    assert await house.context.db.read(audit.verify) is None


async def test_the_last_administrator_stays(house_on_both: House) -> None:
    house = house_on_both
    root = await house.sign_in("root", ADMIN)
    path = f"/people/{id_of(house, root)}"
    for change in ({"roles": ["practitioner"]}, {"status": "deactivated"}):
        answer = await house.call("PATCH", path, as_=root, json=change)
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "last_admin"
    await house.sign_in("second", ADMIN)
    answer = await house.call("PATCH", path, as_=root, json={"roles": ["practitioner"]})
    assert answer.json()["roles"] == ["practitioner"]


async def test_an_administrator_of_the_hub_is_demoted_there(house: House) -> None:
    root, boss = await house.sign_in("root", ADMIN), await house.sign_in("boss")
    await house.context.db.write(store.set_roles, id_of(house, boss), [ADMIN], RoleSource.HUB)
    path = f"/people/{id_of(house, boss)}"
    answer = await house.call("PATCH", path, as_=root, json={"roles": ["lite"]})
    assert answer.json()["error"]["code"] == "role_from_hub"


async def test_a_token_has_what_it_was_given_and_its_person_still_has(
    house_on_both: House,
) -> None:
    house = house_on_both
    root, alice = await house.sign_in("root", ADMIN), await house.sign_in("alice")
    robot = (await made(house, alice, rights=["me:read", "people:read"]))["token"]
    me = (await house.call("GET", "/me", as_=robot)).json()
    assert (me["kind"], me["person"]["name"]) == ("service", "alice")
    assert (await house.call("GET", "/people?name=root", as_=robot)).status_code == 200
    assert (await house.call("GET", "/projects", as_=robot)).status_code == 403
    # A token never makes tokens, whatever it was given.
    for token in (robot, (await made(house, alice))["token"], (await made(house, root))["token"]):
        answer = await house.call("POST", "/tokens", as_=token, json={"name": "more"})
        assert answer.status_code == 403
    # An administrator's token acts as one only as long as the person is one.
    chief = (await made(house, root))["token"]
    assert (await house.call("GET", "/people", as_=chief)).status_code == 200
    await house.sign_in("second", ADMIN)
    await house.call("PATCH", f"/people/{id_of(house, root)}", as_=root, json={"roles": []})
    assert (await house.call("GET", "/people", as_=chief)).status_code == 403


async def test_a_token_cannot_be_given_more_than_its_maker_has(house: House) -> None:
    alice = await house.sign_in("alice")
    for right in ("people:manage", "audit:read", "tokens:manage", "agent:work"):
        body = {"name": "robot", "rights": [right]}
        answer = await house.call("POST", "/tokens", as_=alice, json=body)
        assert answer.status_code == 403, right
    for days in (0, 366):
        body = {"name": "robot", "expires_in_days": days}
        assert (await house.call("POST", "/tokens", as_=alice, json=body)).status_code == 422


async def test_a_token_of_a_foreign_project_is_not_to_be_had(house: House) -> None:
    alice, bob = await house.sign_in("alice"), await house.sign_in("bob")
    project = (await house.call("POST", "/projects", as_=alice, json={"name": "wine"})).json()
    body = {"name": "robot", "project_id": project["id"]}
    assert (await house.call("POST", "/tokens", as_=bob, json=body)).status_code == 404
    robot = (await made(house, alice, project_id=project["id"]))["token"]
    other = (await house.call("POST", "/projects", as_=alice, json={"name": "beer"})).json()
    assert (await house.call("GET", f"/projects/{project['id']}", as_=robot)).status_code == 200
    assert (await house.call("GET", f"/projects/{other['id']}", as_=robot)).status_code == 404


async def test_tokens_are_listed_and_ended_by_their_person(house: House) -> None:
    root, alice, bob = [
        await house.sign_in("root", ADMIN),
        await house.sign_in("alice"),
        await house.sign_in("bob"),
    ]
    first, second = await made(house, alice), await made(house, alice, name="other")
    listed = (await house.call("GET", "/tokens", as_=alice)).json()["items"]
    assert [one["name"] for one in listed] == ["other", "robot"]
    assert all("token" not in one for one in listed)
    assert (await house.call("GET", "/tokens", as_=bob)).json()["items"] == []
    path = f"/tokens/{first['id']}"
    assert (await house.call("DELETE", path, as_=bob)).status_code == 404
    assert (await house.call("GET", "/me", as_=first["token"])).status_code == 200
    assert (await house.call("DELETE", path, as_=alice)).status_code == 204
    assert (await house.call("GET", "/me", as_=first["token"])).status_code == 401
    assert (await house.call("DELETE", path, as_=alice)).status_code == 404
    assert (await house.call("DELETE", f"/tokens/{second['id']}", as_=root)).status_code == 204


async def test_the_secret_is_told_once(house: House) -> None:
    alice = await house.sign_in("alice")
    headers = {"Idempotency-Key": "one"}
    answers = [
        await house.call("POST", "/tokens", as_=alice, json={"name": "robot"}, headers=headers)
        for _ in range(2)
    ]
    assert answers[0].json()["token"] != answers[1].json()["token"]
    kept = (house.home / "platform" / "platform.sqlite").read_bytes()
    kept += (house.home / "platform" / "platform.sqlite-wal").read_bytes()
    assert answers[0].json()["token"].encode() not in kept


async def test_a_deactivated_person_is_out_with_all_tokens(house_on_both: House) -> None:
    house = house_on_both
    root, alice = await house.sign_in("root", ADMIN), await house.sign_in("alice")
    alice_id = id_of(house, alice)
    robot = (await made(house, alice))["token"]
    run = await house.context.db.write(
        lambda tx: people.issue_token(
            tx, kind="run", principal_id="w", name="run w", person_id=alice_id, project_id="p"
        )
    )
    assert (await house.call("GET", "/me", as_=run)).json()["kind"] == "run"
    await house.call("PATCH", f"/people/{alice_id}", as_=root, json={"status": "deactivated"})
    for token in (robot, run):
        assert (await house.call("GET", "/me", as_=token)).status_code == 401
    bob = await house.sign_in("bob")
    assert (await house.call("GET", f"/people/{alice_id}", as_=bob)).status_code == 404
    assert (await house.call("GET", "/people?name=alice", as_=bob)).json()["items"] == []
    await house.call("PATCH", f"/people/{alice_id}", as_=root, json={"status": "active"})
    # What was ended stays ended; what lives as long as its run goes on with it.
    assert (await house.call("GET", "/me", as_=robot)).status_code == 401
    assert (await house.call("GET", "/me", as_=run)).status_code == 200


async def test_groups_are_ones_own_unless_one_watches(house_on_both: House) -> None:
    house = house_on_both
    root, alice = await house.sign_in("root", ADMIN), await house.sign_in("alice")
    bob = await house.sign_in("bob")
    write = house.context.db.write
    await write(store.set_groups, id_of(house, alice), ["blue", "red"])
    await write(store.set_groups, id_of(house, bob), ["red"])
    everything = (await house.call("GET", "/groups", as_=root)).json()["items"]
    assert everything == [{"name": "blue", "members": 1}, {"name": "red", "members": 2}]
    assert (await house.call("GET", "/groups", as_=bob)).json()["items"] == [everything[1]]
    page = (await house.call("GET", "/groups?limit=1", as_=alice)).json()
    following = f"/groups?limit=1&cursor={page['next_cursor']}"
    assert (await house.call("GET", following, as_=alice)).json()["items"] == [everything[1]]


async def test_an_expired_token_is_nobodys(house: House) -> None:
    alice = await house.sign_in("alice")
    over = await house.context.db.write(
        lambda tx: people.issue_token(
            tx,
            kind="service",
            principal_id="s",
            name="old",
            person_id=id_of(house, alice),
            rights=[Permission.PEOPLE_READ],
            expires_at=tx.now - timedelta(seconds=1),
        )
    )
    assert (await house.call("GET", "/me", as_=over)).status_code == 401
    assert await house.context.get(Resolver).actor_of_token(over) is None

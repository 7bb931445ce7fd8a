"""Somebody new: made at the hub with a one-time password that is told once, and known here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from services.core.rights import PlatformRole
from tests.house import House
from tests.people.hub import Hub

ONE_TIME = re.compile(r"([a-z2-9]{5}-){3}[a-z2-9]{5}")


@pytest.fixture
async def hub(house_on_both: House) -> AsyncIterator[Hub]:
    """A hub that lets the platform add people."""
    async with Hub(house_on_both) as made:
        yield made


async def test_somebody_is_added_with_roles_and_a_password_told_once(hub: Hub) -> None:
    house = hub.house
    root = await house.sign_in("root", PlatformRole.ADMIN)
    body = {"name": "nora", "roles": ["lite", "librarian"]}
    answer = await house.call("POST", "/people", as_=root, json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["name"], made["roles"], made["status"]) == (
        "nora",
        ["librarian", "lite"],
        "active",
    )
    assert ONE_TIME.fullmatch(made["password"])
    assert hub.passwords == {"nora": made["password"]}
    shown = await house.call("GET", f"/people/{made['id']}", as_=root)
    assert "password" not in shown.json()
    trail = (await house.call("GET", f"/audit-events?target_id={made['id']}", as_=root)).json()
    assert {one["action"] for one in trail["items"]} == {"person.create", "person.change"}
    assert {one["actor"]["name"] for one in trail["items"]} == {"root"}
    assert made["password"] not in str(trail)
    # Who comes with the hub's word is that person, with those roles.
    nora = hub.token("nora")
    me = (await house.call("GET", "/me", as_=nora)).json()
    assert (me["id"], me["roles"]) == (made["id"], ["librarian", "lite"])


async def test_without_roles_somebody_is_a_practitioner(hub: Hub) -> None:
    root = await hub.house.sign_in("root", PlatformRole.ADMIN)
    answer = await hub.house.call("POST", "/people", as_=root, json={"name": "n.o-r_a"})
    assert answer.json()["roles"] == ["practitioner"]


async def test_what_cannot_be_is_refused_in_words(hub: Hub) -> None:
    house = hub.house
    root = await house.sign_in("root", PlatformRole.ADMIN)
    for name in ("", "Nora", "no ra", ".nora", "x" * 64, "nora/..", "<b>", "نورا", "nora\n"):
        answer = await house.call("POST", "/people", as_=root, json={"name": name})
        assert answer.status_code == 422, name
    bad = {"name": "nora", "roles": ["king"]}
    assert (await house.call("POST", "/people", as_=root, json=bad)).status_code == 422
    again = await house.call("POST", "/people", as_=root, json={"name": "root"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "name_taken")
    for status, expected, code in (
        (409, 409, "account_used"),
        (404, 409, "no_passwords"),
        (422, 422, "unprocessable"),
        (403, 503, "unavailable"),
        (500, 503, "unavailable"),
    ):
        hub.broken = status
        answer = await house.call("POST", "/people", as_=root, json={"name": "nora"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (expected, code)
    hub.broken = 0
    found = (await house.call("GET", "/people?name=nora", as_=root)).json()
    assert found["items"] == []


async def test_a_new_password_for_who_never_came(hub: Hub) -> None:
    house = hub.house
    root = await house.sign_in("root", PlatformRole.ADMIN)
    made = (await house.call("POST", "/people", as_=root, json={"name": "nora"})).json()
    path = f"/people/{made['id']}/password"
    renewed = await house.call("POST", path, as_=root)
    assert renewed.status_code == 200
    assert set(renewed.json()) == {"password"}
    assert renewed.json()["password"] not in ("", made["password"])
    assert hub.passwords["nora"] == renewed.json()["password"]
    trail = (await house.call("GET", "/audit-events?action=person.password", as_=root)).json()
    assert [one["target"]["id"] for one in trail["items"]] == [made["id"]]
    hub.used.add("nora")
    refused = await house.call("POST", path, as_=root)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "account_used")


async def test_only_administrators_add_people(hub: Hub) -> None:
    house = hub.house
    root = await house.sign_in("root", PlatformRole.ADMIN)
    made = (await house.call("POST", "/people", as_=root, json={"name": "nora"})).json()
    robot = (await house.call("POST", "/tokens", as_=root, json={"name": "robot"})).json()["token"]
    others = [await house.sign_in(f"a-{role}", role) for role in PlatformRole if role != "admin"]
    for token in (*others, robot):
        answer = await house.call("POST", "/people", as_=token, json={"name": "eve"})
        assert answer.status_code == 403
        answer = await house.call("POST", f"/people/{made['id']}/password", as_=token)
        assert answer.status_code == 403
    assert set(hub.passwords) == {"nora"}

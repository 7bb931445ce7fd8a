"""The data of people and tokens, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from services import people
from services.core.database import Database, Transaction
from services.core.errors import Conflict, Forbidden, NotFound
from services.core.ids import new_id
from services.core.rights import Permission, PlatformRole
from services.core.work import Work
from services.people import store, tokens
from services.people.rules import RoleSource, TokenKind
from services.people.sources import OwnTokens
from services.people.sync import write_used
from services.people.tables import persons
from services.people.tables import tokens as table
from tests.house import House

PRACTITIONER = PlatformRole.PRACTITIONER


def issue(tx: Transaction, **more: Any) -> str:
    """Issue a run's token."""
    values = {"kind": "run", "principal_id": "w", "name": "run w", **more}
    return people.issue_token(tx, **values)


def test_entering_twice_is_entering_once(db: Database) -> None:
    first = db.write_now(people.enter, "alice", [PRACTITIONER])
    assert db.write_now(people.enter, "alice", [PlatformRole.ADMIN]) == first
    roles = db.read_now(store.roles_of, [first])
    assert roles == {first: frozenset({PlatformRole.ADMIN})}


def test_names_of_many_are_found_in_one_go(db: Database) -> None:
    def add(tx: Transaction) -> dict[str, str]:
        ids = {new_id(): f"person-{number}" for number in range(1200)}
        rows = [
            {
                "id": one,
                "hub_name": name,
                "display_name": name,
                "status": "active",
                "created_at": tx.now,
            }
            for one, name in ids.items()
        ]
        tx.execute(insert(persons), rows)
        return ids

    ids = db.write_now(add)
    assert db.read_now(people.named, ids) == ids
    assert db.read_now(people.named, [new_id()]) == {}
    assert len(db.read_now(store.roles_of, list(ids))) == 1200


def test_a_name_has_one_living_bearer(db: Database) -> None:
    first = db.write_now(store.add, "alice", None)
    with pytest.raises(IntegrityError):
        db.write_now(store.add, "alice", None)
    db.write_now(lambda tx: store.change(tx, first, retired_at=tx.now))
    second = db.write_now(store.add, "alice", None)
    found = db.read_now(people.by_name, "alice")
    assert found is not None
    assert found.id == second
    assert db.read_now(people.find, first).retired_at is not None
    with pytest.raises(NotFound):
        db.read_now(people.find, new_id())


def test_a_derived_secret_is_the_same_token_again(db: Database) -> None:
    secret = tokens.new_secret()
    assert db.write_now(issue, secret=secret) == secret
    later = Permission.JOB_READ
    db.write_now(issue, secret=secret, rights=[later])
    token = db.read_now(tokens.by_secret, secret)
    assert token is not None
    assert token.rights == {later}
    assert db.read_now(lambda tx: tx.scalar(select(func.count()).select_from(table))) == 1
    with pytest.raises(Conflict):
        db.write_now(issue, secret=secret, principal_id="another")
    db.write_now(people.revoke_tokens, "run", "w")
    db.write_now(issue, secret=secret)
    token = db.read_now(tokens.by_secret, secret)
    assert token is not None
    assert token.revoked_at is not None  # giving it out again brings nothing back to life


def test_only_a_hash_is_kept(db: Database) -> None:
    secret = db.write_now(issue)
    row = db.read_now(lambda tx: tx.all(select(table)))[0]
    assert secret.startswith("sml_")
    assert len(secret) >= 4 + 43
    assert secret not in str(tuple(row))
    assert secret[4:] not in str(tuple(row))


def test_revoking_ends_what_lives_and_says_how_many(db: Database) -> None:
    for _ in range(3):
        db.write_now(issue)
    kept = db.write_now(issue, principal_id="other")
    assert db.write_now(people.revoke_tokens, TokenKind.RUN, "w") == 3
    assert db.write_now(people.revoke_tokens, TokenKind.RUN, "w") == 0
    token = db.read_now(tokens.by_secret, kept)
    assert token is not None
    assert token.revoked_at is None


def test_a_right_that_is_not_known_any_more_is_none(db: Database) -> None:
    secret = db.write_now(issue)
    db.write_now(
        lambda tx: tx.execute(table.update().values(rights=["job:read", "long:gone"])) and None
    )
    token = db.read_now(tokens.by_secret, secret)
    assert token is not None
    assert token.rights == {Permission.JOB_READ}


async def test_an_enrolment_is_used_once_even_by_many_at_once(db: Database) -> None:
    secret = await db.write(issue, kind="enrolment", principal_id="e", plane_id="p")

    async def use() -> bool:
        try:
            token = await db.write(people.consume_enrolment, secret)
        except Forbidden:
            return False
        return token.plane_id == "p"

    assert sum(await asyncio.gather(*(use() for _ in range(6)))) == 1


def test_an_enrolment_ends_by_time_and_is_of_its_kind(db: Database) -> None:
    late = db.write_now(
        lambda tx: issue(tx, kind="enrolment", expires_at=tx.now - timedelta(seconds=1))
    )
    for secret in (late, db.write_now(issue), "sml_nothing", ""):
        with pytest.raises(Forbidden):
            db.write_now(people.consume_enrolment, secret)


async def test_whose_a_token_is(house_on_both: House) -> None:
    house = house_on_both
    own = house.context.get(OwnTokens)
    person = await house.context.db.write(people.enter, "alice", [PRACTITIONER])

    async def actor(**more: Any) -> Any:
        return await own.resolve(await house.context.db.write(lambda tx: issue(tx, **more)))

    run = await actor(person_id=person, project_id="p", rights=[Permission.JOB_READ])
    assert (run.kind.value, run.id, run.person_id, run.project_id) == ("run", "w", person, "p")
    assert run.rights == {Permission.JOB_READ}
    agent = await actor(kind="agent", principal_id="a", plane_id="here")
    assert (agent.kind.value, agent.plane_id, agent.roles) == ("agent", "here", frozenset())
    assert await actor(kind="enrolment", plane_id="here") is None
    assert await actor() is None  # a run that acts for nobody
    assert await actor(kind="service") is None
    await house.context.db.write(lambda tx: store.change(tx, person, retired_at=tx.now))
    assert await actor(person_id=person, project_id="p") is None


async def test_the_last_use_is_written_now_and_then(house_on_both: House) -> None:
    house = house_on_both
    alice = await house.sign_in("alice")
    made = (await house.call("POST", "/tokens", as_=alice, json={"name": "robot"})).json()
    await house.call("GET", "/me", as_=made["token"])
    listed = (await house.call("GET", "/tokens", as_=alice)).json()["items"]
    assert listed[0]["last_used_at"] is None
    await write_used(Work(house.context))
    listed = (await house.call("GET", "/tokens", as_=alice)).json()["items"]
    assert listed[0]["last_used_at"] is not None


async def test_the_number_of_tokens_is_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.people.token_actions.MOST_PER_PERSON", 2)
    alice = await house.sign_in("alice")
    answers = [
        await house.call("POST", "/tokens", as_=alice, json={"name": "robot"}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    path = f"/tokens/{answers[0].json()['id']}"
    await house.call("DELETE", path, as_=alice)
    again = await house.call("POST", "/tokens", as_=alice, json={"name": "robot"})
    assert again.status_code == 201


async def test_roles_of_both_sources_count(house: House) -> None:
    alice = await house.sign_in("alice")
    person = house.tokens.actors[alice].id
    await house.context.db.write(store.set_roles, person, [PlatformRole.ADMIN], RoleSource.HUB)
    roles = (await house.context.db.read(store.roles_of, [person]))[person]
    assert roles == {PRACTITIONER, PlatformRole.ADMIN}

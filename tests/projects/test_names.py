"""Pairs of owner and name: they lead on after a rename, and nobody else gets them too soon."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services import people, projects
from services.core.database import Database, Transaction
from services.core.errors import Conflict
from services.core.ids import new_id
from services.core.rights import PlatformRole
from services.people.tables import persons
from services.projects import rules, store, tending
from services.projects.tables import project_names

ROLES = frozenset({PlatformRole.PRACTITIONER})


def _add(tx: Transaction, owner_id: str, owner: str, name: str) -> str:
    project_id = new_id()
    row = {"id": project_id, "owner_id": owner_id, "name": name, "description": "",
           "visibility": "private", "default_branch": "main", "status": "ready",
           "created_at": tx.now, "updated_at": tx.now}  # fmt: skip
    store.check_name(tx, project_id, (owner_id, owner), name)
    store.add(tx, row)
    store.take_name(tx, project_id, (owner_id, owner), name)
    return project_id


def _rename(tx: Transaction, person_id: str, name: str) -> None:
    tx.execute(update(persons).where(persons.c.id == person_id).values(hub_name=name))


def _age(tx: Transaction, days: int) -> None:
    """Make every pair that was given up so many days older."""
    for row in tx.all(select(project_names).where(project_names.c.retired_at.is_not(None))):
        pair = (project_names.c.owner_name == row.owner_name) & (project_names.c.name == row.name)
        older = row.retired_at - timedelta(days=days)
        tx.execute(update(project_names).where(pair).values(retired_at=older))


def test_projects_follow_their_owners_new_name(db: Database) -> None:
    alice = db.write_now(people.enter, "alice", ROLES)
    wine = db.write_now(_add, alice, "alice", "wine")
    db.write_now(_rename, alice, "anna")
    assert db.read_now(projects.find, "anna", "wine") == wine
    assert db.read_now(projects.find, "alice", "wine") == wine
    db.write_now(tending._names)
    pairs = db.read_now(lambda tx: tx.all(select(project_names)))
    assert {(row.owner_name, row.retired_at is None) for row in pairs} == {
        ("alice", False),
        ("anna", True),
    }
    newcomer = db.write_now(people.enter, "alice", ROLES)
    with pytest.raises(Conflict, match="not long ago"):
        db.write_now(_add, newcomer, "alice", "wine")
    db.write_now(_add, newcomer, "alice", "beer")
    assert db.read_now(projects.find, "alice", "wine") == wine
    db.write_now(_age, rules.KEPT_DAYS + 1)
    theirs = db.write_now(_add, newcomer, "alice", "wine")
    assert db.read_now(projects.find, "alice", "wine") == theirs
    assert db.read_now(projects.find, "anna", "wine") == wine


def test_pairs_are_forgotten_in_their_time(db: Database) -> None:
    alice = db.write_now(people.enter, "alice", ROLES)
    wine = db.write_now(_add, alice, "alice", "wine")
    db.write_now(store.take_name, wine, (alice, "alice"), "grapes")
    db.write_now(lambda tx: store.change(tx, wine, name="grapes"))
    assert db.write_now(store.forget_names) == 0
    db.write_now(_age, rules.KEPT_DAYS + 1)
    assert db.write_now(store.forget_names) == 1
    assert db.read_now(projects.find, "alice", "wine") is None


def test_names_are_unique_among_an_owners_living_projects(db: Database) -> None:
    alice = db.write_now(people.enter, "alice", ROLES)
    bob = db.write_now(people.enter, "bob", ROLES)
    first = db.write_now(_add, alice, "alice", "wine")
    with pytest.raises(Conflict, match="already"):
        db.write_now(_add, alice, "alice", "wine")
    second = db.write_now(_add, bob, "bob", "wine")
    found = [db.read_now(projects.find, name, "wine") for name in ("alice", "bob")]
    assert found == [first, second]

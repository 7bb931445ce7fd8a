"""The one check of a project permission, for every kind of caller, on both databases."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services import people, projects
from services.core.actor import ANONYMOUS, SYSTEM, Actor
from services.core.bus import Bus
from services.core.database import Database, Transaction
from services.core.errors import Forbidden, NotFound
from services.core.ids import new_id
from services.core.rights import GRANTS, Permission, PlatformRole, Principal, ProjectRole
from services.core.settings import Settings
from services.core.work import Context, Work
from services.projects import store

PROJECT_PERMISSIONS = [one for one in Permission if GRANTS[one].project]


@dataclass
class Scene:
    """Two projects of alice's, one internal, with a member of every role in the private one."""

    context: Context
    private: str
    internal: str
    actors: dict[str, Actor]

    def ask(self, actor: Actor, permission: Permission, project_id: str) -> str:
        """Say what `authorize` answers."""
        try:
            self.read(actor, projects.authorize, permission, project_id)
        except NotFound:
            return "hidden"
        except Forbidden:
            return "no"
        return "yes"

    def read(self, actor: Actor, function: Any, *arguments: Any) -> Any:
        """Run a reading function as somebody."""
        bound = Work(self.context, actor)._bound(function)
        return self.context.db.read_now(bound, *arguments)

    def visible(self, actor: Actor, permission: Permission) -> set[str]:
        """Which of the two projects lists show."""
        return self.read(actor, _visible, permission, [self.private, self.internal])


def _visible(tx: Transaction, permission: Permission, both: list[str]) -> set[str]:
    chosen = projects.visible_ids(tx, permission)
    if chosen is None:
        return set(both)
    return {row.id for row in tx.all(chosen)}


def _project(tx: Transaction, owner_id: str, name: str, visibility: str) -> str:
    project_id = new_id()
    row = {"id": project_id, "owner_id": owner_id, "name": name, "description": "",
           "visibility": visibility, "default_branch": "main", "status": "ready",
           "created_at": tx.now, "updated_at": tx.now}  # fmt: skip
    store.add(tx, row)
    store.take_name(tx, project_id, (owner_id, "alice"), name)
    store.set_member(tx, project_id, owner_id, ProjectRole.OWNER)
    return project_id


@pytest.fixture
def scene(db: Database, tmp_path: Any) -> Scene:
    """Make the scene."""
    context = Context(Settings(home=str(tmp_path)), db, Bus())

    def person(name: str, *roles: PlatformRole) -> Actor:
        granted = frozenset(roles or {PlatformRole.PRACTITIONER})
        identity = db.write_now(people.enter, name, granted)
        return Actor(Principal.PERSON, identity, name, person_id=identity, roles=granted)

    actors = {name: person(name) for name in ("alice", "stranger")}
    actors |= {role.value: person(f"m-{role.value}") for role in ProjectRole}
    actors |= {f"p-{role.value}": person(f"p-{role.value}", role) for role in PlatformRole}
    alice = actors["alice"].id
    private = db.write_now(_project, alice, "private", "private")
    internal = db.write_now(_project, alice, "internal", "internal")
    for role in ProjectRole:
        db.write_now(store.set_member, private, actors[role.value].id, role)
    return Scene(context, private, internal, actors)


def test_every_role_has_what_the_matrix_says(scene: Scene) -> None:
    for permission in PROJECT_PERMISSIONS:
        _has_what_the_matrix_says(scene, permission)


def _has_what_the_matrix_says(scene: Scene, permission: Permission) -> None:
    grant = GRANTS[permission]
    for role in ProjectRole:
        wanted = "yes" if role in grant.project else "no"
        assert scene.ask(scene.actors[role.value], permission, scene.private) == wanted
    for role in PlatformRole:
        seen = role in GRANTS[Permission.PROJECT_READ].platform
        wanted = "yes" if role in grant.platform else "no" if seen else "hidden"
        assert scene.ask(scene.actors[f"p-{role.value}"], permission, scene.private) == wanted
    stranger = scene.actors["stranger"]
    assert scene.ask(stranger, permission, scene.private) == "hidden"
    wanted = "yes" if grant.internal else "no"
    assert scene.ask(stranger, permission, scene.internal) == wanted
    assert scene.ask(scene.actors["alice"], permission, new_id()) == "hidden"
    assert scene.ask(SYSTEM, permission, scene.private) == "yes"
    assert scene.ask(ANONYMOUS, permission, scene.internal) == "hidden"


def test_lists_show_exactly_what_authorize_allows(scene: Scene) -> None:
    callers = [*scene.actors.values(), ANONYMOUS]
    callers += [replace(one, project_id=scene.private) for one in scene.actors.values()]
    callers += [replace(one, rights=frozenset({Permission.JOB_READ})) for one in callers]
    for permission, actor in itertools.product(PROJECT_PERMISSIONS, callers):
        allowed = {
            project_id
            for project_id in (scene.private, scene.internal)
            if scene.ask(actor, permission, project_id) == "yes"
        }
        assert scene.visible(actor, permission) == allowed, actor


def test_a_run_has_what_its_person_has_now_and_no_more(scene: Scene) -> None:
    contributor = scene.actors["contributor"]
    run = Actor(
        Principal.RUN,
        new_id(),
        "run",
        person_id=contributor.id,
        rights=frozenset({Permission.FILES_READ, Permission.PROJECT_READ, Permission.JOB_START}),
        project_id=scene.private,
    )
    assert scene.ask(run, Permission.FILES_READ, scene.private) == "yes"
    assert scene.ask(run, Permission.FILES_WRITE, scene.private) == "no"
    assert scene.ask(run, Permission.MEMBERS_MANAGE, scene.private) == "no"
    assert scene.ask(run, Permission.FILES_READ, scene.internal) == "hidden"
    everything = replace(run, rights=None)
    assert scene.ask(everything, Permission.PROJECT_DELETE, scene.private) == "no"
    db = scene.context.db
    db.write_now(store.set_member, scene.private, contributor.id, ProjectRole.CONSUMER)
    assert scene.ask(run, Permission.FILES_READ, scene.private) == "no"
    db.write_now(store.remove_member, scene.private, contributor.id)
    assert scene.ask(run, Permission.FILES_READ, scene.private) == "hidden"


def test_a_row_says_what_others_need(scene: Scene) -> None:
    row = scene.read(
        scene.actors["consumer"], projects.authorize, Permission.PROJECT_READ, scene.private
    )
    assert row.full_name == "alice/private"
    assert row.repository == "/services/smalti/git/alice/private.git"
    assert row.role is ProjectRole.CONSUMER
    db = scene.context.db
    assert db.read_now(projects.find, "alice", "private") == scene.private
    assert db.read_now(projects.find, "alice", "none") is None
    named = db.read_now(projects.names, [scene.private, scene.internal])
    assert named == {scene.private: "alice/private", scene.internal: "alice/internal"}


def test_authorize_is_one_query(scene: Scene) -> None:
    db = scene.context.db
    before = db.statements
    scene.ask(scene.actors["alice"], Permission.JOB_START, scene.private)
    begins = 1 if db.is_sqlite else 0
    assert db.statements - before - begins == 1

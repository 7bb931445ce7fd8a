"""The one check of a project permission, and what a caller may see.

Every action of every noun that touches a project asks `authorize` inside its transaction, so
the answer is as fresh as the data: a member removed a moment ago is out, and so are the runs
that act for them. Names are never asked here, only ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, Row, Select, bindparam, or_, select

from services import people
from services.core.actor import Actor
from services.core.database import Transaction
from services.core.errors import Forbidden, NotFound
from services.core.rights import GRANTS, Permission, Principal, ProjectRole
from services.core.routing import PREFIX
from services.core.work import actor_of
from services.projects import rules
from services.projects.rules import Status, Visibility
from services.projects.tables import members, projects

GIT = f"{PREFIX}/git"


@dataclass(frozen=True)
class ProjectRow:
    """A project as it is now, and what the caller is in it."""

    id: str
    owner_id: str
    owner_name: str
    name: str
    description: str
    visibility: Visibility
    default_environment_id: str | None
    default_tier: str | None
    default_branch: str
    status: Status
    status_reason: str | None
    created_at: datetime
    updated_at: datetime
    role: ProjectRole | None

    @property
    def full_name(self) -> str:
        """Owner and name, as people write it."""
        return f"{self.owner_name}/{self.name}"

    @property
    def repository(self) -> str:
        """Path of the repository under the platform's origin."""
        return f"{GIT}/{quote(self.owner_name, safe='')}/{self.name}.git"


def authorize(tx: Transaction, permission: Permission, project_id: str) -> ProjectRow:
    """Return the project when the caller has a permission in it.

    Raises NotFound when the caller may not know of it, Forbidden when they may and this is
    not theirs to do.
    """
    actor = actor_of(tx)
    row = tx.first(_ONE, {"project": project_id, "person": actor.person_id})
    if row is None or not _sees(actor, row):
        raise NotFound("this project does not exist")
    if not _may(actor, permission, row):
        raise Forbidden("you may not do this in this project", details={"needs": permission.value})
    return rows_of([row])[0]


def allows(tx: Transaction, actor: Actor, permission: Permission, project_id: str) -> bool:
    """Tell whether somebody, who need not be the caller, has a permission in a project."""
    row = tx.first(_ONE, {"project": project_id, "person": actor.person_id})
    return row is not None and _sees(actor, row) and _may(actor, permission, row)


def some_ids(tx: Transaction, visible: Select[tuple[str]] | None, most: int) -> list[str]:
    """Give the newest of the projects that `visible_ids` selects."""
    statement = select(projects.c.id).where(projects.c.deleted_at.is_(None))
    if visible is not None:
        statement = statement.where(projects.c.id.in_(visible))
    return [row.id for row in tx.all(statement.order_by(projects.c.id.desc()).limit(most))]


def with_role(actor: Actor | None) -> Select[Any]:
    """Select living projects, each with its owner's present name and the actor's role in it.

    Without an actor: that of the person whose id is bound as `person` when it is run.
    """
    person: Any = bindparam("person") if actor is None else actor.person_id
    mine = (members.c.project_id == projects.c.id) & (members.c.person_id == person)
    joined = projects.outerjoin(members, mine)
    live = projects.c.deleted_at.is_(None)
    owner = people.name_of(projects.c.owner_id)
    return select(projects, members.c.role, owner).select_from(joined).where(live)


# Asked by nearly every call: put together once, with bound names in place of values.
_ONE = with_role(None).where(projects.c.id == bindparam("project"))


def rows_of(rows: Iterable[Row[Any]]) -> list[ProjectRow]:
    """Make projects out of rows of `with_role`."""
    return [
        ProjectRow(
            id=row.id,
            owner_id=row.owner_id,
            owner_name=row.owner_name or row.owner_id,
            name=row.name,
            description=row.description,
            visibility=Visibility(row.visibility),
            default_environment_id=row.default_environment_id,
            default_tier=row.default_tier,
            default_branch=row.default_branch,
            status=Status(row.status),
            status_reason=row.status_reason,
            created_at=row.created_at,
            updated_at=row.updated_at,
            role=None if row.role is None else ProjectRole(row.role),
        )
        for row in rows
    ]


def visible_ids(
    tx: Transaction, permission: Permission = Permission.PROJECT_READ
) -> Select[tuple[str]] | None:
    """Select the ids of the projects where the caller has a permission; None means all.

    For lists: `statement.where(table.c.project_id.in_(visible))`.
    """
    actor = actor_of(tx)
    grant = GRANTS[permission]
    narrowed = actor.project_id is not None
    statement = select(projects.c.id).where(projects.c.deleted_at.is_(None))
    if narrowed:
        statement = statement.where(projects.c.id == actor.project_id)
    if actor.kind is Principal.SYSTEM:
        return None
    if not actor.may(permission):
        return statement.where(projects.c.id.is_(None))
    if actor.roles & grant.platform:
        return statement if narrowed else None
    mine = select(members.c.project_id).where(
        members.c.person_id == actor.person_id,
        members.c.role.in_(rules.roles_with(permission)),
    )
    seen: ColumnElement[bool] = projects.c.id.in_(mine)
    if grant.internal:
        seen = or_(seen, projects.c.visibility == Visibility.INTERNAL.value)
    return statement.where(seen)


def some(tx: Transaction, visible: Select[tuple[str]] | None, limit: int) -> list[ProjectRow]:
    """Return the first projects, by name, of those that `visible_ids` selected."""
    statement = with_role(actor_of(tx)).order_by(projects.c.name, projects.c.id).limit(limit)
    if visible is not None:
        statement = statement.where(projects.c.id.in_(visible))
    return rows_of(tx.all(statement))


def _sees(actor: Actor, row: Row[Any]) -> bool:
    """Tell whether the caller may know of a project, whatever their credential is good for."""
    if actor.project_id is not None and actor.project_id != row.id:
        return False
    return _has(actor, Permission.PROJECT_READ, row)


def _may(actor: Actor, permission: Permission, row: Row[Any]) -> bool:
    # `Actor.may` says what this kind of caller and this credential could do anywhere.
    return actor.may(permission) and _has(actor, permission, row)


def _has(actor: Actor, permission: Permission, row: Row[Any]) -> bool:
    if actor.kind is Principal.SYSTEM:
        return True
    if actor.person_id is None:
        return False
    role = None if row.role is None else ProjectRole(row.role)
    return rules.may(permission, actor.roles, role, Visibility(row.visibility))

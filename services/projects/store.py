"""SQL of projects, members and names. Decides nothing but who has a pair of names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, update

from services import people
from services.core.database import Transaction
from services.core.errors import Conflict
from services.core.references import Reference
from services.core.rights import ProjectRole
from services.projects import rules
from services.projects.rules import Status
from services.projects.tables import members, project_names, projects


def add(tx: Transaction, row: dict[str, Any]) -> None:
    """Add a project."""
    tx.execute(insert(projects).values(row))


def change(tx: Transaction, project_id: str, **values: Any) -> None:
    """Set columns of a project."""
    tx.execute(update(projects).where(projects.c.id == project_id).values(values))


def touch(tx: Transaction, project_id: str) -> None:
    """Note that a project's repository has changed now."""
    change(tx, project_id, changed_at=tx.now)


def default_branch(tx: Transaction, project_id: str) -> str:
    """Name a project's default branch."""
    query = select(projects.c.default_branch).where(projects.c.id == project_id)
    return str(tx.scalar(query))


def find(tx: Transaction, owner_name: str, name: str) -> str | None:
    """Find the id of the living project that has, or before others had, this owner and name."""
    owner = people.by_name(tx, owner_name)
    if owner is not None:
        mine = (projects.c.owner_id == owner.id) & (projects.c.name == name)
        found = tx.scalar(select(projects.c.id).where(mine & projects.c.deleted_at.is_(None)))
        if found is not None:
            return str(found)
    former = (project_names.c.owner_name == owner_name) & (project_names.c.name == name)
    joined = project_names.join(projects, projects.c.id == project_names.c.project_id)
    living = former & projects.c.deleted_at.is_(None)
    found = tx.scalar(select(projects.c.id).select_from(joined).where(living))
    return None if found is None else str(found)


def names(tx: Transaction, ids: list[str]) -> dict[str, str]:
    """Give `owner/name` of projects by id, deleted ones too."""
    found: list[Row[Any]] = []
    for start in range(0, len(ids), 500):
        part = projects.c.id.in_(ids[start : start + 500])
        found += tx.all(select(projects.c.id, projects.c.owner_id, projects.c.name).where(part))
    owners = people.named(tx, {row.owner_id for row in found})
    return {row.id: f"{owners.get(row.owner_id, row.owner_id)}/{row.name}" for row in found}


def check_name(tx: Transaction, project_id: str, owner: tuple[str, str], name: str) -> None:
    """Refuse a pair of owner (id, name) and project name that a project may not have.

    Raises Conflict when another project of the owner has the name now, or another owner's
    project had the pair less than 90 days ago.
    """
    owner_id, owner_name = owner
    live = (projects.c.owner_id == owner_id) & (projects.c.name == name)
    other = live & projects.c.deleted_at.is_(None) & (projects.c.id != project_id)
    if tx.first(select(projects.c.id).where(other)) is not None:
        raise Conflict(f"{owner_name} has a project named {name!r} already", code="name_taken")
    pair = (project_names.c.owner_name == owner_name) & (project_names.c.name == name)
    row = tx.first(select(project_names).where(pair))
    if row is not None and row.owner_id != owner_id and rules.is_kept(row.retired_at, tx.now):
        message = f"the name {name!r} belonged to somebody else's project not long ago"
        raise Conflict(message, code="name_kept")


def take_name(tx: Transaction, project_id: str, owner: tuple[str, str], name: str) -> None:
    """Give a pair to a project; those it had before lead to it as before. Raises Conflict."""
    check_name(tx, project_id, owner, name)
    owner_id, owner_name = owner
    pair = (project_names.c.owner_name == owner_name) & (project_names.c.name == name)
    retire_names(tx, project_id)
    tx.execute(delete(project_names).where(pair))
    fresh = {"owner_name": owner_name, "name": name, "project_id": project_id,
             "owner_id": owner_id, "since": tx.now}  # fmt: skip
    tx.execute(insert(project_names).values(fresh))


def retire_names(tx: Transaction, project_id: str) -> None:
    """Note that the pairs which a project has now are former ones from here on."""
    current = (project_names.c.project_id == project_id) & project_names.c.retired_at.is_(None)
    tx.execute(update(project_names).where(current).values(retired_at=tx.now))


def forget_names(tx: Transaction) -> int:
    """Set free the pairs that were given up long enough ago; return how many."""
    before = tx.now - timedelta(days=rules.KEPT_DAYS)
    return tx.execute(delete(project_names).where(project_names.c.retired_at < before)).rowcount


def outdated_names(tx: Transaction, most: int) -> list[Row[Any]]:
    """Find living projects whose owner has another name than their pair says."""
    joined = project_names.join(projects, projects.c.id == project_names.c.project_id)
    columns = select(
        projects.c.id, projects.c.owner_id, projects.c.name, project_names.c.owner_name
    )
    live = project_names.c.retired_at.is_(None) & projects.c.deleted_at.is_(None)
    found: list[Row[Any]] = []
    after = ""
    while len(found) < most:
        page = columns.select_from(joined).where(live, projects.c.id > after)
        rows = tx.all(page.order_by(projects.c.id).limit(500))
        if not rows:
            break
        owners = people.named(tx, {row.owner_id for row in rows})
        found += [row for row in rows if owners.get(row.owner_id, row.owner_name) != row.owner_name]
        after = rows[-1].id
    return found[:most]


def members_of(project_id: str) -> Select[Any]:
    """Select a project's members."""
    return select(members).where(members.c.project_id == project_id)


def member(tx: Transaction, project_id: str, person_id: str) -> Row[Any] | None:
    """Load one member."""
    mine = (members.c.project_id == project_id) & (members.c.person_id == person_id)
    return tx.first(select(members).where(mine))


def set_member(tx: Transaction, project_id: str, person_id: str, role: ProjectRole) -> None:
    """Make somebody a member with a role, or change the role."""
    mine = (members.c.project_id == project_id) & (members.c.person_id == person_id)
    changed = tx.execute(update(members).where(mine).values(role=role.value))
    if changed.rowcount == 0:
        row = {"project_id": project_id, "person_id": person_id, "role": role.value}
        tx.execute(insert(members).values(added_at=tx.now, **row))


def remove_member(tx: Transaction, project_id: str, person_id: str) -> None:
    """Take a member out."""
    mine = (members.c.project_id == project_id) & (members.c.person_id == person_id)
    tx.execute(delete(members).where(mine))


def owners(tx: Transaction, project_id: str) -> int:
    """Count the members who are owners."""
    mine = (members.c.project_id == project_id) & (members.c.role == ProjectRole.OWNER.value)
    return int(tx.scalar(select(func.count()).select_from(members).where(mine)))


def matches(text: str) -> ColumnElement[bool]:
    """Say which projects hold a text in their present `owner/name`, in any case."""
    whole = func.lower(project_names.c.owner_name + "/" + project_names.c.name)
    found = select(project_names.c.project_id).where(
        project_names.c.retired_at.is_(None), whole.contains(text.lower(), autoescape=True)
    )
    return projects.c.id.in_(found)


def importing(tx: Transaction, most: int) -> list[Row[Any]]:
    """Find projects that are to be imported, the oldest first."""
    waiting = (projects.c.status == Status.IMPORTING.value) & projects.c.deleted_at.is_(None)
    columns = select(projects.c.id, projects.c.import_url, projects.c.default_branch)
    return list(tx.all(columns.where(waiting).order_by(projects.c.id).limit(most)))


def known(tx: Transaction, ids: list[str]) -> set[str]:
    """Tell which of these projects there are, or were until not long ago."""
    before = tx.now - timedelta(days=rules.KEPT_DAYS)
    kept = projects.c.deleted_at.is_(None) | (projects.c.deleted_at >= before)
    found: set[str] = set()
    for start in range(0, len(ids), 500):
        part = projects.c.id.in_(ids[start : start + 500])
        found |= {row.id for row in tx.all(select(projects.c.id).where(part & kept))}
    return found


def living(tx: Transaction, ids: set[str]) -> set[str]:
    """Tell which of these projects are there and not deleted."""
    found: set[str] = set()
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        part = projects.c.id.in_(wanted[start : start + 500]) & projects.c.deleted_at.is_(None)
        found |= {row.id for row in tx.all(select(projects.c.id).where(part))}
    return found


def untended(tx: Transaction, most: int) -> list[str]:
    """Find projects whose repository has changed since it was last tended."""
    stale = projects.c.tended_at.is_(None) | (projects.c.tended_at < projects.c.changed_at)
    due = projects.c.changed_at.is_not(None) & stale & projects.c.deleted_at.is_(None)
    ids = select(projects.c.id).where(due).order_by(projects.c.changed_at).limit(most)
    return [row.id for row in tx.all(ids)]


def of_person(tx: Transaction, person_id: str) -> list[Reference]:
    """Say which projects use a person: those they own hold them, memberships go along."""
    owned = (projects.c.owner_id == person_id) & projects.c.deleted_at.is_(None)
    found = [
        Reference("project", row.id, row.name, live=True)
        for row in tx.all(select(projects.c.id, projects.c.name).where(owned))
    ]
    joined = members.join(projects, projects.c.id == members.c.project_id)
    mine = (members.c.person_id == person_id) & (projects.c.owner_id != person_id)
    living = mine & projects.c.deleted_at.is_(None)
    rows = tx.all(select(projects.c.id, projects.c.name).select_from(joined).where(living))
    return [*found, *(Reference("membership", row.id, row.name, live=False) for row in rows)]


def follow_owner(tx: Transaction, row: Row[Any]) -> None:
    """Give a project the pair with its owner's new name; the former one leads to it still.

    Nothing happens when another's project has that pair: the project is found by its owner.
    """
    name = people.named(tx, [row.owner_id]).get(row.owner_id)
    if name is None:
        return
    try:
        take_name(tx, row.id, (row.owner_id, name), row.name)
    except Conflict:
        retire_names(tx, row.id)


def tended(tx: Transaction, project_id: str, began: float) -> None:
    """Note that a repository was looked after, as it was at `began` (seconds)."""
    change(tx, project_id, tended_at=datetime.fromtimestamp(began, UTC))

"""SQL of persons, roles and groups. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Label,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from services.core.database import Transaction
from services.core.ids import new_id
from services.core.rights import PlatformRole
from services.people.rules import PersonStatus, RoleSource
from services.people.tables import person_groups, person_roles, persons

MOST_IDS = 500  # in one IN list


@dataclass(frozen=True)
class Person:
    """A person as others may know them."""

    id: str
    name: str
    display_name: str
    status: PersonStatus
    created_at: datetime
    hub_created: datetime | None
    retired_at: datetime | None

    @property
    def may_enter(self) -> bool:
        """Tell whether the person is there and not deactivated."""
        return self.retired_at is None and self.status is PersonStatus.ACTIVE


def person_of(row: Row[Any]) -> Person:
    """Make a person out of a row of `persons`."""
    return Person(
        row.id,
        row.hub_name,
        row.display_name,
        PersonStatus(row.status),
        row.created_at,
        row.hub_created,
        row.retired_at,
    )


def find(tx: Transaction, person_id: str) -> Person:
    """Load a person, retired ones too (history names them). Raises NotFound."""
    return person_of(tx.one(select(persons).where(persons.c.id == person_id), "This person"))


def by_name(tx: Transaction, name: str) -> Person | None:
    """Find the living bearer of a name."""
    where = (persons.c.hub_name == name) & persons.c.retired_at.is_(None)
    row = tx.first(select(persons).where(where))
    return None if row is None else person_of(row)


def name_of(person_id: ColumnElement[str]) -> Label[str]:
    """Select a person's present name beside a column with their id, as `owner_name`."""
    name = select(persons.c.hub_name).where(persons.c.id == person_id).scalar_subquery()
    return name.label("owner_name")


_NAME = select(persons.c.hub_name).where(persons.c.id == bindparam("person"))


def named(tx: Transaction, ids: Iterable[str]) -> dict[str, str]:
    """Give the names of persons by id; ids that nobody has are left out."""
    wanted = sorted(set(ids))
    names: dict[str, str] = {}
    if len(wanted) == 1:  # as nearly always: without an IN, which is expanded at each call
        row = tx.first(_NAME, {"person": wanted[0]})
        return {} if row is None else {wanted[0]: row.hub_name}
    for start in range(0, len(wanted), MOST_IDS):
        part = wanted[start : start + MOST_IDS]
        rows = tx.all(select(persons.c.id, persons.c.hub_name).where(persons.c.id.in_(part)))
        names.update({row.id: row.hub_name for row in rows})
    return names


def retired(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Tell which of these persons have left for good."""
    wanted = sorted(set(ids))
    found: set[str] = set()
    for start in range(0, len(wanted), MOST_IDS):
        part = persons.c.id.in_(wanted[start : start + MOST_IDS])
        gone = select(persons.c.id).where(part & persons.c.retired_at.is_not(None))
        found |= {row.id for row in tx.all(gone)}
    return found


def add(
    tx: Transaction, name: str, created: datetime | None, *, display_name: str | None = None
) -> str:
    """Add a person; the caller has retired whoever had the name before."""
    person_id = new_id()
    row = {
        "id": person_id,
        "hub_name": name,
        "hub_created": created,
        "display_name": display_name or name,
        "status": PersonStatus.ACTIVE.value,
        "created_at": tx.now,
    }
    tx.execute(insert(persons).values(row))
    return person_id


def change(tx: Transaction, person_id: str, **values: Any) -> None:
    """Set columns of a person."""
    tx.execute(update(persons).where(persons.c.id == person_id).values(values))


def roles_of(
    tx: Transaction, ids: Sequence[str], source: RoleSource | None = None
) -> dict[str, frozenset[PlatformRole]]:
    """Give the roles of persons, of one source or of all; everybody asked for is in the answer."""
    columns = select(person_roles.c.person_id, person_roles.c.role)
    # Beyond what fits into a list of parameters, all roles are read: they are few words each.
    statement = (
        columns.where(person_roles.c.person_id.in_(ids)) if len(ids) <= MOST_IDS else columns
    )
    if source is not None:
        statement = statement.where(person_roles.c.source == source.value)
    found: dict[str, set[PlatformRole]] = {person_id: set() for person_id in ids}
    for row in tx.all(statement):
        if row.person_id in found:
            found[row.person_id].add(PlatformRole(row.role))
    return {person_id: frozenset(roles) for person_id, roles in found.items()}


def set_roles(
    tx: Transaction, person_id: str, roles: Iterable[PlatformRole], source: RoleSource
) -> None:
    """Replace a person's roles of one source."""
    mine = (person_roles.c.person_id == person_id) & (person_roles.c.source == source.value)
    tx.execute(delete(person_roles).where(mine))
    rows = [
        {"person_id": person_id, "role": role.value, "source": source.value}
        for role in sorted(roles)
    ]
    if rows:
        tx.execute(insert(person_roles), rows)


def groups_of(tx: Transaction, person_id: str) -> tuple[str, ...]:
    """Give a person's groups, sorted."""
    mine = person_groups.c.person_id == person_id
    rows = tx.all(select(person_groups.c.name).where(mine).order_by(person_groups.c.name))
    return tuple(row.name for row in rows)


def groups_by_person(tx: Transaction) -> dict[str, tuple[str, ...]]:
    """Give everybody's groups, sorted."""
    found: dict[str, list[str]] = {}
    for row in tx.all(select(person_groups).order_by(person_groups.c.name)):
        found.setdefault(row.person_id, []).append(row.name)
    return {person_id: tuple(names) for person_id, names in found.items()}


def set_groups(tx: Transaction, person_id: str, names: Iterable[str]) -> None:
    """Replace a person's groups."""
    tx.execute(delete(person_groups).where(person_groups.c.person_id == person_id))
    rows = [{"person_id": person_id, "name": name} for name in sorted(set(names))]
    if rows:
        tx.execute(insert(person_groups), rows)


def other_admins(tx: Transaction, person_id: str) -> int:
    """Count the active administrators besides this person."""
    live = (persons.c.status == PersonStatus.ACTIVE.value) & persons.c.retired_at.is_(None)
    admin = (person_roles.c.role == PlatformRole.ADMIN.value) & (persons.c.id != person_id)
    joined = persons.join(person_roles, person_roles.c.person_id == persons.c.id)
    count = select(func.count(persons.c.id.distinct())).select_from(joined).where(live & admin)
    return int(tx.scalar(count))


def listing(name: str | None, status: PersonStatus | None) -> Select[Any]:
    """Select living persons, by exact name and by status where given."""
    statement = select(persons).where(persons.c.retired_at.is_(None))
    if name is not None:
        statement = statement.where(persons.c.hub_name == name)
    if status is not None:
        statement = statement.where(persons.c.status == status.value)
    return statement


def living(tx: Transaction) -> list[Person]:
    """Load everybody who came from the hub and is not retired."""
    where = persons.c.retired_at.is_(None) & persons.c.hub_created.is_not(None)
    return [person_of(row) for row in tx.all(select(persons).where(where))]


def first(tx: Transaction) -> str | None:
    """Give the id of the person who has been here longest."""
    living = persons.c.retired_at.is_(None)
    found: str | None = tx.scalar(
        select(persons.c.id).where(living).order_by(persons.c.id).limit(1)
    )
    return found

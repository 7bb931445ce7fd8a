"""SQL of environments and revisions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, insert, select, update

from services.core.database import Transaction
from services.core.ids import new_id
from services.environments.schemas import RevisionStatus
from services.environments.tables import environment_revisions, environments


@cache  # a statement never changes, and this one costs more to put together than to run
def listed() -> Select[Any]:
    """Select environments with status and reason of their newest revision, and with `revision`,
    the number of the newest that is ready.

    One statement whatever their number: the revisions' primary key answers both questions.
    """
    table = environment_revisions
    newest = _newest().scalar_subquery()
    ready = _newest(RevisionStatus.READY).scalar_subquery().label("revision")
    on = (table.c.environment_id == environments.c.id) & (table.c.number == newest)
    columns = (environments, table.c.status, table.c.reason, ready)
    return select(*columns).select_from(environments.join(table, on))


def _newest(status: RevisionStatus | None = None) -> Select[Any]:
    table = environment_revisions.alias()
    statement = select(func.max(table.c.number)).where(table.c.environment_id == environments.c.id)
    statement = statement if status is None else statement.where(table.c.status == status)
    return statement.correlate(environments)


def revisions(environment_id: str) -> Select[Any]:
    """Select the revisions of an environment."""
    return select(environment_revisions).where(
        environment_revisions.c.environment_id == environment_id
    )


def find(tx: Transaction, name: str) -> Row[Any] | None:
    """Find an environment by its name."""
    return tx.first(select(environments).where(environments.c.name == name))


def insert_environment(tx: Transaction, name: str, description: str) -> str:
    """Make a platform-wide environment without revisions. Returns its id."""
    environment_id = new_id()
    row = {
        "id": environment_id,
        "name": name,
        "description": description,
        "visibility": "internal",
        "created_at": tx.now,
    }
    tx.execute(insert(environments).values(row))
    return environment_id


def insert_revision(
    tx: Transaction, environment_id: str, number: int, recipe: dict[str, Any], reason: str
) -> None:
    """Make a revision that is being built."""
    row = {
        "environment_id": environment_id,
        "number": number,
        "status": RevisionStatus.BUILDING,
        "reason": reason,
        "recipe": recipe,
        "created_at": tx.now,
    }
    tx.execute(insert(environment_revisions).values(row))


def update_revision(
    tx: Transaction, environment_id: str, number: int, values: dict[str, Any]
) -> None:
    """Change what may change of a revision: its status, reason, digest and time."""
    table = environment_revisions
    where = (table.c.environment_id == environment_id) & (table.c.number == number)
    tx.execute(update(table).where(where).values(values))


def number_is(number: int) -> ColumnElement[bool]:
    """Condition: the revision of this number."""
    return environment_revisions.c.number == number


_TO_RUN = listed().where(environments.c.id == bindparam("environment"))
_TO_RUN_NAMED = listed().where(environments.c.name == bindparam("environment"))


def to_run(tx: Transaction, environment_id: str | None, name: str) -> Row[Any] | None:
    """Find an environment by its id, or by its name where no id is given."""
    if environment_id is None:
        return tx.first(_TO_RUN_NAMED, {"environment": name})
    return tx.first(_TO_RUN, {"environment": environment_id})


_REVISIONS = select(environment_revisions).where(
    environment_revisions.c.environment_id == bindparam("environment")
)
_REVISION = _REVISIONS.where(environment_revisions.c.number == bindparam("revision_number"))
_NEWEST = _REVISIONS.order_by(environment_revisions.c.number.desc()).limit(1)


def revision(tx: Transaction, environment_id: str, number: int | None) -> Row[Any] | None:
    """Find a revision, the newest one without a number."""
    if number is not None:
        values = {"environment": environment_id, "revision_number": number}
        return tx.first(_REVISION, values)
    return tx.first(_NEWEST, {"environment": environment_id})


_NOT_READY = (
    select(
        environments.c.name,
        environment_revisions.c.number,
        environment_revisions.c.status,
        environment_revisions.c.reason,
    )
    .join(environments, environments.c.id == environment_revisions.c.environment_id)
    .where(environment_revisions.c.status != RevisionStatus.READY)
)


def not_ready(tx: Transaction) -> Sequence[Row[Any]]:
    """List revisions that are not ready, with their environment's name."""
    return tx.all(_NOT_READY)

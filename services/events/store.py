"""SQL of the event stream."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from services import projects
from services.core.database import Transaction
from services.core.rights import Permission, is_project_permission
from services.core.tables import events
from services.events.rules import Event


def bounds(tx: Transaction) -> tuple[int | None, int]:
    """Return the oldest position that is kept (None when there is none) and the newest."""
    oldest = tx.scalar(select(func.min(events.c.position)))
    newest = tx.scalar(select(func.max(events.c.position)))
    return oldest, newest or 0


def after(tx: Transaction, position: int, most: int) -> list[Event]:
    """Return the next events after a position, in order."""
    statement = select(events).where(events.c.position > position)
    rows = tx.all(statement.order_by(events.c.position).limit(most))
    return [Event(**row._mapping) for row in rows]


def visible(
    tx: Transaction, permissions: Collection[Permission]
) -> dict[Permission, frozenset[str] | None]:
    """Say for each permission in which projects the caller has it; None means in all."""
    found: dict[Permission, frozenset[str] | None] = {}
    for permission in permissions:
        if not is_project_permission(permission):
            continue
        statement = projects.visible_ids(tx, permission)
        found[permission] = (
            None if statement is None else frozenset(row[0] for row in tx.all(statement))
        )
    return found


def visible_of(
    tx: Transaction, asked: Collection[tuple[Permission, str]]
) -> set[tuple[Permission, str]]:
    """Say which of these the caller has now: one statement for each permission."""
    found: set[tuple[Permission, str]] = set()
    for permission in {permission for permission, _ in asked}:
        ids = [project_id for one, project_id in asked if one is permission]
        statement = projects.visible_ids(tx, permission)
        if statement is None:
            found |= {(permission, project_id) for project_id in ids}
            continue
        (column,) = statement.selected_columns
        found |= {(permission, row[0]) for row in tx.all(statement.where(column.in_(ids)))}
    return found

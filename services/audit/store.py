"""SQL of the audit trail's views. Writing is `core.audit`'s alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from services.audit.schemas import AuditFilter
from services.core.database import Transaction
from services.core.tables import audit_events

EQUAL = ("person_id", "action", "target_id", "project_id")


def filtered(wanted: AuditFilter) -> Select[Any]:
    """Select the rows that are asked for."""
    return select(audit_events).where(*_conditions(wanted))


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        audit_events.c[name] == getattr(wanted, name)
        for name in EQUAL
        if getattr(wanted, name) is not None
    ]
    if wanted.since is not None:
        found.append(audit_events.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit_events.c.at < wanted.until)
    return found


def newest(tx: Transaction) -> int:
    """Return the newest position, 0 without rows."""
    return tx.scalar(select(func.max(audit_events.c.position))) or 0


def between(
    tx: Transaction, statement: Select[Any], after: int, last: int, most: int
) -> Sequence[Row[Any]]:
    """Return the next rows after a position, up to and with the last one, oldest first."""
    position = audit_events.c.position
    piece = statement.where(position > after, position <= last)
    return tx.all(piece.order_by(position).limit(most))


def was_taken(tx: Transaction, target_id: str, mark: str) -> bool:
    """Tell whether there is a row about this target with this request id."""
    where = (audit_events.c.target_id == target_id) & (audit_events.c.request_id == mark)
    return tx.first(select(audit_events.c.position).where(where).limit(1)) is not None

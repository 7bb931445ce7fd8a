"""Clean-ups of the tables that belong to no noun, and the way to clean any table in pieces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import ColumnElement, Table, delete, func, select, tuple_

from services.core.database import Transaction
from services.core.idempotency import KEEP_SECONDS
from services.core.tables import events, idempotency_keys, web_logins, web_sessions
from services.core.work import Work, settings_of
from services.storage.retention import Retention

AT_ONCE = 1000  # rows deleted in one transaction
LOGIN_SECONDS = 600

Condition = Callable[[Transaction], ColumnElement[bool]]


def cleaner(table: Table, condition: Condition) -> Callable[[Work], Awaitable[int]]:
    """Make a clean-up that deletes the rows of a table for which a condition holds."""

    async def clean(work: Work) -> int:
        count = 0
        while found := await work.write(_delete_some, table, condition):
            count += found
            if found < AT_ONCE:
                break
        return count

    return clean


def _delete_some(tx: Transaction, table: Table, condition: Condition) -> int:
    key = list(table.primary_key)
    some = select(*key).where(condition(tx)).limit(AT_ONCE)
    return tx.execute(delete(table).where(tuple_(*key).in_(some))).rowcount


def register(retention: Retention) -> None:
    """Register the clean-ups of events, idempotency keys, web logins and web sessions."""
    retention.register("events", cleaner(events, _old_events))
    retention.register("idempotency keys", cleaner(idempotency_keys, _old_keys))
    retention.register("web logins", cleaner(web_logins, _old_logins))
    retention.register("web sessions", cleaner(web_sessions, _ended_sessions))


def _old_events(tx: Transaction) -> ColumnElement[bool]:
    # The newest one stays whatever its age: it holds the count of positions, which SQLite
    # would begin anew on an empty table, and listeners would wait for numbers long gone.
    newest = select(func.max(events.c.position)).scalar_subquery()
    bound = tx.now - timedelta(days=settings_of(tx).keep_events_days)
    return (events.c.at < bound) & (events.c.position < newest)


def _old_keys(tx: Transaction) -> ColumnElement[bool]:
    return idempotency_keys.c.created_at < tx.now - timedelta(seconds=KEEP_SECONDS)


def _old_logins(tx: Transaction) -> ColumnElement[bool]:
    return web_logins.c.created_at < tx.now - timedelta(seconds=LOGIN_SECONDS)


def _ended_sessions(tx: Transaction) -> ColumnElement[bool]:
    return web_sessions.c.expires_at < tx.now

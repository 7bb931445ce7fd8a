"""Verbs of the audit trail: list, export, verify. Who may is decided by the routes' permission."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, select

from services.audit import forms, store
from services.audit.schemas import (
    ActorView,
    AuditEventView,
    AuditExport,
    AuditQuery,
    TargetView,
    VerificationView,
)
from services.core.audit import GENESIS, chain_hash
from services.core.database import Transaction
from services.core.paging import Page, paginate
from services.core.tables import audit_events
from services.core.work import Work

PIECE = 1000  # rows read, and hashed, at once


async def list_events(work: Work, query: AuditQuery) -> Page[AuditEventView]:
    """List rows, the newest first."""
    return await work.read(_list_events, query)


def _list_events(tx: Transaction, query: AuditQuery) -> Page[AuditEventView]:
    keys = [audit_events.c.position]
    only_time = all(getattr(query, name) is None for name in store.EQUAL)
    if only_time and (query.since is not None or query.until is not None):
        # By time alone: in the order of its index, or the database would sort all it found.
        keys = [audit_events.c.at, audit_events.c.position]
    return paginate(tx, store.filtered(query), keys, query, _view)


async def export(work: Work, wanted: AuditExport) -> AsyncIterator[bytes]:
    """Yield rows in the wanted form, oldest first, up to the newest at the beginning."""
    last = await work.read(store.newest)
    statement = store.filtered(wanted)
    form = forms.FORMS[wanted.format]
    yield form.head
    after = 0
    while rows := await work.read(store.between, statement, after, last, PIECE):
        after = rows[-1].position
        yield "".join(form.line(_view(row)) for row in rows).encode()


async def verify(work: Work) -> VerificationView:
    """Walk the chain up to the newest row of now; in pieces, in a reader's thread."""
    last = await work.read(store.newest)
    after, checked, expected = 0, 0, GENESIS
    while after < last:
        count, position, expected, wrong = await work.read(_verify_piece, after, last, expected)
        checked += count
        if wrong is not None:
            return VerificationView(ok=False, checked=checked, wrong_position=wrong, head=expected)
        if position == after:
            break
        after = position
    return VerificationView(ok=True, checked=checked, wrong_position=None, head=expected)


def _verify_piece(
    tx: Transaction, after: int, last: int, expected: str
) -> tuple[int, int, str, int | None]:
    """Return how many rows are right, the last one's position and hash, and the first wrong."""
    rows = store.between(tx, select(audit_events), after, last, PIECE)
    for count, row in enumerate(rows):
        values = dict(row._mapping)
        if values["previous_hash"] != expected or chain_hash(values) != values["hash"]:
            return count, after, expected, row.position
        after, expected = row.position, values["hash"]
    return len(rows), after, expected, None


def _view(row: Row[Any]) -> AuditEventView:
    values = dict(row._mapping)
    actor = {name: values[f"actor_{name}"] for name in ("kind", "id", "name")}
    return AuditEventView(
        **values,
        actor=ActorView(**actor, person_id=values["person_id"]),
        target=TargetView(kind=values["target_kind"], id=values["target_id"]),
    )

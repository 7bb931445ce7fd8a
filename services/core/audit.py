"""The audit trail: who did what to what, when, from where, and what it was before and after.

Every action that changes something calls `record` in its own transaction, so nothing happens
unrecorded and nothing is recorded that did not happen. Each row carries the hash of the row
before it: a row that is changed or taken away later breaks the chain (`verify`).
Must never be given a secret: `before` and `after` are what the actor may see.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, text

from services.core.database import Transaction
from services.core.ids import new_id
from services.core.tables import audit_events
from services.core.work import Work

GENESIS = "0" * 64
_CHAIN_LOCK = zlib.crc32(b"smalti.audit")


def record(
    tx: Transaction,
    action: str,
    target_kind: str,
    target_id: str,
    *,
    project_id: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one row of the trail, in the transaction that does the thing."""
    work = Work.of(tx)
    row: dict[str, Any] = {
        "id": new_id(),
        "at": tx.now,
        "actor_kind": work.actor.kind.value,
        "actor_id": work.actor.id,
        "actor_name": work.actor.name[:255],
        "person_id": work.actor.person_id,
        "action": action,
        "target_kind": target_kind,
        "target_id": target_id[:64],
        "project_id": project_id,
        "address": work.origin.address[:64],
        "request_id": work.origin.request_id[:64],
        "before": dict(before) if before is not None else None,
        "after": dict(after) if after is not None else None,
    }
    row["previous_hash"] = _last_hash(tx)
    row["hash"] = chain_hash(row)
    tx.execute(insert(audit_events), row)


_NEWEST = select(audit_events.c.hash).order_by(audit_events.c.position.desc()).limit(1)


def _last_hash(tx: Transaction) -> str:
    if tx.dialect == "postgresql":
        # The chain is one line: writers take turns, from here to their commit.
        tx.execute(text(f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK})"))
    return tx.scalar(_NEWEST) or GENESIS


def chain_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over a row's content and its predecessor's hash."""
    content = {key: row[key] for key in sorted(row) if key not in ("hash", "position")}
    at: datetime = content["at"]
    content["at"] = at.isoformat()
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def verify(tx: Transaction) -> int | None:
    """Walk the whole chain. Returns the position of the first row that is wrong, or None."""
    expected = GENESIS
    rows = tx.execute(select(audit_events).order_by(audit_events.c.position))
    for row in rows:
        values = _values(row)
        if values["previous_hash"] != expected or chain_hash(values) != values["hash"]:
            return int(values["position"])
        expected = values["hash"]
    return None


def _values(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)

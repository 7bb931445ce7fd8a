"""The same POST twice is done once: answers kept by the caller's Idempotency-Key.

The key's row is written in the transaction of the action itself (see `Work.write`), so a
crash cannot leave the deed without its key. A repeated call gets the stored answer; the same
key with another request is refused. Rows are cleaned after a day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel
from sqlalchemy import insert, select

from services.core.database import Transaction
from services.core.errors import BadRequest, Unprocessable
from services.core.tables import idempotency_keys

P = ParamSpec("P")
T = TypeVar("T")

MAX_KEY = 200
KEEP_SECONDS = 24 * 3600


class Replay(Exception):
    """Carries the answer that was given to the same call before."""

    def __init__(self, answer: str) -> None:
        super().__init__("this call was answered before")
        self.answer = answer


class Once:
    """One call's key. `spent` once a transaction of the call has taken it."""

    def __init__(self, actor_id: str, key: str, fingerprint: str) -> None:
        if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
            raise BadRequest(f"Idempotency-Key: 1 to {MAX_KEY} printable characters")
        self.actor_id, self.key, self.fingerprint = actor_id, key, fingerprint
        self.spent = False

    def guarding(
        self, function: Callable[Concatenate[Transaction, P], T]
    ) -> Callable[Concatenate[Transaction, P], T]:
        """Wrap a transaction so that it runs under this key, or raises `Replay`."""
        self.spent = True

        def run(tx: Transaction, /, *args: P.args, **kwargs: P.kwargs) -> T:
            self.look(tx)
            result = function(tx, *args, **kwargs)
            tx.execute(insert(idempotency_keys), self._row(tx, result))
            return result

        return run

    def look(self, tx: Transaction) -> None:
        """Raise `Replay` when this call was answered before.

        Raises Unprocessable when the key was used for another request.
        """
        table = idempotency_keys
        where = (table.c.actor_id == self.actor_id) & (table.c.key == self.key)
        row = tx.first(select(table.c.fingerprint, table.c.answer).where(where))
        if row is None:
            return
        if row.fingerprint != self.fingerprint:
            raise Unprocessable(
                "this Idempotency-Key was used for another request", code="idempotency_key_reused"
            )
        raise Replay(row.answer)

    def _row(self, tx: Transaction, result: Any) -> dict[str, Any]:
        answer = result.model_dump_json() if isinstance(result, BaseModel) else json.dumps(result)
        return {
            "actor_id": self.actor_id,
            "key": self.key,
            "fingerprint": self.fingerprint,
            "answer": answer,
            "created_at": tx.now,
        }


def fingerprint(method: str, path: str, body: bytes) -> str:
    """Name a request by its content."""
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).hexdigest()

"""What secrets bring to a platform process: clean-ups, of old uses and of owners who are gone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement

from services.core.database import Transaction
from services.core.work import Context
from services.secrets import leftovers
from services.secrets.tables import secret_uses
from services.storage import Retention, cleaner

USES_KEPT = timedelta(days=90)


def provide(context: Context) -> None:
    """Let the retention know what is old, and what belongs to nobody any more."""
    context.get(Retention).register("secret uses", cleaner(secret_uses, _old))
    context.get(Retention).register("secrets of who is gone", leftovers.clean_up)


def _old(tx: Transaction) -> ColumnElement[bool]:
    return secret_uses.c.used_at < tx.now - USES_KEPT

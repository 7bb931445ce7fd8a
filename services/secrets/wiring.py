"""What secrets bring to a platform process: the clean-up of who used them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement

from services.core.database import Transaction
from services.core.work import Context
from services.secrets.tables import secret_uses
from services.storage import Retention, cleaner

USES_KEPT = timedelta(days=90)


def provide(context: Context) -> None:
    """Let the retention know what is old."""
    context.get(Retention).register("secret uses", cleaner(secret_uses, _old))


def _old(tx: Transaction) -> ColumnElement[bool]:
    return secret_uses.c.used_at < tx.now - USES_KEPT

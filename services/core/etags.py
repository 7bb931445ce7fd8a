"""ETags of views, and If-Match: an update built on an old state is refused, never merged."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel

from services.core.database import Transaction
from services.core.errors import PreconditionFailed
from services.core.work import Work


def of(view: BaseModel) -> str:
    """Name a view by its content."""
    return f'"{hashlib.sha256(view.model_dump_json().encode()).hexdigest()[:32]}"'


def check(tx: Transaction, current: BaseModel) -> None:
    """Refuse the update when the caller's If-Match names another state than this one.

    Called inside the updating transaction, with the view as it is before the change.
    Raises PreconditionFailed.
    """
    wanted = Work.of(tx).if_match
    if wanted is None or wanted.strip() == "*":
        return
    if of(current) not in [tag.strip().removeprefix("W/") for tag in wanted.split(",")]:
        raise PreconditionFailed("It was changed meanwhile: read it again, then change it.")

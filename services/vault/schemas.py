"""Bodies and views of the vault: which key wraps, and how a rotation goes. Never a value."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from services.core.shapes import RequestModel


class RotationCreate(RequestModel):
    """What to change: the master key, or the data key of every value."""

    what: Literal["master", "data"] = "master"


class RotationView(BaseModel):
    """A rotation: how many of the sealed values it has been over, and what it waits for."""

    id: str
    what: Literal["master", "data"]
    phase: Literal["renew", "seal", "retire", "done"]
    total: int
    done: int
    reason: str | None
    started_at: datetime
    finished_at: datetime | None


class VaultView(BaseModel):
    """The vault: who keeps its master key, that key's name, and how many values are sealed."""

    provider: str
    master_keys: list[str]
    sealed: int
    rotation: RotationView | None

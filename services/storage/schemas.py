"""Shapes of what storage answers."""

from __future__ import annotations

from pydantic import BaseModel


class StoredView(BaseModel):
    """What was kept of an upload."""

    size: int
    sha256: str

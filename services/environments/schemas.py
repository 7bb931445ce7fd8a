"""Shapes of environments in requests and answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, Field

from services.core.paging import PageQuery


class RevisionStatus(StrEnum):
    """Where a revision is on its way to being used."""

    QUEUED = "Queued"
    BUILDING = "Building"
    READY = "Ready"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class EnvironmentsQuery(PageQuery):
    """Which environments to list."""

    name: str | None = Field(None, max_length=64, description="Only the one of this name.")


class EnvironmentView(BaseModel):
    """An environment: what runs find installed."""

    id: str
    name: str
    description: str
    visibility: Literal["private", "internal"]
    revision: int | None = Field(description="Number of the newest revision that is ready.")
    status: RevisionStatus = Field(description="Status of the newest revision.")
    reason: str | None = Field(description="Why the newest revision is not ready.")
    created_at: datetime


class RevisionView(BaseModel):
    """One revision of an environment; its recipe never changes."""

    number: int
    status: RevisionStatus
    reason: str | None
    recipe: dict[str, Any]
    digest: str | None = Field(description="SHA-256 of what it is made of, once it is ready.")
    created_at: datetime
    ready_at: datetime | None

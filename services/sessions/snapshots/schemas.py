"""Bodies and views of snapshots."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.core.shapes import RequestModel


class SnapshotView(BaseModel):
    """A workspace's files as they were at a moment."""

    number: int
    workspace_id: str
    project_id: str
    commit: str
    parent: str | None = Field(description="The commit that was checked out.")
    changed: bool = Field(description="Whether files differ from that commit's.")
    taken_at: datetime
    files: int
    size: int = Field(description="Bytes.")
    unsafe: list[str] = Field(description="What is not in it, each with why.")


class RestoreCreate(RequestModel):
    """Which snapshot's files a stopped workspace has when it is next started."""

    number: int = Field(ge=1, lt=1 << 31)


class RestoreView(BaseModel):
    """What a workspace will have when it is next started."""

    workspace_id: str
    number: int
    commit: str


class SnapshotBranchCreate(RequestModel):
    """Open a snapshot beside: a branch of the project with the snapshot as its newest commit."""

    name: str = Field(min_length=1, max_length=250)


class SnapshotBranchView(BaseModel):
    """The branch that was made of a snapshot."""

    name: str
    commit: str


class WishQuery(BaseModel):
    """Cursor and patience of an agent that asks whose snapshot is waited for."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, lt=1 << 62)
    wait: float = Field(0.0, ge=0.0, le=60.0, allow_inf_nan=False)

"""Snapshots of workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Snapshot:
    """A workspace's files as they were at a moment; `unsafe` names those that are not in it."""

    number: int
    workspace_id: str = ""
    project_id: str = ""
    commit: str = ""
    parent: str | None = None
    changed: bool = False
    taken_at: datetime | None = None
    files: int = 0
    size: int = 0
    unsafe: tuple[str, ...] = ()


@dataclass(frozen=True)
class Restore:
    """What a workspace will have when it is next started."""

    workspace_id: str
    number: int = 0
    commit: str = ""


@dataclass(frozen=True)
class SnapshotBranch:
    """A branch that was made of a snapshot."""

    name: str
    commit: str = ""

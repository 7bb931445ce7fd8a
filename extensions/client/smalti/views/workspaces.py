"""Workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smalti.views.people import NOBODY, Reference


@dataclass(frozen=True)
class WorkspaceView:
    """A workspace as it was when the platform was asked; `url` while it can be opened."""

    id: str
    name: str = ""
    title: str = ""
    project_id: str = ""
    project: str = ""
    owner: Reference = NOBODY
    tool: str = ""
    environment_id: str | None = None
    revision: int | None = None
    tier: str | None = None
    branch: str = ""
    status: str = ""
    reason: str | None = None
    target: str = ""
    url: str | None = None
    workload_id: str | None = None
    starts: int = 0
    started_at: datetime | None = None
    last_activity_at: datetime | None = None
    busy: str | None = None
    ends_at: datetime | None = None
    keep_until: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    gone_at: datetime | None = None

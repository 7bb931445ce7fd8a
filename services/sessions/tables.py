"""The table of workspaces. A workspace's id is the id of its volume; each start is a workload."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, text

from services.core.columns import UtcDateTime
from services.core.database import metadata

_LIVING = text("deleted_at IS NULL")
_DUE = text("hub_due IS NOT NULL")

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("person_id", String(36), nullable=False),
    Column("project_id", String(36), nullable=False),
    Column("name", String(30), nullable=False),  # of the hub's named server too
    Column("title", String(100), nullable=False),
    Column("tool", String(31), nullable=False),
    Column("environment_id", String(36), nullable=False),
    Column("revision", Integer),  # none: the newest that is ready
    Column("tier", String(63)),  # none: the project's or the default one
    Column("branch", String(250), nullable=False),
    Column("commit", String(40)),  # that it was last started at
    Column("plane_id", String(36)),  # where its files are, once it has been started
    Column("status", String(16), nullable=False),
    Column("reason", Text),
    Column("target", String(16), nullable=False),
    Column("workload_id", String(36), index=True),  # of its last start
    Column("start_key", String(64)),  # names the hub's start that the workload was made for
    Column("ticket", String(36)),  # names the wish that the hub is asked to fulfil
    Column("url", Text),
    Column("starts", Integer, nullable=False),
    Column("started_at", UtcDateTime),
    Column("start_seconds", Float),  # that its last start took until the tool answered
    Column("hub_due", UtcDateTime),  # when the hub is to be told next; none: it knows
    Column("hub_tries", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("purged_at", UtcDateTime),  # from here on its files may go
    Index(
        "uq_workspaces_living_name",
        "person_id",
        "name",
        unique=True,
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    ),
    Index("ix_workspaces_person", "person_id", "id"),
    Index("ix_workspaces_project", "project_id", "id"),
    Index("ix_workspaces_status", "status", "id"),
    Index("ix_workspaces_target", "target", "id"),
    Index("ix_workspaces_plane", "plane_id", "id"),
    Index("ix_workspaces_deleted", "deleted_at", "id"),
    Index("ix_workspaces_hub_due", "hub_due", sqlite_where=_DUE, postgresql_where=_DUE),
)

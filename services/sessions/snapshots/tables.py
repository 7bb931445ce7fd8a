"""Tables of snapshots. A workspace's id is the id of its volume."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from services.core.columns import Json, UtcDateTime
from services.core.database import metadata
from services.core.tables import Counter

snapshots = Table(
    "snapshots",
    metadata,
    Column("workspace_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("project_id", String(36), nullable=False),
    Column("person_id", String(36), nullable=False),
    Column("workload_id", String(36), nullable=False),
    Column("commit", String(40), nullable=False),
    Column("parent", String(40)),  # the person's own commit that was checked out
    Column("changed", Integer, nullable=False),  # whether files differ from that commit's
    Column("taken_at", UtcDateTime, nullable=False),
    Column("files", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("unsafe", Json, nullable=False),
    Index("ix_snapshots_taken", "taken_at"),
    Index("ix_snapshots_project", "project_id"),
)

# Somebody waits for a session's snapshot as it is from now on; gone once it has been taken.
snapshot_wishes = Table(
    "snapshot_wishes",
    metadata,
    Column("position", Counter, primary_key=True, autoincrement=True),
    Column("plane_id", String(36), nullable=False),
    Column("workload_id", String(36), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_snapshot_wishes_plane", "plane_id", "position"),
    Index("ix_snapshot_wishes_workload", "workload_id", "position"),
    sqlite_autoincrement=True,
)

# What a workspace is to have when it is next started.
snapshot_restores = Table(
    "snapshot_restores",
    metadata,
    Column("workspace_id", String(36), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("commit", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

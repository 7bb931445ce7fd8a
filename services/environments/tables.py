"""Tables of environments and their revisions."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, String, Table, Text

from services.core.columns import Json, UtcDateTime
from services.core.database import metadata

environments = Table(
    "environments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("visibility IN ('private', 'internal')", name="visibility"),
)

environment_revisions = Table(
    "environment_revisions",
    metadata,
    Column("environment_id", String(36), ForeignKey("environments.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text),
    Column("recipe", Json, nullable=False),
    Column("digest", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ready_at", UtcDateTime),
    CheckConstraint(
        "status IN ('Queued', 'Building', 'Ready', 'Failed', 'Cancelled')", name="status"
    ),
)

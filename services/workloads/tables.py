"""Tables of the engine: workloads, the outbox to agents, logs, outputs, samples."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from services.core.columns import Json, UtcDateTime
from services.core.database import metadata
from services.core.tables import Counter

_OPEN = text("finished_at IS NULL")

workloads = Table(
    "workloads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("project_id", String(36), nullable=False),
    Column("person_id", String(36), nullable=False),
    Column("plane_id", String(36), ForeignKey("planes.id"), nullable=False),
    Column("tier_id", String(36), nullable=False),
    Column("tier", String(63), nullable=False),
    Column("cpu", Float, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("gpu", Integer, nullable=False),
    Column("price_per_hour", Float, nullable=False),
    Column("status", String(16), nullable=False),
    Column("target", String(16), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("mishaps", Integer, nullable=False),  # attempts that ended by our fault
    Column("reason", Text),
    Column("order", Json, nullable=False),
    Column("rights", Json),  # of its token, where who started it had less than a run has
    Column("timeout", Float, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime),
    Column("admitted_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("exit_code", Integer),
    Column("last_lines", Text),
    Column("isolation", String(16)),
    Column("cpu_seconds", Float),
    Column("memory_peak", BigInteger),
    Column("stop_reason", Text),  # why it was asked to stop, where that is not its person's wish
    # Of sessions: where the tool answers, what happens there, and when it is ended for that.
    Column("address", String(512)),
    Column("activity_at", UtcDateTime),  # the last time that anything happened
    Column("activity_told_at", UtcDateTime),  # when the agent last told of it
    Column("busy", String(300)),
    Column("connections", Integer),
    Column("idle_seconds", Float),  # without activity it is ended after these; 0: never
    Column("keep_until", UtcDateTime),
    Column("warned_of", UtcDateTime),  # the end that its person has been warned of
    Column("kept", String(32), nullable=False),  # what retention has not taken yet
    # The queue and the accounts look only at what is not finished, however long history is.
    Index(
        "ix_workloads_open", "plane_id", "status", "id", sqlite_where=_OPEN, postgresql_where=_OPEN
    ),
    Index(
        "ix_workloads_open_person",
        "person_id",
        "status",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index("ix_workloads_kind", "kind", "id"),
    Index("ix_workloads_project", "project_id", "kind", "id"),
    Index("ix_workloads_project_status", "project_id", "kind", "status", "id"),
    Index("ix_workloads_status", "kind", "status", "id"),
    Index("ix_workloads_person", "person_id", "kind", "id"),
    Index("ix_workloads_finished", "kept", "finished_at"),
)

outbox = Table(
    "outbox",
    metadata,
    # AUTOINCREMENT proper: a position is never used again, or an agent's cursor would skip it.
    Column("position", Counter, primary_key=True, autoincrement=True),
    Column("plane_id", String(36), nullable=False),
    Column("workload_id", String(36), nullable=False, unique=True),
    Index("ix_outbox_plane", "plane_id", "position"),
    sqlite_autoincrement=True,
)

log_pieces = Table(
    "log_pieces",
    metadata,
    Column("workload_id", String(36), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("size", Integer, nullable=False),
)

outputs = Table(
    "outputs",
    metadata,
    Column("workload_id", String(36), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("path", String(1024), primary_key=True),
    Column("object_key", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

samples = Table(
    "samples",
    metadata,
    Column("workload_id", String(36), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("first_at", UtcDateTime, primary_key=True),
    Column("points", Json, nullable=False),
)

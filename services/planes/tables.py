"""Tables of data planes and hardware tiers."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
)

from services.core.columns import Json, UtcDateTime
from services.core.database import metadata

planes = Table(
    "planes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(63), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("isolation", String(16), nullable=False),
    Column("cpu", Float, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("gpu", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("instance", String(64), nullable=False),
    Column("last_seen_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
)

hardware_tiers = Table(
    "hardware_tiers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(63), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("plane_id", String(36), ForeignKey("planes.id"), nullable=False, index=True),
    Column("cpu", Float, nullable=False),
    Column("memory", BigInteger, nullable=False),
    Column("gpu", Integer, nullable=False),
    Column("price_per_hour", Float, nullable=False),
    Column("max_running", Integer),
    Column("idle_minutes", Integer),  # of sessions; none: as the settings say
    Column("is_default", Boolean, nullable=False),
    # Of planes in a cluster: where runs may be put, and what they get there besides.
    Column("node_selector", Json, nullable=False, server_default="{}"),
    Column("tolerations", Json, nullable=False, server_default="[]"),
    Column("gpu_resource", String(317), nullable=False, server_default="nvidia.com/gpu"),
    Column("shared_memory", BigInteger, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

"""Tables of secrets: what is known of each but its value, and which runs were given it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from services.core.columns import UtcDateTime
from services.core.database import metadata

secrets = Table(
    "secrets",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("scope", String(16), nullable=False),
    Column("owner_id", String(36), nullable=False),  # the person's or the project's id
    Column("name", String(128), nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(36), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", String(36), nullable=False),
    Column("last_used_at", UtcDateTime),
    Index("ix_secrets_owner", "scope", "owner_id", "name", unique=True),
)

secret_uses = Table(
    "secret_uses",
    metadata,
    Column("secret_id", String(36), ForeignKey("secrets.id", ondelete="CASCADE"), primary_key=True),
    Column("workload_id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("person_id", String(36), nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Index("ix_secret_uses_used", "secret_id", "used_at"),
    Index("ix_secret_uses_at", "used_at"),
)

"""Tables of the vault: sealed values, the master keys that are known, rotations."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from services.core.columns import UtcDateTime
from services.core.database import metadata

sealed = Table(
    "sealed",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner_kind", String(16), nullable=False),
    Column("owner_id", String(36), nullable=False),
    Column("name", String(128), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    Column("wrapped_by", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    Column("rotation", String(36), nullable=False),  # the last one that has been over it
    Column("sealed_at", UtcDateTime, nullable=False),
    Index("ix_sealed_owner", "owner_kind", "owner_id", "name", unique=True),
    Index("ix_sealed_wrapped_by", "wrapped_by"),
    Index("ix_sealed_rotation", "rotation", "id"),
)

# A key's check is a known text wrapped by it: whoever has another key is found out by it.
vault_keys = Table(
    "vault_keys",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("check", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
)

vault_rotations = Table(
    "vault_rotations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("what", String(16), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("from_key", String(255), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("reason", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
)

"""Tables of people: persons, their roles and groups, and our own tokens (hashes only)."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, text

from services.core.columns import Json, UtcDateTime
from services.core.database import metadata

LIVE = text("retired_at IS NULL")

persons = Table(
    "persons",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("hub_name", String(255), nullable=False),
    # The hub gives a name again when its bearer is removed; the time of creation tells them apart.
    Column("hub_created", UtcDateTime),
    Column("display_name", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Index("uq_persons_live", "hub_name", unique=True, sqlite_where=LIVE, postgresql_where=LIVE),
)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person_id", ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("source", String(16), primary_key=True),  # hub: follows the hub; platform: given here
    Index("ix_person_roles_role", "role", "person_id"),
)

person_groups = Table(
    "person_groups",
    metadata,
    Column("person_id", ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(255), primary_key=True),
    Index("ix_person_groups_name", "name", "person_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("principal_id", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("person_id", ForeignKey("persons.id", ondelete="CASCADE")),
    Column("project_id", String(36), index=True),
    Column("plane_id", String(36), index=True),
    Column("rights", Json),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, index=True),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Index("ix_tokens_principal", "kind", "principal_id"),
    Index("ix_tokens_person", "person_id", "kind", "id"),
)

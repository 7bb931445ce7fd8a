"""Tables that belong to no noun: audit trail, events, idempotency, web sessions, leases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from services.core.columns import Json, UtcDateTime
from services.core.database import metadata

# SQLite counts rows up only in a column that is exactly INTEGER PRIMARY KEY.
Counter = BigInteger().with_variant(Integer(), "sqlite")

audit_events = Table(
    "audit_events",
    metadata,
    Column("position", Counter, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", String(255), nullable=False),
    Column("person_id", String(36)),
    Column("action", String(64), nullable=False),
    Column("target_kind", String(32), nullable=False),
    Column("target_id", String(64), nullable=False),
    Column("project_id", String(36)),
    Column("address", String(64), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_events_at", "at", "position"),
    Index("ix_audit_events_target", "target_id", "position"),
    Index("ix_audit_events_person", "person_id", "position"),
    Index("ix_audit_events_action", "action", "position"),
    Index("ix_audit_events_project", "project_id", "position"),
)

events = Table(
    "events",
    metadata,
    Column("position", Counter, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("topic", String(32), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("project_id", String(36)),
    Column("person_id", String(36)),
    Column("subject_id", String(64), nullable=False),
    Column("data", Json, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor_id", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", Text),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

web_logins = Table(
    "web_logins",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("verifier", String(128), nullable=False),
    Column("next_path", String(2000), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("session_hash", String(64), primary_key=True),
    Column("sealed_token", Text, nullable=False),
    Column("xsrf", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

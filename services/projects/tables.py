"""Projects, their members, and every owner/name pair they were ever known by."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, text

from services.core.columns import UtcDateTime
from services.core.database import metadata

_LIVE = text("deleted_at IS NULL")

projects = Table(
    "projects",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner_id", String(36), nullable=False),
    Column("name", String(64), nullable=False),
    Column("description", Text, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("default_environment_id", String(36)),
    Column("default_tier", String(64)),
    Column("default_branch", String(250), nullable=False),
    Column("status", String(16), nullable=False),
    Column("status_reason", Text),
    Column("import_url", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime),  # when the repository last changed
    Column("tended_at", UtcDateTime),  # when the repository was last repacked
    Column("deleted_at", UtcDateTime),
    Index(
        "uq_projects_live_name",
        "owner_id",
        "name",
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    ),
    Index("ix_projects_name", "name", "id"),
    Index("ix_projects_visibility", "visibility", "id"),
    Index("ix_projects_status", "status", "id"),
    Index("ix_projects_deleted", "deleted_at"),
)

members = Table(
    "project_members",
    metadata,
    Column("project_id", String(36), ForeignKey("projects.id"), primary_key=True),
    Column("person_id", String(36), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Index("ix_project_members_person", "person_id", "project_id"),
)

# A pair leads to the project that has or had it. It stays when the owner or the project is
# renamed, so old addresses go on working; nobody else is given it for `rules.KEPT_DAYS`.
project_names = Table(
    "project_names",
    metadata,
    Column("owner_name", String(255), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("project_id", String(36), ForeignKey("projects.id"), nullable=False, index=True),
    Column("owner_id", String(36), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime, index=True),
)

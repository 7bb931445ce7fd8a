"""Workspaces, and what the engine keeps of sessions: address, activity, lease, idle time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.core import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("tool", sa.String(length=31), nullable=False),
        sa.Column("environment_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("tier", sa.String(length=63), nullable=True),
        sa.Column("branch", sa.String(length=250), nullable=False),
        sa.Column("commit", sa.String(length=40), nullable=True),
        sa.Column("plane_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("workload_id", sa.String(length=36), nullable=True),
        sa.Column("start_key", sa.String(length=64), nullable=True),
        sa.Column("ticket", sa.String(length=36), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("hub_due", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("hub_tries", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("purged_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )
    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.create_index("ix_workspaces_deleted", ["deleted_at", "id"], unique=False)
        batch_op.create_index(
            "ix_workspaces_hub_due",
            ["hub_due"],
            unique=False,
            sqlite_where=sa.text("hub_due IS NOT NULL"),
            postgresql_where=sa.text("hub_due IS NOT NULL"),
        )
        batch_op.create_index("ix_workspaces_person", ["person_id", "id"], unique=False)
        batch_op.create_index("ix_workspaces_plane", ["plane_id", "id"], unique=False)
        batch_op.create_index("ix_workspaces_project", ["project_id", "id"], unique=False)
        batch_op.create_index("ix_workspaces_status", ["status", "id"], unique=False)
        batch_op.create_index("ix_workspaces_target", ["target", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_workspaces_workload_id"), ["workload_id"], unique=False
        )
        batch_op.create_index(
            "uq_workspaces_living_name",
            ["person_id", "name"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    with op.batch_alter_table("hardware_tiers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("idle_minutes", sa.Integer(), nullable=True))

    with op.batch_alter_table("workloads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stop_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("address", sa.String(length=512), nullable=True))
        batch_op.add_column(
            sa.Column("activity_at", columns.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("activity_told_at", columns.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("busy", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("connections", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("idle_seconds", sa.Float(), nullable=True))
        batch_op.add_column(
            sa.Column("keep_until", columns.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("warned_of", columns.UtcDateTime(timezone=True), nullable=True)
        )

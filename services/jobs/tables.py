"""Tables of jobs. A job's id is its workload's id; status and times are the workload's."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from services.core.columns import Json
from services.core.database import metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), ForeignKey("workloads.id"), primary_key=True),
    Column("project_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", String(200), nullable=False),
    Column("command", Json),
    Column("file", String(1024)),
    Column("args", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("ref", String(255), nullable=False),
    Column("commit", String(40), nullable=False),
    Column("environment_id", String(36), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("env", Json, nullable=False),
    Column("rerun_of", String(36)),
    Column("note", Text),
    UniqueConstraint("project_id", "number"),
)

job_tags = Table(
    "job_tags",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id"), primary_key=True),
    Column("tag", String(64), primary_key=True),
    Index("ix_job_tags_tag", "tag", "job_id"),
)

job_numbers = Table(
    "job_numbers",
    metadata,
    Column("project_id", String(36), primary_key=True),
    Column("last", Integer, nullable=False),
)

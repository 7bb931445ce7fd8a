"""Shapes of the audit trail in requests and answers."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from services.core.paging import PageQuery


class AuditFilter(BaseModel):
    """Which rows of the trail."""

    model_config = ConfigDict(extra="forbid")

    person_id: str | None = Field(None, max_length=36, description="On whose behalf it was done.")
    action: str | None = Field(None, max_length=64, description="What was done, as `job.start`.")
    target_id: str | None = Field(None, max_length=64, description="To what it was done.")
    project_id: str | None = Field(None, max_length=36, description="In which project.")
    since: AwareDatetime | None = Field(None, description="Not before this time.")
    until: AwareDatetime | None = Field(None, description="Before this time.")

    @field_validator("since", "until")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        try:
            return value and value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("out of range") from error


class AuditQuery(AuditFilter, PageQuery):
    """Which page of which rows."""


class ExportFormat(StrEnum):
    """How an export is written."""

    JSON_LINES = "jsonl"
    CSV = "csv"


class AuditExport(AuditFilter):
    """Which rows to export, and how."""

    format: ExportFormat = Field(
        ExportFormat.JSON_LINES,
        description="`jsonl`: one JSON object a line, as it is; `csv`: for spreadsheets.",
    )


class ActorView(BaseModel):
    """Who did it: a person, or what acted for one."""

    kind: str
    id: str
    name: str
    person_id: str | None


class TargetView(BaseModel):
    """To what it was done."""

    kind: str
    id: str


class AuditEventView(BaseModel):
    """One row of the trail. Its hash covers the row and the hash of the row before it."""

    id: str
    position: int
    at: datetime
    actor: ActorView
    action: str
    target: TargetView
    project_id: str | None
    address: str
    request_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    previous_hash: str
    hash: str


class VerificationView(BaseModel):
    """What came out of walking the chain of hashes."""

    ok: bool
    checked: int = Field(description="Rows that are right, from the first one on.")
    wrong_position: int | None = Field(description="Position of the first row that is not.")
    head: str = Field(description="Hash of the last right row: keep it elsewhere to compare.")

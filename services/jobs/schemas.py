"""Bodies and views of jobs. Times in UTC, durations in seconds, memory in bytes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator

from services.core.paging import PageQuery
from services.core.shapes import RequestModel
from services.jobs import rules
from services.people import PersonName
from services.workloads import Status

JobStatus = Literal[
    "Queued",
    "Pending",
    "Preparing",
    "Running",
    "Finishing",
    "Succeeded",
    "Failed",
    "Error",
    "Stopping",
    "Stopped",
]
assert set(JobStatus.__args__) == {status.value for status in Status}  # type: ignore[attr-defined]

Argument = Annotated[str, StringConstraints(max_length=32_000)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class JobCreate(RequestModel):
    """A job to start: a command line, or a file of the project with arguments."""

    project_id: Id
    command: Annotated[list[Argument], Field(min_length=1, max_length=1000)] | Argument | None = (
        Field(None, description="A list is run as it is; a text by /bin/sh -c.")
    )
    file: str | None = Field(
        None,
        min_length=1,
        max_length=1024,
        description="A .py, .ipynb, .sh or .R file of the project.",
    )
    args: list[Argument] = Field(default=[], max_length=1000)
    ref: Ref | None = Field(None, description="Branch, tag or commit; else the default branch.")
    workspace_id: Id | None = Field(
        None, description="Run the files of this workspace of yours (or session) as they are now."
    )
    snapshot: int | None = Field(
        None, ge=1, lt=1 << 31, description="Of the workspace: this snapshot, not the newest."
    )
    environment_id: Id | None = None
    revision: int | None = Field(None, ge=1, le=1_000_000)
    tier: str | None = Field(None, max_length=63, description="Name of a hardware tier.")
    title: str = Field("", max_length=200)
    tags: list[Tag] = Field(default=[], max_length=20)
    env: dict[str, Argument] = Field(default={}, max_length=200)
    timeout: float | None = Field(None, gt=0, allow_inf_nan=False, description="Seconds.")
    retries: int = Field(0, ge=0, le=10)

    @field_validator("env")
    @classmethod
    def _names(cls, env: dict[str, str]) -> dict[str, str]:
        for name in env:
            rules.check_variable(name)
        return env

    @field_validator("file")
    @classmethod
    def _runnable(cls, file: str | None) -> str | None:
        return None if file is None else rules.check_file(file)

    @model_validator(mode="after")
    def _one_of(self) -> JobCreate:
        if (self.command is None) == (self.file is None):
            raise ValueError("give either a command or a file")
        if self.command is not None and (self.args or not self.command or not self.command[0]):
            raise ValueError("a command is not empty, and has its arguments in itself")
        if self.workspace_id is None and self.snapshot is not None:
            raise ValueError("snapshot: of which workspace?")
        if self.workspace_id is not None and self.ref is not None:
            raise ValueError("give either a ref or a workspace")
        return self


class RerunCreate(RequestModel):
    """Run a job again: at the commit it had, or at the newest of its branch."""

    commit: Literal["same", "newest"] = "same"


class UsageView(BaseModel):
    """What a run used in all."""

    cpu_seconds: float
    memory_peak: int
    duration: float


class JobView(BaseModel):
    """A job as it stands."""

    id: str
    number: int
    project_id: str
    owner: PersonName
    command: list[str] | str | None
    file: str | None
    args: list[str]
    title: str
    tags: list[str]
    ref: str
    commit: str
    environment_id: str
    revision: int
    tier: str
    env: dict[str, str]
    timeout: float
    retries: int
    attempt: int
    status: JobStatus
    target: Literal["running", "stopped"]
    reason: str | None
    exit_code: int | None
    last_lines: str | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    isolation: str | None
    usage: UsageView | None
    cost: float | None
    rerun_of: str | None
    updated_at: datetime


class JobsQuery(PageQuery):
    """Filters of the list of jobs; it shows the newest first."""

    project_id: Id | None = None
    status: JobStatus | None = None
    owner: Id | None = Field(None, description="Id of a person.")
    tag: Tag | None = None
    number: int | None = Field(None, ge=1, lt=1 << 31, description="With a project: this one.")


class LogQuery(RequestModel):
    """Where to begin, and whether to wait for more."""

    offset: int | None = Field(None, ge=0, lt=1 << 62, description="Bytes from the start.")
    limit: int | None = Field(None, ge=1, lt=1 << 62, description="Most bytes; with follow=false.")
    follow: bool = True


class OutputView(BaseModel):
    """A file that a job left."""

    path: str
    size: int
    sha256: str
    media_type: str


class OutputsView(BaseModel):
    """All files that a job left."""

    items: list[OutputView]
    next_cursor: str | None = None


class SampleView(BaseModel):
    """One look at a running job: cores in use, bytes resident."""

    at: datetime
    cpu: float
    memory: int


class MetricsView(BaseModel):
    """Samples over time, and the numbers the job wrote into its output metrics.json."""

    samples: list[SampleView]
    values: dict[str, float] | None


class CompareQuery(RequestModel):
    """Two jobs."""

    left: Id
    right: Id


class SettingDifference(BaseModel):
    """A setting in which two jobs differ."""

    name: str
    left: str | None
    right: str | None


class FileDifference(BaseModel):
    """A file in which two commits differ; no line counts for binary ones."""

    path: str
    status: str
    additions: int | None
    deletions: int | None


class CodeDifference(BaseModel):
    """What changed between the commits of two jobs; a long patch is cut."""

    commits: tuple[str, str]
    files: list[FileDifference]
    patch: str


class MetricDifference(BaseModel):
    """A number that at least one of two jobs wrote."""

    name: str
    left: float | None
    right: float | None


class OutputSide(BaseModel):
    """One job's file of that path."""

    size: int
    sha256: str


class OutputDifference(BaseModel):
    """A path that at least one of two jobs left."""

    path: str
    left: OutputSide | None
    right: OutputSide | None
    same: bool


class CompareView(BaseModel):
    """Two jobs side by side."""

    settings: list[SettingDifference]
    code: CodeDifference
    metrics: list[MetricDifference]
    outputs: list[OutputDifference]

"""Bodies and answers of models and experiment runs; the OpenAPI document is made of them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from services.core.shapes import RequestModel


class LineageView(BaseModel):
    """Where a model version or run comes from, as the platform itself wrote it down."""

    experiment_run_id: str | None = None
    job_id: str | None = None
    job_number: int | None = Field(default=None, description="What the project counts that job as.")
    session_id: str | None = None
    commit: str | None = None
    environment: str | None = None
    person: str | None = None


class ModelView(BaseModel):
    """A registered model of a project."""

    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    latest_version: str | None
    aliases: dict[str, str]


class ModelVersionView(BaseModel):
    """One version of a registered model, with where it comes from."""

    name: str
    version: str
    status: str
    description: str
    source: str
    created_at: datetime
    updated_at: datetime
    aliases: list[str]
    tags: dict[str, str]
    lineage: LineageView


class ModelVersionsView(BaseModel):
    """The versions of a model, the newest first."""

    items: list[ModelVersionView]


class ModelsView(BaseModel):
    """The registered models of a project, by name; at most 1,000."""

    items: list[ModelView]


class AliasSet(RequestModel):
    """Which version an alias should name."""

    version: str = Field(pattern=r"^[0-9]{1,9}$")


class ExperimentView(BaseModel):
    """An experiment of a project."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime


class ExperimentsView(BaseModel):
    """The experiments of a project, the last changed first; at most 1,000."""

    items: list[ExperimentView]


class ExperimentRunView(BaseModel):
    """A run in MLflow: what it logged last, and where it comes from."""

    id: str
    experiment_id: str
    name: str
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    metrics: dict[str, float | None]
    params: dict[str, str]
    url: str
    lineage: LineageView


class ExperimentRunsView(BaseModel):
    """Runs, the newest first; at most 200."""

    items: list[ExperimentRunView]


class RunsQuery(BaseModel):
    """Which runs of a project."""

    experiment_id: str | None = Field(default=None, pattern=r"^[0-9]{1,32}$")
    limit: int = Field(default=50, ge=1, le=200)

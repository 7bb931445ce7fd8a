"""Experiments in MLflow, and the models registered there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Lineage:
    """Where a model version or a run comes from, as the platform itself wrote it down."""

    experiment_run_id: str | None = None
    job_id: str | None = None
    job_number: int | None = None
    session_id: str | None = None
    commit: str | None = None
    environment: str | None = None
    person: str | None = None


@dataclass(frozen=True)
class Model:
    """A registered model; `aliases` are the versions' by their names."""

    name: str
    description: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    latest_version: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model."""

    name: str
    version: str
    status: str = ""
    description: str = ""
    source: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    lineage: Lineage = Lineage()


@dataclass(frozen=True)
class Experiment:
    """An experiment."""

    id: str
    name: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class ExperimentRun:
    """A run in MLflow, with the last value of each metric."""

    id: str
    experiment_id: str = ""
    name: str = ""
    status: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    lineage: Lineage = Lineage()

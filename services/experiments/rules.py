"""From MLflow's JSON to our views: pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from services.experiments.protocol import PREFIX
from services.experiments.schemas import (
    ExperimentRunView,
    ExperimentView,
    LineageView,
    ModelVersionView,
    ModelView,
)

Json = dict[str, Any]


def at(milliseconds: Any) -> datetime:
    """Read one of MLflow's times; 1970 for one that is missing."""
    return datetime.fromtimestamp(int(milliseconds or 0) / 1000, UTC)


def pairs(rows: list[Json] | None) -> dict[str, str]:
    """Turn a list of key and value into a dictionary."""
    return {row["key"]: str(row.get("value", "")) for row in rows or []}


def lineage(tags: dict[str, str], run_id: str | None) -> LineageView:
    """Say where something comes from, by the tags that only the gate sets."""
    return LineageView(
        experiment_run_id=run_id or None,
        job_id=tags.get("smalti.job_id"),
        session_id=tags.get("smalti.session_id"),
        commit=tags.get("smalti.commit"),
        environment=tags.get("smalti.environment"),
        person=tags.get("smalti.person"),
    )


def model(row: Json) -> ModelView:
    """Make the view of a registered model."""
    versions = [int(one["version"]) for one in row.get("latest_versions", [])]
    return ModelView(
        name=row["name"],
        description=row.get("description", ""),
        created_at=at(row.get("creation_timestamp")),
        updated_at=at(row.get("last_updated_timestamp")),
        latest_version=str(max(versions)) if versions else None,
        aliases={one["alias"]: one["version"] for one in row.get("aliases", [])},
    )


def version(row: Json) -> ModelVersionView:
    """Make the view of a model version."""
    tags = pairs(row.get("tags"))
    return ModelVersionView(
        name=row["name"],
        version=row["version"],
        status=row.get("status", ""),
        description=row.get("description", ""),
        source=row.get("source", ""),
        created_at=at(row.get("creation_timestamp")),
        updated_at=at(row.get("last_updated_timestamp")),
        aliases=list(row.get("aliases", [])),
        tags={key: value for key, value in tags.items() if not key.startswith("smalti.")},
        lineage=lineage(tags, row.get("run_id")),
    )


def experiment(row: Json) -> ExperimentView:
    """Make the view of an experiment."""
    return ExperimentView(
        id=row["experiment_id"],
        name=row["name"],
        created_at=at(row.get("creation_time")),
        updated_at=at(row.get("last_update_time")),
    )


def run(row: Json, origin: str, project_id: str) -> ExperimentRunView:
    """Make the view of a run. Numbers that JSON cannot hold are None."""
    info, data = row["info"], row.get("data", {})
    where = f"#/experiments/{info['experiment_id']}/runs/{info['run_id']}?workspace={project_id}"
    return ExperimentRunView(
        id=info["run_id"],
        experiment_id=info["experiment_id"],
        name=info.get("run_name", ""),
        status=info.get("status", ""),
        started_at=at(info["start_time"]) if info.get("start_time") else None,
        finished_at=at(info["end_time"]) if info.get("end_time") else None,
        metrics={one["key"]: _number(one.get("value")) for one in data.get("metrics", [])},
        params=pairs(data.get("params")),
        url=f"{origin}{PREFIX}/{where}",
        lineage=lineage(pairs(data.get("tags")), info["run_id"]),
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None

"""Jobs: how they are, what they left and used, their log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smalti.views.people import NOBODY, Reference

FINAL = frozenset({"Succeeded", "Failed", "Error", "Stopped"})


@dataclass(frozen=True)
class Usage:
    """What a run took: seconds, and bytes of memory at its peak."""

    cpu_seconds: float | None = None
    memory_peak: int | None = None
    duration: float | None = None


@dataclass(frozen=True)
class JobView:
    """A job as it was when the platform was asked."""

    id: str
    number: int = 0
    project_id: str = ""
    owner: Reference = NOBODY
    command: Any = None
    file: str | None = None
    args: tuple[str, ...] = ()
    title: str = ""
    tags: tuple[str, ...] = ()
    ref: str | None = None
    commit: str | None = None
    environment_id: str | None = None
    revision: int | None = None
    tier: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    retries: int = 0
    attempt: int = 0
    status: str = ""
    target: str = ""
    reason: str | None = None
    exit_code: int | None = None
    last_lines: Any = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    isolation: str | None = None
    usage: Usage | None = None
    cost: float | None = None
    rerun_of: str | None = None
    updated_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Tell whether the job will change no more."""
        return self.status in FINAL


@dataclass(frozen=True)
class Output:
    """A file that a run left; `path` is relative to its outputs folder."""

    path: str
    size: int = 0
    sha256: str | None = None
    media_type: str | None = None


@dataclass(frozen=True)
class Sample:
    """What a run took at a moment: `cpu` in cores, `memory` in bytes."""

    at: datetime | None = None
    cpu: float = 0.0
    memory: float = 0.0


@dataclass(frozen=True)
class Metrics:
    """Samples over time, and the numbers that the run left in `metrics.json`."""

    samples: tuple[Sample, ...] = ()
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class LogText:
    """A piece of a log; `offset` is the byte position after it."""

    offset: int
    text: str


@dataclass(frozen=True)
class StatusChange:
    """A job's new status, in the midst of its log."""

    status: str
    reason: str | None = None

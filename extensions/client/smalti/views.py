"""What the API tells, as frozen dataclasses: one per view, fields named as there.

Filled by `smalti.decode`, which ignores fields that are not here and leaves defaults for
those that are missing, so that client and platform need not be of one age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FINAL = frozenset({"Succeeded", "Failed", "Error", "Stopped"})


@dataclass(frozen=True)
class Reference:
    """Somebody, by id and name."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True)
class Me:
    """Who the token speaks for; `kind` is person, run or service."""

    id: str
    name: str = ""
    kind: str = "person"
    admin: bool = False
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project_id: str | None = None


@dataclass(frozen=True)
class Token:
    """A token that was made. `token` is there only in the answer to its creation."""

    id: str
    name: str = ""
    kind: str = ""
    project_id: str | None = None
    rights: tuple[str, ...] = ()
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SecretUse:
    """A run that was given a secret."""

    kind: str = ""
    id: str = ""
    person: Reference = Reference()
    at: datetime | None = None


@dataclass(frozen=True)
class Secret:
    """What is known of a secret: all but its value. `scope` is person or project."""

    id: str
    name: str = ""
    scope: str = ""
    project_id: str | None = None
    created_at: datetime | None = None
    created_by: Reference = Reference()
    updated_at: datetime | None = None
    updated_by: Reference = Reference()
    last_used_at: datetime | None = None
    used_by: tuple[SecretUse, ...] = ()


@dataclass(frozen=True)
class Rotation:
    """A change of keys: how many of the sealed values it has been over."""

    id: str
    what: str = ""
    phase: str = ""
    total: int = 0
    done: int = 0
    reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Vault:
    """Who keeps the vault's master key, the keys in use, and the last rotation."""

    provider: str = ""
    master_keys: tuple[str, ...] = ()
    sealed: int = 0
    rotation: Rotation | None = None


@dataclass(frozen=True)
class ProjectView:
    """A project; `role` is the caller's."""

    id: str
    owner: Reference = Reference()
    name: str = ""
    description: str = ""
    visibility: str = "private"
    default_environment_id: str | None = None
    default_tier: str | None = None
    default_branch: str = "main"
    role: str | None = None
    clone_url: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Member:
    """Somebody in a project."""

    person: Reference = Reference()
    role: str = ""
    added_at: datetime | None = None


@dataclass(frozen=True)
class File:
    """A file or directory of a project at a commit; `size` in bytes."""

    path: str
    name: str = ""
    type: str = "file"
    size: int | None = None
    mode: str | None = None


@dataclass(frozen=True)
class Author:
    """Who made a commit."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Commit:
    """A commit; `id` has 40 hexadecimal digits."""

    id: str
    message: str = ""
    author: Author = Author()
    authored_at: datetime | None = None
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Branch:
    """A branch or a tag, and the commit it names."""

    name: str
    commit: str = ""
    default: bool = False


@dataclass(frozen=True)
class Environment:
    """An environment and its newest revision that is ready."""

    id: str
    name: str = ""
    visibility: str = ""
    revision: int | None = None
    status: str = ""


@dataclass(frozen=True)
class HardwareTier:
    """What a run may have: `cpu` in cores, `memory` in bytes."""

    id: str
    name: str = ""
    cpu: float = 0.0
    memory: int = 0
    gpu: int = 0
    plane: str = ""
    price_per_hour: float | None = None
    max_running: int | None = None
    default: bool = False
    description: str = ""


@dataclass(frozen=True)
class Resources:
    """An amount of a machine: `cpu` in cores, `memory` in bytes."""

    cpu: float = 0.0
    memory: int = 0
    gpu: int = 0


@dataclass(frozen=True)
class Plane:
    """A place that runs workloads."""

    id: str
    name: str = ""
    kind: str = ""
    status: str = ""
    isolation: str = ""
    capacity: Resources = Resources()
    used: Resources = Resources()
    last_seen_at: datetime | None = None


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
    owner: Reference = Reference()
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
class WorkspaceView:
    """A workspace as it was when the platform was asked; `url` while it can be opened."""

    id: str
    name: str = ""
    title: str = ""
    project_id: str = ""
    project: str = ""
    owner: Reference = Reference()
    tool: str = ""
    environment_id: str | None = None
    revision: int | None = None
    tier: str | None = None
    branch: str = ""
    status: str = ""
    reason: str | None = None
    target: str = ""
    url: str | None = None
    workload_id: str | None = None
    starts: int = 0
    started_at: datetime | None = None
    last_activity_at: datetime | None = None
    busy: str | None = None
    ends_at: datetime | None = None
    keep_until: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    gone_at: datetime | None = None


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
class Difference:
    """One named thing, left and right."""

    name: str
    left: Any = None
    right: Any = None


@dataclass(frozen=True)
class FileChange:
    """How a file of the code differs."""

    path: str
    status: str = ""
    additions: int | None = None
    deletions: int | None = None


@dataclass(frozen=True)
class CodeDifference:
    """How the code of two jobs differs; `patch` is a unified diff."""

    commits: tuple[str | None, ...] = ()
    files: tuple[FileChange, ...] = ()
    patch: str = ""


@dataclass(frozen=True)
class OutputSide:
    """One job's file of a path that both are asked for."""

    size: int = 0
    sha256: str | None = None


@dataclass(frozen=True)
class OutputDifference:
    """One output of two jobs, None where a side has none."""

    path: str
    left: OutputSide | None = None
    right: OutputSide | None = None
    same: bool = False


@dataclass(frozen=True)
class Comparison:
    """Two jobs side by side."""

    settings: tuple[Difference, ...] = ()
    code: CodeDifference = CodeDifference()
    metrics: tuple[Difference, ...] = ()
    outputs: tuple[OutputDifference, ...] = ()


@dataclass(frozen=True)
class Dependency:
    """Something that the platform needs, and how it is."""

    name: str
    status: str = ""
    detail: str | None = None


@dataclass(frozen=True)
class Health:
    """How the platform is: ok, degraded or failed."""

    status: str = ""
    version: str | None = None
    dependencies: tuple[Dependency, ...] = ()


@dataclass(frozen=True)
class Event:
    """Something that happened, from the event stream; `id` is where to resume."""

    id: str | None
    kind: str
    data: Any = None


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


@dataclass(frozen=True)
class Lineage:
    """Where a model version or a run comes from, as the platform itself wrote it down."""

    experiment_run_id: str | None = None
    job_id: str | None = None
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

"""What there is to run in and on: environments, hardware tiers, planes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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

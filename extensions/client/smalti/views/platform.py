"""The platform itself: its health, and what it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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

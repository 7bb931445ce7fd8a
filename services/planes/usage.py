"""What is in use on each plane. Workloads, one tier up, say it; planes only ask.

A registry of one, filled by `workloads` when the process is wired, because a lower tier may
not import a higher one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.core.database import Transaction
from services.core.work import context_of


@dataclass(frozen=True)
class Used:
    """How much admitted work has of a plane: cores, bytes, devices."""

    cpu: float
    memory: int
    gpu: int


@dataclass(frozen=True)
class Accountant:
    """Knows what is in use on every plane."""

    used: Callable[[Transaction], dict[str, Used]]


def used_by_plane(tx: Transaction) -> dict[str, Used]:
    """Say what is in use, by plane id."""
    return context_of(tx).get(Accountant).used(tx)

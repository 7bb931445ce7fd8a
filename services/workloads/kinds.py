"""Who hears of a workload's steps: the noun whose kind it is.

The engine knows workloads only. A noun that keeps something of its own in step with them (the
workspace whose session it is) registers here, one tier up, and is called inside the
transaction of the step. A kind that nobody listens for has its event published by `changes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from services.core.database import Transaction
from services.workloads.rules import Step


@dataclass(frozen=True)
class Listener:
    """Hears of each step, with what else is written; of an address; of an end to come."""

    changed: Callable[[Transaction, Row[Any], Step, dict[str, Any]], None]
    answers: Callable[[Transaction, Row[Any]], None]
    warned: Callable[[Transaction, Row[Any], datetime], None]


class Kinds:
    """The listeners of one platform process, by kind."""

    def __init__(self) -> None:
        self._listeners: dict[str, Listener] = {}

    def register(self, kind: str, listener: Listener) -> None:
        """Have a noun hear of the workloads of a kind."""
        self._listeners[kind] = listener

    def changed(self, tx: Transaction, row: Row[Any], step: Step, values: dict[str, Any]) -> bool:
        """Tell of a step; False when nobody listens for this kind."""
        listener = self._listeners.get(row.kind)
        if listener is None:
            return False
        listener.changed(tx, row, step, values)
        return True

    def answers(self, tx: Transaction, row: Row[Any]) -> None:
        """Tell that a workload answers at an address."""
        listener = self._listeners.get(row.kind)
        if listener is not None:
            listener.answers(tx, row)

    def warned(self, tx: Transaction, row: Row[Any], end: datetime) -> None:
        """Tell that a workload is ended at a time if nothing happens in it."""
        listener = self._listeners.get(row.kind)
        if listener is not None:
            listener.warned(tx, row, end)

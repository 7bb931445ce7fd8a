"""What a benchmark says: rows beside their peers, as a table for people and JSON for programs."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `target` in words; `reached` None where there is nothing to reach."""

    row: str
    what: str
    ours: str
    peer: str
    target: str
    reached: bool | None

    def line(self) -> str:
        """Write the row for people."""
        mark = {True: "reached", False: "MISSED", None: ""}[self.reached]
        return (
            f"{self.row:4} {self.what:46} {self.ours:>22} {self.peer:>30} {self.target:>28} {mark}"
        )


def table(rows: Sequence[Row]) -> str:
    """Write all rows for people."""
    head = f"{'row':4} {'what':46} {'Smalti':>22} {'beside':>30} {'must reach':>28}"
    return "\n".join([head, *(row.line() for row in rows)])


def document(rows: Sequence[Row]) -> str:
    """Write all rows for programs, with the machine they were taken on."""
    machine = {"python": platform.python_version(), "system": platform.platform()}
    return json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the ratios of pairs taken in turn, so that a drifting machine cancels out."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share (0 to 1) lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

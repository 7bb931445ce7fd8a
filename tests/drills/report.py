"""The drills' report: a table at the end of a run, and `build/drills.json`.

A drill says which one it is by its marker and tells what it did to the platform by the fixture
`tell`. A seed counts as passed when the drill and what it left behind were right.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Tell = Callable[[Mapping[str, float]], None]
FILE = Path(__file__).resolve().parents[2] / "build" / "drills.json"
HEAD = ("drill", "fault", "seeds", "passed", "median", "longest", "done to it")


@dataclass
class Row:
    """One drill with all its seeds."""

    number: str
    fault: str
    passed: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def cells(self) -> tuple[str, ...]:
        """Put it as a line of the table."""
        seeds = sorted(self.passed + self.failed)
        done = (f"{value:.4g} {what}" for what, value in sorted(self.done.items()))
        return (
            self.number,
            self.fault,
            f"{seeds[0]} to {seeds[-1]}",
            f"{len(self.passed)} of {len(seeds)}",
            f"{statistics.median(self.seconds):.0f} s",
            f"{max(self.seconds):.0f} s",
            ", ".join(done),
        )


class Report:
    """Gathers the drills of a run."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._open: dict[str, dict[str, Any]] = defaultdict(dict)

    def begin(self, item: pytest.Item) -> None:
        """Note which drill and seed a test is."""
        marker = item.get_closest_marker("drill")
        callspec = getattr(item, "callspec", None)
        if marker is not None and callspec is not None:
            number, fault = marker.args
            seed = callspec.params["seed"]
            self._open[item.nodeid] = {"row": (number, fault), "seed": seed, "right": True}

    def tell(self, nodeid: str, done: Mapping[str, float]) -> None:
        """Note what a drill has done to the platform."""
        self._open[nodeid].setdefault("done", Counter()).update(done)

    def hear(self, report: pytest.TestReport) -> None:
        """Take a report of a phase of a test; the last one makes up its row."""
        entry = self._open.get(report.nodeid)
        if entry is None or report.skipped:
            return
        entry["right"] = entry["right"] and report.passed
        if report.when == "call":
            entry["seconds"] = report.duration
        if report.when == "teardown":
            self._close(self._open.pop(report.nodeid))

    def _close(self, entry: dict[str, Any]) -> None:
        if entry["right"] and "seconds" not in entry:
            return  # skipped
        number, fault = entry["row"]
        row = self.rows.setdefault(f"{number} {fault}", Row(number, fault))
        (row.passed if entry["right"] else row.failed).append(entry["seed"])
        row.seconds.append(entry.get("seconds", 0.0))
        row.done.update(entry.get("done", {}))

    def table(self) -> list[str]:
        """Make the lines of the table, in the drills' order."""
        rows = sorted(self.rows.values(), key=lambda row: (int(row.number[1:]), row.fault))
        cells = [HEAD, *(row.cells() for row in rows)]
        widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in cells
        ]
        failed = [f"{row.number} {row.fault}: seed {seed}" for row in rows for seed in row.failed]
        return [*lines, *(f"FAILED {line}" for line in failed)]

    def write(self) -> None:
        """Leave the same as JSON."""
        FILE.parent.mkdir(exist_ok=True)
        rows = [vars(row) for row in self.rows.values()]
        FILE.write_text(json.dumps(rows, indent=1))

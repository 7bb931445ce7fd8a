"""`make bench`: every figure beside its peer in the same run; a table, and bench.json.

`python -m tests.benchmarks P3 P5` takes only these rows.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
    p03_jobs,
    p04_workspace,
    p05_list,
    p07_objects,
    p08_output,
    p10_experiments,
    p11_adoption,
    p12_stack,
    p13_snapshots,
)
from tests.benchmarks.cpu import Meter
from tests.benchmarks.platform_use import settle
from tests.benchmarks.rows import Row, document, table
from tests.instance import Instance

ALONE = {
    "P5": p05_list.run,
    "P7": p07_objects.run,
    "P10": p10_experiments.run,
    "P12": p12_stack.run,
    "P13": p13_snapshots.run,
}
ON_A_PLATFORM = {
    "P3": p03_jobs.run,
    "P4": p04_workspace.run,
    "P8": p08_output.run,
    "P11": p11_adoption.run,
}


def main(chosen: set[str]) -> int:
    """Measure, print, and tell by the exit code whether all was reached."""
    rows: list[Row] = []
    for name, run in ALONE.items():
        if not chosen or name in chosen:
            rows += _told(run())
    wanted = [name for name in ON_A_PLATFORM if not chosen or name in chosen]
    if wanted:
        meter = Meter()
        with tempfile.TemporaryDirectory() as folder, Instance(Path(folder)) as smalti:
            settle(smalti)
            for name in wanted:
                rows += _told(ON_A_PLATFORM[name](smalti, meter))
        meter.close()
    rows.sort(key=lambda row: int(row.row[1:]))
    print(table(rows))
    Path("bench.json").write_text(document(rows) + "\n")
    return 0 if all(row.reached is not False for row in rows) else 1


def _told(rows: list[Row]) -> list[Row]:
    """Print rows as they come: a later one that fails does not take them along."""
    for row in rows:
        print(row.line(), flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))

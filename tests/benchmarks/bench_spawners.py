"""What a no-op run costs in the process runtime, beside a bare asyncio loop of the same program.

Run as a program: `python tests/benchmarks/bench_spawners.py [runs] [pairs]`. Takes its rows in
turn (ours, bare, ours, bare) and prints medians, and JSON in the last line. Cpu is read from
a control group that holds all processes of a row (runtime, zygote, shims, sandbox, program);
where there is none, from the whole machine, and then other work counts too.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from spawners.process import ProcessRuntime, ProcessSettings
from spawners.process.groups import own_folder, parse_mounts, parse_own
from spawners.runtime import Limits, RunKey, RunPhase, RunSpec

PROGRAM = (sys.executable, "-I", "-S", "-c", "pass")
WIDTH = 4


def enter_group() -> Path | None:
    """Move this process into a cpuacct group of its own and return its counter."""
    own = parse_own(Path("/proc/self/cgroup").read_text())
    mounts = parse_mounts(Path("/proc/self/mountinfo").read_text())
    with suppress(KeyError, OSError):
        folder = Path(own_folder(own["cpuacct"], *mounts["cpuacct"]), f"smalti-bench-{os.getpid()}")
        folder.mkdir()
        (folder / "cgroup.procs").write_text("0")
        return folder / "cpuacct.usage"
    return None


def cpu_seconds(counter: Path | None) -> float:
    """Cpu used so far by the row's group, or by the whole machine."""
    if counter is not None:
        return int(counter.read_text()) / 1e9
    words = Path("/proc/stat").read_text().splitlines()[0].split()
    busy = sum(int(words[n]) for n in (1, 2, 3, 6, 7))
    return busy / float(os.sysconf("SC_CLK_TCK"))


async def bare(runs: int) -> list[float]:
    """Start the program `runs` times, WIDTH at once; seconds of each."""
    gate = asyncio.Semaphore(WIDTH)

    async def one() -> float:
        async with gate:
            began = time.perf_counter()
            process = await asyncio.create_subprocess_exec(*PROGRAM)
            await process.wait()
            return time.perf_counter() - began

    return list(await asyncio.gather(*(one() for _ in range(runs))))


async def ours(runtime: ProcessRuntime, folder: Path, runs: int) -> list[float]:
    """The same through the runtime: prepared folders, start, end, log, removal."""
    gate = asyncio.Semaphore(WIDTH)
    ended: dict[RunKey, asyncio.Event] = {}

    async def listen() -> None:
        async for state in runtime.changes():
            if state.phase is RunPhase.EXITED:
                ended[state.key].set()

    async def one(number: int) -> float:
        work, outputs = folder / f"{number}w", folder / f"{number}o"
        work.mkdir()
        outputs.mkdir()
        key = RunKey(f"bench-{time.monotonic_ns()}", number)
        ended[key] = asyncio.Event()
        limits = Limits(cpu=1.0, memory=256 << 20)
        spec = RunSpec(
            key, PROGRAM, {}, work, outputs, Path(sys.prefix), "person", limits, timeout=60.0
        )
        async with gate:
            began = time.perf_counter()
            await runtime.start(spec)
            await ended[key].wait()
            taken = time.perf_counter() - began
            state = runtime.state(key)
            assert state is not None
            assert state.exit_code == 0, (state, await runtime.read_log(key, 0, 1000))
            await runtime.read_log(key, 0, 1 << 16)
            await runtime.remove(key)
        work.rmdir()
        outputs.rmdir()
        return taken

    listener = asyncio.create_task(listen())
    try:
        return list(await asyncio.gather(*(one(n) for n in range(runs))))
    finally:
        listener.cancel()


async def measure(runs: int, pairs: int) -> dict[str, object]:
    """Take the rows in turn and sum them up."""
    counter = enter_group()
    rows: dict[str, list[tuple[float, float, float]]] = {"runtime": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="smalti-bench-") as name:
        folder = Path(name)
        runtime = ProcessRuntime(ProcessSettings(state=folder / "state"))
        await runtime.open()
        await ours(runtime, folder, WIDTH)
        for _ in range(pairs):
            for row in ("runtime", "bare"):
                cpu, began = cpu_seconds(counter), time.perf_counter()
                took = await (ours(runtime, folder, runs) if row == "runtime" else bare(runs))
                wall = time.perf_counter() - began
                spent = (cpu_seconds(counter) - cpu) / runs * 1000
                rows[row].append((runs / wall, spent, statistics.median(took) * 1000))
        await runtime.close()
        isolation, limits_by = str(runtime.isolation), runtime.limits_by
    if counter is not None:
        parent = counter.parent.parent
        (parent / "cgroup.procs").write_text("0")
        counter.parent.rmdir()
    medians = {
        row: dict(
            zip(
                ("per_second", "cpu_ms", "p50_ms"),
                (round(statistics.median(v), 2) for v in zip(*found, strict=True)),
                strict=True,
            )
        )
        for row, found in rows.items()
    }
    added = statistics.median(
        a[1] - b[1] for a, b in zip(rows["runtime"], rows["bare"], strict=True)
    )
    return {
        "isolation": isolation,
        "limits_by": limits_by,
        "runs": runs,
        "pairs": pairs,
        "added_cpu_ms": round(added, 2),
        **medians,
    }


def main() -> dict[str, object]:
    """Measure, print the table and the JSON line, and return the figures."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    found = asyncio.run(measure(runs, pairs))
    for row in ("runtime", "bare"):
        print(f"{row:8} {found[row]}")
    print(f"cpu added per no-op run: {found['added_cpu_ms']} ms")
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()

"""CPU seconds of everything a benchmark starts, whatever else the machine is doing.

The benchmark puts itself into a cpuacct group (cgroup v1) before it starts anything; what it
starts inherits it. Where that cannot be, the whole machine's busy time stands in, which is
right only on a machine that does nothing else. The benchmark's own time is taken off.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Meter:
    """Counts from the moment it is made."""

    def __init__(self) -> None:
        self._usage: Path | None = None
        try:
            group = _own_group() / f"smalti-bench-{os.getpid()}"
            group.mkdir()
            (group / "cgroup.procs").write_text(str(os.getpid()))
            self._usage = group / "cpuacct.usage"
        except OSError as error:
            print(f"no cpuacct group ({error}): CPU is that of the whole machine")

    def used(self) -> float:
        """CPU seconds so far, without those of this process."""
        if self._usage is not None:
            return int(self._usage.read_text()) / 1e9 - time.process_time()
        words = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
        user, nice, system, _, _, irq, softirq, *_ = (int(word) for word in words)
        return (user + nice + system + irq + softirq) / TICKS - time.process_time()

    def close(self) -> None:
        """Leave the group and take it away."""
        if self._usage is None:
            return
        group, self._usage = self._usage.parent, None
        (group.parent / "cgroup.procs").write_text(str(os.getpid()))
        end_by = time.monotonic() + 10
        while time.monotonic() < end_by:
            try:
                group.rmdir()
            except OSError:
                time.sleep(0.1)  # the last of what was started is still ending
            else:
                return
        print(f"something still runs in {group}")


def _own_group() -> Path:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(","):
            return Path("/sys/fs/cgroup/cpuacct") / path.lstrip("/")
    raise OSError("no cgroup v1 hierarchy counts CPU here")

"""What this machine has to give: cores and bytes, as far as its own limits allow.

Called by `ProcessRuntime.capacity`. Looks at the machine and at the control groups this process
itself lives in: in a container the machine's figures are not ours.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from spawners.process import groups
from spawners.runtime import Capacity


def _number(path: Path) -> float | None:
    """First number of a limit file; None where there is none or no limit."""
    with suppress(OSError, ValueError):
        word = path.read_text().split()[0]
        return None if word == "max" else float(word)
    return None


def _upwards(controller: str) -> list[Path]:
    """Folders of our own group and those above it, as far as they are visible."""
    own = groups.parse_own(Path("/proc/self/cgroup").read_text())
    mounts = groups.parse_mounts(Path("/proc/self/mountinfo").read_text())
    if controller not in own or controller not in mounts:
        return []
    point = Path(mounts[controller][0])
    folder = Path(groups.own_folder(own[controller], *mounts[controller]))
    return [folder, *[above for above in folder.parents if above.is_relative_to(point)]]


def _group_cores() -> list[float]:
    found = []
    for folder in _upwards(""):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            if quota != "max":
                found.append(float(quota) / float(period))
    for folder in _upwards("cpu"):
        quota_v1 = _number(folder / "cpu.cfs_quota_us")
        period_v1 = _number(folder / "cpu.cfs_period_us")
        if quota_v1 and period_v1 and quota_v1 > 0:
            found.append(quota_v1 / period_v1)
    return found


def capacity(cpu: float | None, memory: int | None, oversubscription: float) -> Capacity:
    """Cores (times the oversubscription) and bytes; given figures replace found ones."""
    if cpu is None:
        cpu = min([float(len(os.sched_getaffinity(0))), *_group_cores()])
    if memory is None:
        limits = [float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))]
        limits += [n for f in _upwards("") if (n := _number(f / "memory.max"))]
        limits += [n for f in _upwards("memory") if (n := _number(f / "memory.limit_in_bytes"))]
        memory = int(min(limits))
    return Capacity(cpu=cpu * oversubscription, memory=memory)

"""Control groups of runs, version 1 and 2: make, limit, join, read, kill, remove.

Owns the names and file formats of the kernel's cgroup file systems. `spawners.process.groups`
decides which version and where; shims make, join and remove one group per run; the runtime
reads samples and sweeps what a killed shim left.

Sources: the kernel's Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst. Must never touch
a group that is not below the base it was given.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import NamedTuple

CONTROLLERS_V1 = ("memory", "cpu", "cpuacct", "pids")
_PERIOD = 100_000  # microseconds; the kernel's own default for cpu quotas
_LEAST_QUOTA = 1_000  # the kernel refuses less


class Group(NamedTuple):
    """One run's group: its version and its folders by controller (one folder in version 2)."""

    version: int
    folders: dict[str, str]

    def folder(self, controller: str) -> str:
        """The folder in which a controller's files lie."""
        return self.folders["" if self.version == 2 else controller]


class Caps(NamedTuple):
    """What a group may use: cores, bytes, processes."""

    cpu: float
    memory: int
    processes: int


def child(parent: Group, name: str) -> Group:
    """Name the group below another; nothing is made."""
    return Group(parent.version, {c: f"{f}/{name}" for c, f in parent.folders.items()})


def _write(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def _read(path: str) -> str:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(handle, 65536).decode()
    finally:
        os.close(handle)


def _field(text: str, name: str) -> int:
    """Value of a `name value` line; 0 when there is none."""
    for line in text.splitlines():
        word, _, value = line.partition(" ")
        if word == name:
            return int(value)
    return 0


def create(group: Group, caps: Caps | None = None) -> None:
    """Make a group's folders and set its limits; one that is there already is kept.

    Raises
    ------
    OSError
        When a folder cannot be made or a limit is refused.
    """
    for folder in group.folders.values():
        with suppress(FileExistsError):
            os.mkdir(folder)
    if caps is None:
        return
    quota = max(_LEAST_QUOTA, int(caps.cpu * _PERIOD))
    if group.version == 2:
        folder = group.folder("")
        _write(f"{folder}/memory.max", str(caps.memory))
        with suppress(FileNotFoundError):  # absent where the kernel has no swap accounting
            _write(f"{folder}/memory.swap.max", "0")
        _write(f"{folder}/cpu.max", f"{quota} {_PERIOD}")
        _write(f"{folder}/pids.max", str(caps.processes))
        return
    _write(f"{group.folder('memory')}/memory.limit_in_bytes", str(caps.memory))
    with suppress(FileNotFoundError, PermissionError):  # the same
        _write(f"{group.folder('memory')}/memory.memsw.limit_in_bytes", str(caps.memory))
    _write(f"{group.folder('cpu')}/cpu.cfs_quota_us", str(quota))
    _write(f"{group.folder('pids')}/pids.max", str(caps.processes))


def join(group: Group, pid: int = 0) -> None:
    """Put a process (0: the calling one) into a group; its later children are born there."""
    for folder in group.folders.values():
        _write(f"{folder}/cgroup.procs", str(pid))


def members(group: Group) -> set[int]:
    """Pids in a group; empty when it is gone. All its folders always hold the same."""
    try:
        return {int(pid) for pid in _read(f"{group.folder('pids')}/cgroup.procs").split()}
    except OSError:
        return set()


def kill(group: Group, patience: float = 5.0) -> bool:
    """Kill everything in a group and wait until it is empty; False when it is not after that.

    Version 2 does it in one stroke (cgroup.kill, Linux 5.14). Elsewhere the members are killed
    until none is left: a pids limit of 0 first keeps a fork bomb from outrunning the loop.
    """
    present = members(group)
    if not present:
        return True
    with suppress(OSError):
        _write(f"{group.folder('pids')}/pids.max", "0")
    if group.version == 2:
        with suppress(OSError):
            _write(f"{group.folder('')}/cgroup.kill", "1")
    end = time.monotonic() + patience
    while present:
        for pid in present:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end:
            return False
        time.sleep(0.001)  # no event tells that a group of version 1 is empty
        present = members(group)
    return True


def remove(group: Group, patience: float = 0.2) -> bool:
    """Remove an empty group; False when a folder of it stayed.

    The kernel answers EBUSY for moments after the last member has exited.
    """
    end = time.monotonic() + patience
    left = set(group.folders.values())
    while True:
        for folder in tuple(left):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                left.discard(folder)
            except OSError:
                continue
            else:
                left.discard(folder)
        if not left or time.monotonic() > end:
            return not left
        time.sleep(0.001)


def cpu_seconds(group: Group) -> float:
    """Seconds of cpu that a group has used so far."""
    if group.version == 2:
        return _field(_read(f"{group.folder('')}/cpu.stat"), "usage_usec") / 1e6
    return int(_read(f"{group.folder('cpuacct')}/cpuacct.usage")) / 1e9


def memory_now(group: Group) -> int:
    """Bytes a group needs now: all that is charged to it but cache that nobody uses."""
    if group.version == 2:
        folder = group.folder("")
        used = int(_read(f"{folder}/memory.current"))
        idle = _field(_read(f"{folder}/memory.stat"), "inactive_file")
    else:
        folder = group.folder("memory")
        used = int(_read(f"{folder}/memory.usage_in_bytes"))
        idle = _field(_read(f"{folder}/memory.stat"), "total_inactive_file")
    return max(0, used - idle)


def memory_peak(group: Group) -> int:
    """Most bytes that an ended run's group needed; 0 where the kernel keeps no peak.

    The kernel's peak counts the page cache too, which a program that merely reads a large file
    fills; what is left charged once nothing lives in the group is that cache, and is taken off.
    """
    try:
        if group.version == 2:
            folder = group.folder("")
            peak = int(_read(f"{folder}/memory.peak"))
            cache = _field(_read(f"{folder}/memory.stat"), "file")
        else:
            folder = group.folder("memory")
            peak = int(_read(f"{folder}/memory.max_usage_in_bytes"))
            cache = _field(_read(f"{folder}/memory.stat"), "total_cache")
    except FileNotFoundError:  # memory.peak came with Linux 5.19
        return 0
    return max(0, peak - cache)


def memory_kills(group: Group) -> int:
    """How many processes of a group the kernel has killed for memory."""
    name = "memory.events" if group.version == 2 else "memory.oom_control"
    return _field(_read(f"{group.folder('memory')}/{name}"), "oom_kill")


def refused_forks(group: Group) -> int:
    """How often a group's limit of processes refused a new one; 0 on kernels that do not say."""
    try:
        return _field(_read(f"{group.folder('pids')}/pids.events"), "max")
    except FileNotFoundError:
        return 0

"""What /proc says of processes: who they are, whose children, what they use.

Read by shims (trees of a run), by the process runtime (is that still the same shim?) and by
its sampling. A process is named by pid *and* start time, since pids come back. Must never
signal a process whose start time it has not compared, except own children.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class TreeUsage(NamedTuple):
    """What a tree of processes uses now: seconds of cpu so far, bytes resident, how many."""

    cpu_seconds: float
    memory: int
    processes: int


def _stat(pid: int) -> list[bytes] | None:
    """Fields of /proc/pid/stat from the third (state) on; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may itself hold brackets.
    return text[text.rindex(b")") + 2 :].split()


def start_time(pid: int) -> int | None:
    """Clock ticks after boot at which a living process began; None for none or a zombie."""
    fields = _stat(pid)
    if fields is None or fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19])


def is_same(pid: int | None, started: int | None) -> bool:
    """Say whether the process that once had this pid and start time still lives."""
    return pid is not None and started is not None and start_time(pid) == started


def kill_same(pid: int | None, started: int | None, number: int = signal.SIGKILL) -> bool:
    """Signal a process if it still is the one meant; True when it was signalled."""
    if pid is None:
        return False
    try:
        # The handle is taken first, so that the comparison is about what will be signalled.
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not is_same(pid, started):
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def children(pid: int) -> list[int]:
    """Pids of a process's living children, of all its threads."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with (
                suppress(FileNotFoundError, ProcessLookupError),
                open(f"/proc/{pid}/task/{task}/children", "rb") as file,
            ):
                found.extend(int(child) for child in file.read().split())
    return found


def descendants(pid: int) -> list[int]:
    """Pids of all below a process, parents before children."""
    found: list[int] = []
    waiting = children(pid)
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(children(one))
    return found


def tree_usage(pid: int) -> TreeUsage:
    """Add up what all below a process use; pages shared by them are counted once."""
    ticks = own = shared_most = count = 0
    for one in descendants(pid):
        fields = _stat(one)
        if fields is None:
            continue
        ticks += sum(int(fields[n]) for n in (11, 12, 13, 14))
        with (
            suppress(FileNotFoundError, ProcessLookupError),
            open(f"/proc/{one}/statm", "rb") as file,
        ):
            _, resident, shared = (int(word) for word in file.read().split()[:3])
            own += max(0, resident - shared)
            shared_most = max(shared_most, shared)
        count += 1
    return TreeUsage(ticks / _TICKS, (own + shared_most) * _PAGE, count)


def tree_memory(pid: int) -> int:
    """Bytes resident of all below a process, shared pages divided among their users.

    Exact where `tree_usage` takes a page that two forks share for two, but slow.
    """
    total = 0
    for one in descendants(pid):
        with (
            suppress(FileNotFoundError, ProcessLookupError, PermissionError),
            open(f"/proc/{one}/smaps_rollup", "rb") as file,
        ):
            for line in file:
                if line.startswith(b"Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def kill_largest(pid: int, spared: set[int]) -> bool:
    """Kill the process below `pid` with most bytes resident; False when all are spared."""
    sizes: dict[int, int] = {}
    for one in descendants(pid):
        with (
            suppress(FileNotFoundError, ProcessLookupError),
            open(f"/proc/{one}/statm", "rb") as file,
        ):
            sizes[one] = int(file.read().split()[1])
    found = sorted(set(sizes) - spared, key=lambda one: sizes[one])
    if not found:
        return False
    with suppress(ProcessLookupError):
        os.kill(found[-1], signal.SIGKILL)
    return True


def kill_descendants(pid: int) -> int:
    """Kill all below a process once; how many there were. Repeat until it says 0."""
    found = descendants(pid)
    for one in found:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    return len(found)


def with_environment(entry: bytes) -> list[int]:
    """Pids of processes that carry `NAME=value` in their environment and may be looked at."""
    found: list[int] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with (
            suppress(FileNotFoundError, ProcessLookupError, PermissionError),
            open(f"/proc/{name}/environ", "rb") as file,
        ):
            if entry in file.read().split(b"\0"):
                found.append(int(name))
    return found


def with_argument(word: bytes) -> list[tuple[int, int]]:
    """Pids and start times of processes that have this very word in their command line."""
    found: list[tuple[int, int]] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        started = start_time(int(name))
        with (
            suppress(FileNotFoundError, ProcessLookupError, PermissionError),
            open(f"/proc/{name}/cmdline", "rb") as file,
        ):
            if started is not None and word in file.read().split(b"\0"):
                found.append((int(name), started))
    return found

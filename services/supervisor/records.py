"""Who runs: `run/<name>.json` with pid and start time; a reused pid is never taken for ours.

Called by the supervisor's loop, `status` and `down`. It never starts a process.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from services.supervisor.home import Home, read_json, write_json


@dataclass(frozen=True)
class Record:
    """One process as it was last seen. `start_time` is in clock ticks since the machine started."""

    pid: int
    start_time: int
    started_at: str
    fingerprint: str = ""
    state: str = "running"
    reason: str | None = None
    restarts: int = 0

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return self.pid > 0 and start_time(self.pid) == self.start_time


def start_time(pid: int) -> int | None:
    """Read field 22 of /proc/<pid>/stat; None when there is no such living process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    after_name = text.rpartition(")")[2].split()
    return None if after_name[0] in "ZX" else int(after_name[19])


def now() -> str:
    """Return the time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_of(pid: int, fingerprint: str = "", restarts: int = 0) -> Record:
    """Describe a process that has just been started."""
    return Record(pid, start_time(pid) or 0, now(), fingerprint, restarts=restarts)


def save(home: Home, name: str, record: Record) -> None:
    """Write a process's record."""
    write_json(home.path("run", f"{name}.json"), asdict(record))


def load(home: Home, name: str) -> Record | None:
    """Read a process's record; None when there is none or it is unreadable."""
    value = read_json(home.path("run", f"{name}.json"))
    if value is None or not {"pid", "start_time", "started_at"} <= value.keys():
        return None
    known = {field.name for field in fields(Record)}
    return Record(**{key: item for key, item in value.items() if key in known})


def remove(home: Home, name: str) -> None:
    """Forget a process."""
    home.path("run", f"{name}.json").unlink(missing_ok=True)


def send(record: Record, number: signal.Signals) -> None:
    """Signal the process itself, never its group: what it started may have to live on."""
    if record.alive:
        try:
            os.kill(record.pid, number)
        except ProcessLookupError:
            return


def end(record: Record, grace: float) -> bool:
    """End a process that is not our child: SIGTERM, then SIGKILL after `grace` seconds.

    Returns whether it went by itself.
    """
    send(record, signal.SIGTERM)
    if wait_until_gone(record, grace):
        return True
    send(record, signal.SIGKILL)
    wait_until_gone(record, 5)
    return False


def wait_until_gone(record: Record, seconds: float) -> bool:
    """Wait for a process to end, at most `seconds`; say whether it did."""
    end_by = time.monotonic() + seconds
    while record.alive:
        if time.monotonic() > end_by:
            return False
        time.sleep(0.05)
    return True

"""`smalti-admin status`: what runs, for people and as JSON for programs.

Called by `cli`. It only reads the records and asks each process whether it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.supervisor import environment, records
from services.supervisor.home import Home, read_json
from services.supervisor.processes import Process, answers, processes
from services.supervisor.records import Record


@dataclass(frozen=True)
class ProcessStatus:
    """One process. `state`: running, starting, waiting, failing or stopped."""

    name: str
    pid: int | None
    state: str
    started_at: str | None
    restarts: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Status:
    """The whole instance. `state`: running (all processes run), degraded or stopped."""

    state: str
    home: str
    url: str | None
    supervisor: ProcessStatus
    processes: Sequence[ProcessStatus]
    environment: str
    tools: str

    def as_json(self) -> dict[str, Any]:
        """Return plain values for `--json`."""
        return asdict(self)


def look(home: Home) -> Status:
    """Find out what runs now."""
    ports = read_json(home.path("run", "ports.json")) or {}
    supervisor = _plain("supervisor", records.load(home, "supervisor"))
    found = [_status(home, process, ports) for process in processes(home)]
    states = {one.state for one in (supervisor, *found)}
    state = "degraded"
    if states == {"running"}:
        state = "running"
    elif states == {"stopped"}:
        state = "stopped"
    url = f"http://localhost:{ports['frontdoor']}" if "frontdoor" in ports else None
    return Status(
        state,
        str(home.root),
        url,
        supervisor,
        found,
        environment.DEFAULT.state(home),
        environment.TOOLS.state(home),
    )


def _status(home: Home, process: Process, ports: dict[str, int]) -> ProcessStatus:
    record = records.load(home, process.name)
    plain = _plain(process.name, record)
    if plain.state == "running" and not answers(process, ports):
        return ProcessStatus(plain.name, plain.pid, "starting", plain.started_at, plain.restarts)
    return plain


def _plain(name: str, record: Record | None) -> ProcessStatus:
    if record is None:
        return ProcessStatus(name, None, "stopped", None)
    if record.alive:
        return ProcessStatus(name, record.pid, "running", record.started_at, record.restarts)
    state = record.state if record.state in ("waiting", "failing") else "stopped"
    return ProcessStatus(name, None, state, None, record.restarts, record.reason)


def as_table(status: Status) -> str:
    """Write the status as a few lines for a terminal."""
    lines = [
        f"Smalti is {status.state}" + (f" at {status.url}" if status.url else ""),
        f"state folder {status.home}; default environment {status.environment}, "
        f"tools {status.tools}",
        "",
        f"{'process':<12}{'state':<10}{'pid':<9}{'since':<26}{'restarts'}",
    ]
    for one in (status.supervisor, *status.processes):
        pid = str(one.pid or "-")
        since = one.started_at or "-"
        lines.append(f"{one.name:<12}{one.state:<10}{pid:<9}{since:<26}{one.restarts}")
        if one.reason and one.state in ("waiting", "failing"):
            lines.append(f"            {one.reason}")
    return "\n".join(lines)

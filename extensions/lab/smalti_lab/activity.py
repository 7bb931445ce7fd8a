"""What happens in this session, written to a file for the agent.

Busy is what must not be disturbed: a kernel that computes, a terminal whose programs use the
processor. The last activity is that of kernels, of terminals and of people who change or open
something; that an open page asks for news every few seconds is none. Must stay cheap: a few
small files of /proc, and the file is only written when something changed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smalti_lab.sockets import Sockets

log = logging.getLogger("smalti_lab")

INTERVAL = 2.0
BUSY_SHARE = 0.05  # of a core; what only shows a clock takes less
# Each open page of JupyterLab holds exactly one of these.
PAGE = "/api/events/subscribe"
_TICKS = os.sysconf("SC_CLK_TCK")
_LOOKING = ("GET", "HEAD", "OPTIONS")


class Reporter:
    """Looks at the server's kernels, terminals and connections, and writes what it sees."""

    def __init__(self, serverapp: Any, sockets: Sockets, file: Path) -> None:
        self._app = serverapp
        self._sockets = sockets
        self._file = file
        self._last = datetime.now(UTC)
        self._cpu: dict[int, tuple[float, float]] = {}
        self._written = ""
        self._follow_requests(serverapp.web_app.settings)

    async def run(self) -> None:
        """Look and write, for ever."""
        while True:
            try:
                self._write(await self._look())
            except Exception:  # one strange kernel must not end all reports
                log.exception("What happens here could not be told")
            await asyncio.sleep(INTERVAL)

    def _follow_requests(self, settings: dict[str, Any]) -> None:
        """Note when somebody changes something or opens a page, as requests end."""
        logged = settings["log_function"]

        def note(handler: Any) -> None:
            request = handler.request
            page = request.headers.get("Sec-Fetch-Mode") == "navigate"
            if handler.get_status() < 400 and (page or request.method not in _LOOKING):
                self._last = datetime.now(UTC)
            logged(handler)

        settings["log_function"] = note

    async def _look(self) -> dict[str, Any]:
        busy = await self._busy_kernel() or self._busy_terminal()
        times = [kernel.last_activity for _, kernel in self._kernels()]
        times += [terminal.last_activity for terminal in self._terminals().values()]
        self._last = max([self._last, *times])
        if busy is not None:
            self._last = datetime.now(UTC)
        return {
            "last": self._last.isoformat(timespec="seconds"),
            "busy": busy,
            "connections": self._sockets.count(PAGE),
        }

    def _kernels(self) -> list[tuple[str, Any]]:
        manager = self._app.kernel_manager
        found = []
        for kernel_id in manager.list_kernel_ids():
            kernel = manager.get_kernel(kernel_id)
            if getattr(kernel, "last_activity", None) is not None:  # else it is being started
                found.append((kernel_id, kernel))
        return found

    def _terminals(self) -> dict[str, Any]:
        manager = self._app.web_app.settings.get("terminal_manager")
        return dict(manager.terminals) if manager is not None else {}

    async def _busy_kernel(self) -> str | None:
        ids = [kernel_id for kernel_id, one in self._kernels() if one.execution_state == "busy"]
        if not ids:
            return None
        for session in await self._app.session_manager.list_sessions():
            if session["kernel"] and session["kernel"]["id"] == ids[0]:
                name = session["name"] or session["path"]
                return f"kernel of {name} is busy"[:300]
        return "a kernel is busy"

    def _busy_terminal(self) -> str | None:
        """Compare what each terminal's programs have used with the last look."""
        found, now = None, time.monotonic()
        before, self._cpu = self._cpu, {}
        for name, terminal in self._terminals().items():
            pid = terminal.ptyproc.pid
            used = _cpu_seconds(pid)
            self._cpu[pid] = (now, used)
            if pid in before:
                then, used_then = before[pid]
                if used - used_then > BUSY_SHARE * (now - then):
                    found = f"a program in terminal {name} is busy"
        return found

    def _write(self, seen: dict[str, Any]) -> None:
        text = json.dumps(seen)
        if text == self._written:
            return
        beside = self._file.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self._file)
        self._written = text


def _cpu_seconds(pid: int) -> float:
    """Seconds that a process and all below it have used, those that ended included."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        with suppress(OSError):  # it has just ended
            text = Path(f"/proc/{one}/stat").read_text()
            total += sum(int(word) for word in text[text.rindex(")") + 2 :].split()[11:15])
            for task in os.listdir(f"/proc/{one}/task"):
                children = Path(f"/proc/{one}/task/{task}/children").read_text()
                waiting += [int(child) for child in children.split()]
    return total / _TICKS

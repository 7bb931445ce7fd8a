"""Stands over the person's program in its container: the shim, for a single run.

Copied into the pod by `checkout` beside `spawners.shim`, and started there by the interpreter of
the environment's image, so only the standard library is there. Differs from a shim on a machine
in three things: the wish to stop comes as a file that nobody can signal, so it is looked for four
times a second; a SIGTERM means that the pod is being deleted; what is in use is left in a file.

Usage: start.py FILE (the order)
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from spawners.shim import endings, files, processes
from spawners.shim.supervise import Supervision

SAMPLE = "sample"

_SAMPLE_EVERY = 2.0
_MEMORY_KILLS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


class InPod(Supervision):
    """The supervision of a run whose limits are the container's."""

    _taken = False
    _sample_due = 0.0
    _kills = 0

    def watch_deletion(self) -> None:
        """Take SIGTERM as the word that the pod is deleted."""
        signal.signal(signal.SIGTERM, self._on_term)
        self._kills = memory_kills()

    def _on_term(self, *_: object) -> None:
        self._taken = True

    def _see_stop(self) -> None:
        super()._see_stop()
        if self._taken and self.stopped is None:
            self._stop(endings.DELETED, self.order["grace"], "its pod was deleted")

    def _check_tree(self, now: float) -> None:
        super()._check_tree(now)
        self._see_stop()
        if now >= self._sample_due:
            self._sample_due = now + _SAMPLE_EVERY
            self._see_kills()
            used = processes.tree_usage(os.getpid())
            facts = {"at": files.now(), "cpu_seconds": used.cpu_seconds, "memory": used.memory}
            with suppress(OSError):  # a full disk must not end the run's watching process
                files.write(self.folder, SAMPLE, facts)

    def _see_kills(self) -> None:
        """Say of a run that endures when the kernel has ended a program of it."""
        kills = memory_kills() if self.order["endures"] else 0
        if kills > self._kills:
            self._kills = kills
            self._memory.say()

    def _limit_hit(self, code: int, reasons: dict[str, str]) -> endings.Ending:
        if code == -signal.SIGKILL and memory_kills() > 0:
            return endings.Ending(code, "out_of_memory", reasons["memory"])
        return super()._limit_hit(code, reasons)


def memory_kills() -> int:
    """How many processes of this container the kernel has ended for want of memory."""
    for file in _MEMORY_KILLS:
        with suppress(OSError, ValueError):
            for line in Path(file).read_text().splitlines():
                word, _, count = line.partition(" ")
                if word == "oom_kill":
                    return int(count)
    return 0


def main() -> int:
    """Run what the order says; the exit code is the program's."""
    with open(sys.argv[1], "rb") as file:
        order: dict[str, Any] = json.loads(file.read())
    folder = order["folder"]
    claim = {"shim": os.getpid(), "shim_start": 0, "boot_id": files.boot_id()}
    if not files.claim(folder, order["claim"] | claim):
        return 125  # a container that is started a second time must not run it again
    ours, _theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    supervision = InPod(folder, order, ours)
    supervision.watch_deletion()
    supervision.run()
    code = (files.record(folder) or {}).get("exit_code")
    if code is None:
        return 125
    return int(code) if code >= 0 else 128 - int(code)


if __name__ == "__main__":
    sys.exit(main())

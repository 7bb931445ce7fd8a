"""What becomes of a run at its memory limit: all of it ends, or its largest program does.

Used by `supervise`. With control groups the kernel chooses and kills; this says so in the log of
a run that goes on. Without them the largest program is chosen here. Must never choose the first
program of a run, which serves the others.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from spawners.shim import cgroups, processes
from spawners.shim.log import LogPump


class MemoryWatch:
    """One run's memory limit. `reason` says in words that it was reached.

    `remark` takes what is to be known of a run that goes on, beside its log.
    """

    def __init__(
        self,
        endures: bool,
        reason: str,
        group: cgroups.Group | None,
        log: LogPump,
        remark: Callable[[str], None],
    ) -> None:
        self._endures = endures
        self._remark = remark
        self._reason = reason
        self._group = group
        self._log = log
        self._kills = 0

    def tell(self) -> None:
        """Say so when the kernel has ended a program and the run goes on."""
        if self._endures and self._group is not None:
            with suppress(OSError):
                kills = cgroups.memory_kills(self._group)
                if kills > self._kills:
                    self._kills = kills
                    self.say()

    def end_largest(self, outer: int, inner: int | None) -> bool:
        """End the largest program of a run that endures; False when the run must end.

        `outer` and `inner` are the sandbox's own processes.
        """
        first = {outer}
        if inner is not None:
            first |= {inner, *processes.children(inner)[:1]}
        if not self._endures or not processes.kill_largest(os.getpid(), first):
            return False
        self.say()
        return True

    def ended_it(self, code: int) -> bool:
        """Say whether a run that ended with this code did so by the kernel's hand. OSError."""
        if self._group is None or (self._endures and code != -signal.SIGKILL):
            return False
        return cgroups.memory_kills(self._group) > 0

    def say(self) -> None:
        """Say that a program was ended and the run goes on."""
        said = f"{self._reason}: the largest program was ended"
        self._log.say(said)
        self._remark(f"{said} ({time.strftime('%H:%M:%S', time.gmtime())} UTC)")

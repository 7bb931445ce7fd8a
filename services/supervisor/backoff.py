"""When a process that ended is started again: pure decisions on times, no clock of its own.

Called by `child`. Times are monotonic seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

LONGEST = 15.0
CRASHES, WITHIN, REST = 6, 60.0, 60.0
STEADY = 30.0


@dataclass
class Backoff:
    """At once after a first crash, then 0.5 s doubling to 15 s; a minute's rest in a crash loop."""

    crashes: deque[float] = field(default_factory=lambda: deque(maxlen=CRASHES))
    looping: bool = False

    def crashed(self, at: float, lived: float) -> float:
        """Note a crash; return how many seconds to wait before the next start."""
        if lived >= STEADY:
            self.crashes.clear()
        self.crashes.append(at)
        self.looping = len(self.crashes) == CRASHES and at - self.crashes[0] < WITHIN
        if self.looping:
            return REST
        before = len(self.crashes) - 1
        return 0.0 if before == 0 else min(LONGEST, 0.5 * 2.0 ** (before - 1))

"""What is kept how long: one registry of clean-ups, run at start and every hour.

Each noun registers its own; storage knows the ones that belong to no noun (see `rows`). A
clean-up works in small transactions, so that writers of the moment never wait for it, and is
harmless when done twice.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from services.core.work import Work

log = logging.getLogger("smalti.retention")

CleanUp = Callable[[Work], Awaitable[int]]


class Retention:
    """The registry, one per platform process."""

    def __init__(self) -> None:
        self.clean_ups: dict[str, CleanUp] = {}

    def register(self, name: str, clean_up: CleanUp) -> None:
        """Have `clean_up` called; it returns how many things it let go."""
        if name in self.clean_ups:
            raise ValueError(f"{name} is registered already")
        self.clean_ups[name] = clean_up


class CleanUpFailed(Exception):
    """Some clean-ups failed; the loop tries again soon."""


async def clean_up(work: Work) -> None:
    """Run every clean-up. One that fails does not keep the others from running."""
    failed: list[str] = []
    for name, function in work.context.get(Retention).clean_ups.items():
        try:
            count = await function(work)
        except Exception:
            log.exception("cleaning up %s failed", name)
            failed.append(name)
            continue
        if count:
            log.info("cleaned up %d of %s", count, name)
    if failed:
        raise CleanUpFailed(", ".join(failed))

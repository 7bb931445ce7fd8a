"""Waiting until something of the platform's is as one wants it. Used by jobs and workspaces."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from smalti.errors import WaitedTooLong
from smalti.retries import Retry


class View(Protocol):
    """What is waited for: it has a status, and says why in `reason`."""

    @property
    def status(self) -> str: ...

    @property
    def reason(self) -> str | None: ...


V = TypeVar("V", bound=View)


def until(
    look: Callable[[], V],
    ended: Callable[[V], bool],
    *,
    name: str,
    timeout: float | None,
    changed: Callable[[V], None],
) -> V:
    """Look again and again until `ended` says so; return what was seen last.

    `changed` is called whenever status or reason are new, `name` is for the message of
    WaitedTooLong, which is raised after `timeout` seconds.
    """
    began, pace, shown = time.monotonic(), Retry(first=0.2, most=1.0), None
    turn = 1
    while True:
        view = look()
        if (view.status, view.reason) != shown:
            shown = (view.status, view.reason)
            changed(view)
        if ended(view):
            return view
        left = None if timeout is None else timeout - (time.monotonic() - began)
        if left is not None and left <= 0:
            raise WaitedTooLong(f"{name} is {view.status} after {timeout:g} s")
        time.sleep(min(pace.delay(turn), 1.0 if left is None else left))
        turn += 1

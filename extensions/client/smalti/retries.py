"""When to try again and how long to wait before: pure decisions on numbers.

Used by `transport` and `stream`. Delays grow and are random within their range, so that many
clients that lost one server do not come back all at once.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

RETRIED = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Retry:
    """How patient the client is. All in seconds.

    `patience` is the longest that one call goes on trying, `first` and `most` bound the
    delay between two tries, and `unreached` is the patience with a server that has never
    answered yet: a wrong address should be told at once, a restart be waited for.
    """

    patience: float = 30.0
    first: float = 0.2
    most: float = 5.0
    unreached: float = 1.0

    def delay(self, failures: int) -> float:
        """Draw the delay after the given number of failures in a row, from 1."""
        top = min(self.most, self.first * 2.0 ** min(failures - 1, 30))
        return random.uniform(top / 2, top)  # noqa: S311 - spreads clients, keeps no secret


class Trial:
    """One call's tries. `again` waits and answers True, or answers False: give up."""

    def __init__(self, retry: Retry, patience: float | None = None) -> None:
        self._retry = retry
        self._patience = retry.patience if patience is None else patience
        self._began = time.monotonic()
        self.failures = 0

    def again(self, *, after: float | None = None, patience: float | None = None) -> bool:
        """Wait before the next try, at least the `after` seconds the server asked for."""
        self.failures += 1
        delay = max(self._retry.delay(self.failures), after or 0.0)
        left = (self._patience if patience is None else patience) - (time.monotonic() - self._began)
        if delay > left:
            return False
        time.sleep(delay)
        return True

    def progressed(self) -> None:
        """Begin anew: what was tried has come forward meanwhile."""
        self._began, self.failures = time.monotonic(), 0


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Read a Retry-After header, seconds or a date, as seconds from now; None if unreadable."""
    if not value:
        return None
    if value.strip().isdecimal():
        return min(float(value), 86_400.0)
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, moment - (time.time() if now is None else now)), 86_400.0)

"""Rules on passwords and on guessing: pure decisions, the clock is given.

Used by `authenticator` and `password_pages`. It keeps no password.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

SHORTEST = 10
# bcrypt reads no further; a longer one would be cut without a word.
LONGEST_BYTES = 72


def complaint(password: str, *, name: str, old: str | None, common: bool) -> str | None:
    """Say what is wrong with a new password; None when it may be used."""
    if len(password) < SHORTEST:
        return f"The new password must have at least {SHORTEST} characters."
    if len(password.encode()) > LONGEST_BYTES:
        return f"The new password must have at most {LONGEST_BYTES} bytes."
    if common:
        return "The new password is one of the most used ones; please think of another."
    if len(set(password)) < 4:
        return "The new password repeats too few characters."
    if name.lower() in password.lower() and len(password) < len(name) + SHORTEST:
        return "The new password must not be built on your name."
    if old is not None and password == old:
        return "The new password must differ from the old one."
    return None


@dataclass
class Lockout:
    """Wrong passwords by name: after `allowed` of them every further try waits `rest` seconds.

    It is per name and short, so that a stranger can delay somebody but not lock them out.
    """

    allowed: int = 10
    rest: float = 60.0
    remembered: int = 10_000
    _failures: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def locked(self, name: str, at: float) -> bool:
        """Say whether this name must wait."""
        count, last = self._failures.get(name, (0, 0.0))
        return count >= self.allowed and at - last < self.rest

    def failed(self, name: str, at: float) -> None:
        """Note a wrong password; the oldest names are forgotten first."""
        count, last = self._failures.pop(name, (0, at))
        # After a rest the next ones are counted from half: guessing stays slow.
        if count >= self.allowed and at - last >= self.rest:
            count = self.allowed // 2
        self._failures[name] = (count + 1, at)
        while len(self._failures) > self.remembered:
            self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget a name's failures."""
        self._failures.pop(name, None)

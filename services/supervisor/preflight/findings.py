"""What was found out about one thing: well, wrong, or not to be seen from here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How it is. `UNSEEN` is no failure: what asks cannot see it."""

    GOOD = "ok"
    BAD = "BAD"
    UNSEEN = "?"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do unless all is well."""

    grade: Grade
    text: str
    remedy: str = ""

    def lines(self) -> list[str]:
        """Write it for a terminal."""
        return [f"{self.grade:<4} {self.text}", *([f"     {self.remedy}"] if self.remedy else [])]


def good(text: str) -> Finding:
    """All is well with it."""
    return Finding(Grade.GOOD, text)


def bad(text: str, remedy: str) -> Finding:
    """The chart will not work so."""
    return Finding(Grade.BAD, text, remedy)


def unseen(text: str, remedy: str) -> Finding:
    """It cannot be seen from here."""
    return Finding(Grade.UNSEEN, text, remedy)

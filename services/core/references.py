"""Who uses this? Each noun registers its own answer; deletion, lineage and clean-up ask here.

So a noun low in the house can be asked what depends on it without knowing who lives above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.core.database import Transaction


@dataclass(frozen=True)
class Reference:
    """One thing that uses another: its kind, id, a name for people, and whether it is live.

    A live reference forbids deletion; one that is not is history and goes along.
    """

    kind: str
    id: str
    name: str
    live: bool


Finder = Callable[[Transaction, str], list[Reference]]


class References:
    """The registry, one per platform process."""

    def __init__(self) -> None:
        self._finders: dict[str, list[Finder]] = {}

    def register(self, used_kind: str, finder: Finder) -> None:
        """Say that `finder` knows some of the users of things of this kind."""
        self._finders.setdefault(used_kind, []).append(finder)

    def to(self, tx: Transaction, used_kind: str, used_id: str) -> list[Reference]:
        """Find everything registered nouns know to use this thing."""
        found: list[Reference] = []
        for finder in self._finders.get(used_kind, []):
            found += finder(tx, used_id)
        return found

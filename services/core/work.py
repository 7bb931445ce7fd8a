"""What an action is given: who is asking, from where, and what there is to work with.

`Context` is the platform's wiring, one per process: nouns put their long-lived parts into it
by type (`context.provide(ObjectStore, store)`) and take others' out (`context.get(ObjectStore)`).
`Work` is one piece of work by one actor: an HTTP call or a turn of a loop. Its `read` and
`write` are the only way that actions reach the database; inside, `Work.of(tx)` gives it back,
so that audit rows know who did it without every function passing it on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

from services.core.actor import SYSTEM, Actor
from services.core.bus import Bus
from services.core.database import Database, Transaction
from services.core.settings import Settings

if TYPE_CHECKING:
    from services.core.idempotency import Once

P = ParamSpec("P")
T = TypeVar("T")


class Context:
    """The parts of one platform process, found by their type."""

    def __init__(self, settings: Settings, db: Database, bus: Bus) -> None:
        self.settings = settings
        self.db = db
        self.bus = bus
        self.closing: list[Callable[[], Awaitable[None]]] = []  # awaited when the process ends
        self._parts: dict[type, object] = {}

    def provide(self, kind: type[T], part: T) -> T:
        """Put a part in; each kind once."""
        if kind in self._parts:
            raise ValueError(f"{kind.__name__} is provided already")
        self._parts[kind] = part
        return part

    def get(self, kind: type[T]) -> T:
        """Take a part out. KeyError when the process was wired without it."""
        return cast("T", self._parts[kind])


@dataclass(frozen=True)
class Origin:
    """From where a piece of work came: for the audit trail and the logs."""

    address: str = ""
    request_id: str = ""
    means: str = "loop"


@dataclass
class Work:
    """One piece of work by one actor."""

    context: Context
    actor: Actor = SYSTEM
    origin: Origin = field(default_factory=Origin)
    once: Once | None = None
    if_match: str | None = None

    async def read(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a reading function in a snapshot."""
        return await self.context.db.read(self._bound(function), *args, **kwargs)

    async def write(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a writing function in a transaction.

        The first one of a call with an Idempotency-Key also keeps its result under that key,
        in the same transaction: either both are there after a crash or neither is.
        """
        bound = self._bound(function)
        if self.once is not None and not self.once.spent:
            bound = self.once.guarding(bound)
        return await self.context.db.write(bound, *args, **kwargs)

    def write_now(self, function: Callable[[Transaction], T]) -> T:
        """`write` in the calling thread, for what must be done before the process listens."""
        return self.context.db.write_now(self._bound(function))

    def _bound(
        self, function: Callable[Concatenate[Transaction, P], T]
    ) -> Callable[Concatenate[Transaction, P], T]:
        def run(tx: Transaction, /, *args: P.args, **kwargs: P.kwargs) -> T:
            tx.__dict__["work"] = self
            return function(tx, *args, **kwargs)

        return run

    @staticmethod
    def of(tx: Transaction) -> Work:
        """Give back the work that a transaction belongs to."""
        return cast("Work", tx.__dict__["work"])


def actor_of(tx: Transaction) -> Actor:
    """Say who is asking in this transaction."""
    return Work.of(tx).actor


def context_of(tx: Transaction) -> Context:
    """Give the wiring of the process that this transaction runs in."""
    return Work.of(tx).context


def settings_of(tx: Transaction) -> Settings:
    """Give the settings, for limits that are checked in a transaction."""
    return context_of(tx).settings

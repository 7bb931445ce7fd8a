"""The platform's database: one writer, many readers, transactions that never wait on the world.

A transaction is a plain function of a `Transaction`. It runs in a thread, so the event loop
never waits for the database; and because it is not a coroutine it cannot await outside I/O
while it holds the write lock. It may run more than once (PostgreSQL asks for a retry when two
serializable transactions collide): it must do nothing but read and write through `tx`;
whatever must follow a commit goes into `tx.on_commit`.

SQLite: write-ahead log, `BEGIN IMMEDIATE`, one writer thread with its own connection (see
`core.writer`), readers apart, a busy time-out of 15 s. PostgreSQL: serializable, as many
writers as the pool has.
Called by `Work` (which adds who is asking) and by the loops. Must never be used from handlers.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Engine, MetaData, create_engine
from sqlalchemy import event as sa_event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from services.core.errors import Unavailable
from services.core.transactions import Transaction
from services.core.writer import Writer

__all__ = ["Database", "Transaction", "metadata", "one_off_engine"]

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("smalti.database")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

BUSY_SECONDS = 15
READERS = 4
POSTGRES_WRITERS = 8
WAL_KEPT = 64 << 20  # bytes of the write-ahead log's file that a checkpoint leaves
RETRIES = 8
_RETRY_STATES = {"40001", "40P01"}  # serialization failure, deadlock
# Who has collided goes on in turns, or many at once would collide until their tries are used up.
# Only LOCK may come before the snapshot; `leases` is written seldom and never for long.
_TAKE_TURNS = "LOCK TABLE leases IN EXCLUSIVE MODE"


class Database:
    """The engines and threads behind `read` and `write`."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.statements = 0  # executed so far; tests budget them per route
        self._writing = self._engine(1 if self.is_sqlite else POSTGRES_WRITERS, writes=True)
        self._reading = self._engine(READERS, writes=False)
        self._readers = ThreadPoolExecutor(READERS, "db-read")
        self._writer = Writer(self._writing) if self.is_sqlite else None
        self._writers = ThreadPoolExecutor(POSTGRES_WRITERS, "db-write")

    async def read(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a reading function in a snapshot of its own, in a reader's thread."""
        call = partial(_attempts, self._reading, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._readers, call)

    async def write(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a writing function in a transaction; all of it is kept, or nothing."""
        if self._writer is None:
            call = partial(_attempts, self._writing, function, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._writers, call)
        future = self._writer.submit(lambda tx: function(tx, *args, **kwargs))
        try:
            return cast("T", await asyncio.wrap_future(future))
        except DBAPIError as error:
            raise _public(error) from error

    def read_now(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`read` in the calling thread, for programs without an event loop."""
        return _attempts(self._reading, function, *args, **kwargs)

    def write_now(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`write` without an event loop, for set-up and tests."""
        if self._writer is None:
            return _attempts(self._writing, function, *args, **kwargs)
        future = self._writer.submit(lambda tx: function(tx, *args, **kwargs))
        try:
            return cast("T", future.result())
        except DBAPIError as error:
            raise _public(error) from error

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writing

    def close(self) -> None:
        """Finish what is under way and let go of all connections."""
        if self._writer is not None:
            self._writer.close()
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._writing.dispose()
        self._reading.dispose()

    def _engine(self, connections: int, *, writes: bool) -> Engine:
        if self.is_sqlite:
            engine = _sqlite_engine(str(self.url), connections, writes=writes)
        else:
            engine = create_engine(
                self.url,
                pool_size=connections,
                max_overflow=0,
                pool_pre_ping=True,
                isolation_level="SERIALIZABLE" if writes else "REPEATABLE READ",
            )
        sa_event.listen(engine, "before_cursor_execute", self._count)
        return engine

    def _count(self, *_: Any) -> None:
        self.statements += 1


def _attempts(engine: Engine, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    for attempt in range(RETRIES):
        try:
            return _once(engine, attempt > 0, function, *args, **kwargs)
        except DBAPIError as error:
            if attempt == RETRIES - 1 or not _worth_retrying(error):
                raise _public(error) from error
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - only jitter
    raise AssertionError("unreachable")


def _once(
    engine: Engine, collided: bool, function: Callable[..., T], *args: Any, **kwargs: Any
) -> T:
    with engine.connect() as connection:
        with connection.begin():
            if collided and engine.dialect.name == "postgresql":
                connection.exec_driver_sql(_TAKE_TURNS)
            tx = Transaction(connection)
            result = function(tx, *args, **kwargs)
        for then in tx.after_commit:
            then()
        return result


def _sqlite_engine(url: str, connections: int, *, writes: bool) -> Engine:
    # The driver opens transactions by its own rules unless it is told to keep out of it:
    # isolation_level None here, and an explicit BEGIN below.
    arguments = {"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
    if ":memory:" in url or url == "sqlite://":
        raise ValueError("the platform's SQLite database is a file: readers have their own view")
    engine = create_engine(
        url, connect_args=arguments, pool_size=connections, max_overflow=2 if not writes else 0
    )

    @sa_event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # an accepted job survives a power cut
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-16000")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute(f"PRAGMA journal_size_limit={WAL_KEPT}")

    @sa_event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def one_off_engine(url: str) -> Engine:
    """Make an engine that keeps no connection, for migrations and checks."""
    return create_engine(url, poolclass=NullPool)


def _worth_retrying(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _RETRY_STATES


def _public(error: DBAPIError) -> Exception:
    """Say in plain words what a person can wait for; anything else stays as it is."""
    if _worth_retrying(error):
        return Unavailable("The database is busy.", code="database_busy")
    if isinstance(error, OperationalError) or error.connection_invalidated:
        text = str(error.orig)
        if "disk is full" in text or "No space left" in text:
            log.error("the database's disk is full")
            return Unavailable("The disk is full: nothing can be written.", code="disk_full")
        if "locked" in text:
            return Unavailable("The database is busy.", code="database_busy")
        log.error("database: %s", text.splitlines()[0] if text else type(error.orig).__name__)
        return Unavailable("The database is away.", code="database_away")
    return error

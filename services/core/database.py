"""The platform's database: one writer, many readers, transactions that never wait on the world.

A transaction is a plain function of a `Transaction`. It runs in a thread, so the event loop
never waits for the database; and because it is not a coroutine it cannot await outside I/O
while it holds the write lock. It may run more than once (PostgreSQL asks for a retry when two
serializable transactions collide): it must do nothing but read and write through `tx`;
whatever must follow a commit goes into `tx.on_commit`.

SQLite: write-ahead log, `BEGIN IMMEDIATE`, one writer thread with its own connection, readers
apart, a busy time-out of 15 s. PostgreSQL: serializable, as many writers as the pool has.
Called by `Work` (which adds who is asking) and by the loops. Must never be used from handlers.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, Executable, MetaData, Row, create_engine
from sqlalchemy import event as sa_event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from services.core.errors import NotFound, Unavailable

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
RETRIES = 8
_RETRY_STATES = {"40001", "40P01"}  # serialization failure, deadlock


class Transaction:
    """One open transaction: what actions and stores are given.

    Nobody outside this module opens or commits one; an exception rolls it back.
    """

    def __init__(self, connection: Connection, *, writes: bool) -> None:
        self.connection = connection
        self.writes = writes
        self.now = datetime.now(UTC)
        self.after_commit: list[Callable[[], None]] = []

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Run a statement; a list of values runs it once for each."""
        return self.connection.execute(statement, values)

    def first(self, statement: Executable) -> Row[Any] | None:
        """Return the first row, or None."""
        return self.connection.execute(statement).first()

    def one(self, statement: Executable, what: str = "it") -> Row[Any]:
        """Return the first row. Raises NotFound, naming `what`, when there is none."""
        row = self.first(statement)
        if row is None:
            raise NotFound(f"{what} does not exist")
        return row

    def all(self, statement: Executable) -> Sequence[Row[Any]]:
        """Return all rows."""
        return self.connection.execute(statement).all()

    def scalar(self, statement: Executable) -> Any:
        """Return the first column of the first row, or None."""
        return self.connection.execute(statement).scalar()

    def on_commit(self, then: Callable[[], None]) -> None:
        """Call `then` in the writer's thread once this is committed; not if it is rolled back."""
        self.after_commit.append(then)


class Database:
    """The engines and threads behind `read` and `write`."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.statements = 0  # executed so far; tests budget them per route
        writers = 1 if self.is_sqlite else POSTGRES_WRITERS
        self._writer = self._engine(writers, writes=True)
        self._reader = self._engine(READERS, writes=False)
        self._write_threads = ThreadPoolExecutor(writers, "db-write")
        self._read_threads = ThreadPoolExecutor(READERS, "db-read")

    async def read(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a reading function in a snapshot of its own, in a reader's thread."""
        return await self._submit(self._read_threads, self.read_now, function, *args, **kwargs)

    async def write(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a writing function in a transaction; all of it is kept, or nothing."""
        return await self._submit(self._write_threads, self.write_now, function, *args, **kwargs)

    def read_now(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`read` in the calling thread, for programs without an event loop."""
        return self._attempts(self._reader, False, function, *args, **kwargs)

    def write_now(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`write` in the calling thread, for set-up and tests."""
        return self._attempts(self._writer, True, function, *args, **kwargs)

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    def close(self) -> None:
        """Finish what is under way and let go of all connections."""
        self._write_threads.shutdown(wait=True)
        self._read_threads.shutdown(wait=True)
        self._writer.dispose()
        self._reader.dispose()

    async def _submit(
        self, threads: ThreadPoolExecutor, runner: Callable[..., T], *args: Any, **kwargs: Any
    ) -> T:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, lambda: context.run(runner, *args, **kwargs))

    def _attempts(
        self, engine: Engine, writes: bool, function: Callable[..., T], *args: Any, **kwargs: Any
    ) -> T:
        for attempt in range(RETRIES):
            try:
                return self._once(engine, writes, function, *args, **kwargs)
            except DBAPIError as error:
                if attempt == RETRIES - 1 or not _worth_retrying(error):
                    raise _public(error) from error
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - only jitter
        raise AssertionError("unreachable")

    def _once(
        self, engine: Engine, writes: bool, function: Callable[..., T], *args: Any, **kwargs: Any
    ) -> T:
        with engine.connect() as connection:
            with connection.begin():
                tx = Transaction(connection, writes=writes)
                result = function(tx, *args, **kwargs)
            for then in tx.after_commit:
                then()
            return result

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

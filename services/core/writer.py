"""The one writer of a SQLite database: what waits together is committed together.

A commit that survives a power cut costs a few milliseconds of waiting for the disk, whatever
is in it. So while one commit waits, the next writers gather, and the next transaction takes
them all: each function runs in a savepoint of its own and fails or succeeds by itself, and
nobody hears of success before the disk has it. (One that is alone has the transaction for its
savepoint.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine

from services.core.transactions import Transaction

MOST = 64  # functions in one commit


@dataclass
class Task:
    """A function that waits for its turn, and the future of whoever waits for it."""

    function: Callable[[Transaction], Any]
    future: Future[Any]
    after_commit: list[Callable[[], None]]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """A thread that runs writing functions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[Transaction], Any]) -> Future[Any]:
        """Have a function run in a transaction; its result is there once it is on disk."""
        task = Task(function, Future(), [])
        self._tasks.put(task)
        return task.future

    def close(self) -> None:
        """Run what waits, then end the thread."""
        self._tasks.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            first = self._tasks.get()
            if first is None:
                return
            tasks = [first]
            while len(tasks) < MOST:
                try:
                    following = self._tasks.get_nowait()
                except Empty:
                    break
                if following is None:
                    open_ = False
                    break
                tasks.append(following)
            self._serve([task for task in tasks if task.future.set_running_or_notify_cancel()])

    def _serve(self, tasks: list[Task]) -> None:
        try:
            with self._engine.connect() as connection:
                transaction = connection.begin()
                if len(tasks) == 1:
                    _alone(connection, tasks[0])
                else:
                    for task in tasks:
                        _attempt(connection, task)
                if all(task.error for task in tasks):
                    transaction.rollback()  # nothing to keep, and no disk to wait for
                else:
                    transaction.commit()
        except BaseException as error:  # noqa: BLE001 - each of them hears it by its future
            for task in tasks:
                task.error = task.error or error
        for task in tasks:
            _settle(task)


def _attempt(connection: Connection, task: Task) -> None:
    """Run one task in a savepoint. Raises when the whole transaction is lost with it."""
    tx = Transaction(connection)
    savepoint = connection.begin_nested()
    try:
        task.result = task.function(tx)
        savepoint.commit()
        task.after_commit = tx.after_commit
    except BaseException as error:
        task.error = error
        driver = connection.connection.dbapi_connection
        if driver is None or not driver.in_transaction:
            # A full disk has SQLite roll back everything at once, earlier tasks included.
            raise
        savepoint.rollback()


def _alone(connection: Connection, task: Task) -> None:
    """Run the only task of a transaction, which is rolled back with it."""
    tx = Transaction(connection)
    try:
        task.result = task.function(tx)
        task.after_commit = tx.after_commit
    except BaseException as error:  # noqa: BLE001 - whoever waits hears it by the future
        task.error = error


def _settle(task: Task) -> None:
    if task.error is not None:
        task.future.set_exception(task.error)
        return
    for then in task.after_commit:
        then()
    task.future.set_result(task.result)

"""Writers that wait together commit together, and each still fails or succeeds by itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, event, insert, select

from services.core.database import Database, Transaction
from services.core.errors import Conflict

table = Table("numbers", MetaData(), Column("n", Integer, primary_key=True))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A SQLite database with one table."""
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    table.create(database.engine)
    yield database
    database.close()


def put(tx: Transaction, number: int) -> int:
    """Write a number; thirteen is refused after it was written."""
    tx.execute(insert(table).values(n=number))
    if number == 13:
        raise Conflict("not thirteen")
    return number


def numbers(tx: Transaction) -> list[int]:
    """Read all numbers."""
    return [row.n for row in tx.all(select(table).order_by(table.c.n))]


async def test_each_of_many_stands_for_itself(db: Database) -> None:
    results = await asyncio.gather(
        *(db.write(put, number) for number in range(100)), return_exceptions=True
    )
    assert [result for result in results if not isinstance(result, Conflict)] == [
        number for number in range(100) if number != 13
    ]
    assert await db.read(numbers) == [number for number in range(100) if number != 13]


async def test_a_broken_rule_of_the_database_breaks_one_alone(db: Database) -> None:
    results = await asyncio.gather(
        *(db.write(put, number) for number in (1, 2, 2, 3)), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results] == [False, False, True, False]
    assert await db.read(numbers) == [1, 2, 3]


async def test_what_waits_together_is_one_commit(db: Database) -> None:
    commits: list[None] = []
    event.listen(db.engine, "commit", lambda _: commits.append(None))
    gate = threading.Event()

    def wait(tx: Transaction) -> None:
        gate.wait(10)

    first = asyncio.create_task(db.write(wait))
    await asyncio.sleep(0)
    others = [asyncio.create_task(db.write(put, number)) for number in range(20, 40)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *others)
    assert len(commits) <= 3


async def test_what_follows_a_commit_does_not_follow_a_refusal(db: Database) -> None:
    called: list[int] = []

    def do(tx: Transaction, number: int) -> None:
        tx.on_commit(lambda: called.append(number))
        put(tx, number)

    await asyncio.gather(*(db.write(do, number) for number in (12, 13, 14)), return_exceptions=True)
    assert sorted(called) == [12, 14]


async def test_nothing_of_a_lost_transaction_is_told_as_done(db: Database) -> None:
    def lose(tx: Transaction) -> None:
        # What SQLite itself does when the disk is full: the whole transaction is gone.
        driver = tx.connection.connection.dbapi_connection
        assert driver is not None
        driver.execute("ROLLBACK")
        raise OSError("disk is full")

    gate = threading.Event()
    first = asyncio.create_task(db.write(lambda tx: gate.wait(10)))
    await asyncio.sleep(0)
    tasks = [
        asyncio.create_task(db.write(put, 1)),
        asyncio.create_task(db.write(lose)),
        asyncio.create_task(db.write(put, 2)),
    ]
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    kept = await db.read(numbers)
    told = [result for result in results[1:] if isinstance(result, int)]
    assert told == kept
    assert await db.write(put, 5) == 5

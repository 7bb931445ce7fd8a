"""Transactions: all or nothing, on both databases; idempotency, leases and the audit chain."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, update

from services.core import audit
from services.core.actor import Actor
from services.core.database import Database, Transaction
from services.core.errors import BadRequest, NotFound, Unprocessable
from services.core.events import publish
from services.core.idempotency import Once, Replay
from services.core.loops import take
from services.core.rights import Principal
from services.core.tables import audit_events, events, idempotency_keys, leases
from services.core.work import Work
from tests.house import House

ALICE = Actor(Principal.PERSON, "alice-id", "alice", person_id="alice-id")


def count(tx: Transaction) -> int:
    """Count the rows that `add` made; a running house takes leases of its own."""
    mine = leases.c.holder == "me"
    return int(tx.scalar(select(func.count()).select_from(leases).where(mine)))


def add(tx: Transaction, name: str) -> None:
    """Add a row."""
    tx.execute(insert(leases).values(name=name, holder="me", expires_at=tx.now))


def test_an_exception_undoes_all_and_what_follows_a_commit_is_left_out(db: Database) -> None:
    called: list[str] = []

    def broken(tx: Transaction) -> None:
        tx.on_commit(lambda: called.append("broken"))
        add(tx, "a")
        raise NotFound("no")

    with pytest.raises(NotFound):
        db.write_now(broken)
    assert db.read_now(count) == 0

    def whole(tx: Transaction) -> None:
        tx.on_commit(lambda: called.append("whole"))
        add(tx, "a")

    db.write_now(whole)
    assert db.read_now(count) == 1
    assert called == ["whole"]


def test_counting_up_side_by_side_loses_nothing(db: Database) -> None:
    db.write_now(add, "0")

    def up(tx: Transaction) -> None:
        number = int(tx.scalar(select(leases.c.name)))
        time.sleep(0.005)  # widens the window in which another would read the same
        tx.execute(update(leases).values(name=str(number + 1)))

    async def many() -> None:
        await asyncio.gather(*(db.write(up) for _ in range(12)))

    asyncio.run(many())
    assert db.read_now(lambda tx: tx.scalar(select(leases.c.name))) == "12"


def test_a_reader_sees_one_state_and_does_not_wait_for_the_writer(db: Database) -> None:
    writing, read = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        add(tx, "a")
        writing.set()
        assert read.wait(10)

    writer = threading.Thread(target=db.write_now, args=(slow,))
    writer.start()
    assert writing.wait(10)
    assert db.read_now(count) == 0
    read.set()
    writer.join()
    assert db.read_now(count) == 1


async def test_the_event_loop_goes_on_while_the_database_works(db: Database) -> None:
    def slow(tx: Transaction) -> None:
        time.sleep(0.3)

    working = asyncio.create_task(db.write(slow))
    beats = 0
    while not working.done():
        await asyncio.sleep(0.01)
        beats += 1
    assert beats > 10


def test_a_lease_is_one_holders_until_it_ends(db: Database) -> None:
    assert db.write_now(take, "loop", "one", 10)
    assert db.write_now(take, "loop", "one", 10)
    assert not db.write_now(take, "loop", "two", 10)
    assert db.write_now(take, "other", "two", 10)
    db.write_now(lambda tx: tx.execute(update(leases).values(expires_at=tx.now)) and None)
    assert db.write_now(take, "loop", "two", 10)
    assert not db.write_now(take, "loop", "one", 10)


async def test_of_many_who_ask_at_once_one_gets_the_lease(db: Database) -> None:
    names = [f"holder-{number}" for number in range(8)]
    got = await asyncio.gather(*(db.write(take, "loop", name, 10) for name in names))
    assert sum(got) == 1


async def test_an_idempotent_call_is_done_once_even_side_by_side(house_on_both: House) -> None:
    context = house_on_both.context

    def deed(tx: Transaction) -> dict[str, int]:
        add(tx, f"lease-{count(tx)}")
        return {"leases": count(tx)}

    async def call() -> dict[str, int]:
        work = Work(context, ALICE, once=Once(ALICE.id, "key", "same request"))
        try:
            return await work.write(deed)
        except Replay as replay:
            answer: dict[str, int] = json.loads(replay.answer)
            return answer

    answers = await asyncio.gather(*(call() for _ in range(6)))
    assert answers == [{"leases": 1}] * 6
    assert await context.db.read(count) == 1
    with pytest.raises(Unprocessable):
        await Work(context, ALICE, once=Once(ALICE.id, "key", "another request")).write(deed)
    # Another person's key of the same name is another key.
    other = Work(context, ALICE, once=Once("bob-id", "key", "same request"))
    assert await other.write(deed) == {"leases": 2}


async def test_a_call_that_failed_may_be_tried_again(house_on_both: House) -> None:
    context = house_on_both.context

    def broken(tx: Transaction) -> None:
        raise NotFound("not yet")

    for _ in range(2):
        with pytest.raises(NotFound):
            await Work(context, ALICE, once=Once(ALICE.id, "k", "f")).write(broken)
    rows = await context.db.read(
        lambda tx: tx.scalar(select(func.count()).select_from(idempotency_keys))
    )
    assert rows == 0


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(BadRequest):
        Once("a", key, "f")


async def note(house: House, action: str) -> None:
    """Write an audit row by alice."""
    work = Work(house.context, ALICE)
    await work.write(lambda tx: audit.record(tx, action, "thing", "1", after={"n": action}))


async def test_the_audit_chain_holds_and_shows_every_tampering(house_on_both: House) -> None:
    house = house_on_both
    verify = house.context.db.read
    await asyncio.gather(*(note(house, f"act-{number}") for number in range(8)))
    assert await verify(audit.verify) is None
    positions = await house.context.db.read(
        lambda tx: [row.position for row in tx.all(select(audit_events.c.position))]
    )
    middle = sorted(positions)[-4]
    here = audit_events.c.position == middle
    original = await house.context.db.read(
        lambda tx: tx.scalar(select(audit_events.c.actor_name).where(here))
    )

    async def alter(statement: object) -> None:
        await house.context.db.write(lambda tx: tx.execute(statement) and None)

    await alter(update(audit_events).where(here).values(actor_name="somebody else"))
    assert await verify(audit.verify) == middle
    await alter(update(audit_events).where(here).values(actor_name=original))
    assert await verify(audit.verify) is None
    await alter(delete(audit_events).where(here))
    assert await verify(audit.verify) == min(one for one in positions if one > middle)


async def test_what_is_undone_is_not_in_the_trail(house: House) -> None:
    def broken(tx: Transaction) -> None:
        audit.record(tx, "never", "thing", "1")
        publish(tx, "person.changed", "1", {})
        raise NotFound("no")

    with pytest.raises(NotFound):
        await Work(house.context, ALICE).write(broken)

    def left(tx: Transaction) -> int:
        trail = select(func.count()).where(audit_events.c.action == "never")
        told = select(func.count()).where(events.c.subject_id == "1")
        return int(tx.scalar(trail)) + int(tx.scalar(told))

    assert await house.context.db.read(left) == 0


def test_sqlite_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="is a file"):
        Database("sqlite://")


def test_a_locked_sqlite_file_is_waited_for(tmp_path: Path) -> None:
    import sqlite3

    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    db = Database(url)
    leases.create(db.engine)
    other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.0, lambda: other.execute("COMMIT"))
    timer.start()
    db.write_now(add, "a")
    assert db.read_now(count) == 1
    timer.join()
    other.close()
    db.close()

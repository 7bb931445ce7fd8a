"""What is cleaned away, when, and that one failing clean-up does not stop the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select

from services.core.bus import Bus
from services.core.database import Database, Transaction
from services.core.settings import Settings
from services.core.tables import events, idempotency_keys, web_logins, web_sessions
from services.core.work import Context, Work
from services.storage import rows
from services.storage.retention import CleanUpFailed, Retention, clean_up


@pytest.fixture
def work(db: Database) -> Work:
    context = Context(Settings(home="/nowhere", keep_events_days=7), db, Bus())
    rows.register(context.provide(Retention, Retention()))
    return Work(context)


def put(tx: Transaction, table: Table, values: list[dict[str, Any]]) -> None:
    tx.execute(insert(table), values)


def count(tx: Transaction, table: Table) -> int:
    return int(tx.scalar(select(func.count()).select_from(table)) or 0)


def event(age: timedelta) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC) - age,
        "topic": "jobs",
        "kind": "job.changed",
        "subject_id": "x",
        "data": {},
    }


async def test_old_rows_go_and_young_ones_stay(work: Work) -> None:
    now = datetime.now(UTC)
    old, young = timedelta(days=8), timedelta(days=6)
    await work.write(put, events, [event(old)] * 5 + [event(young)] * 3)
    key = {"actor_id": "a", "fingerprint": "f", "answer": "{}"}
    ages = {"old": timedelta(hours=25), "young": timedelta(hours=23)}
    await work.write(
        put,
        idempotency_keys,
        [{**key, "key": name, "created_at": now - age} for name, age in ages.items()],
    )
    login = {"verifier": "v", "next_path": "/"}
    await work.write(
        put,
        web_logins,
        [
            {**login, "state_hash": "old", "created_at": now - timedelta(minutes=11)},
            {**login, "state_hash": "young", "created_at": now - timedelta(minutes=9)},
        ],
    )
    session = {"sealed_token": "t", "xsrf": "x", "created_at": now}
    await work.write(
        put,
        web_sessions,
        [
            {**session, "session_hash": "ended", "expires_at": now - timedelta(minutes=1)},
            {**session, "session_hash": "open", "expires_at": now + timedelta(minutes=1)},
        ],
    )
    await clean_up(work)
    assert await work.read(count, events) == 3
    for table in (idempotency_keys, web_logins, web_sessions):
        assert await work.read(count, table) == 1
    await clean_up(work)
    assert await work.read(count, events) == 3


async def test_the_newest_event_stays_so_that_positions_never_begin_anew(work: Work) -> None:
    await work.write(put, events, [event(timedelta(days=30))] * 4)
    await clean_up(work)
    await work.write(put, events, [event(timedelta(0))])
    found = await work.read(lambda tx: [row.position for row in tx.all(select(events))])
    assert found == [4, 5]


async def test_many_rows_go_in_several_small_transactions(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "AT_ONCE", 10)
    await work.write(put, events, [event(timedelta(days=30))] * 35)
    assert await work.context.get(Retention).clean_ups["events"](work) == 34


async def test_a_failing_clean_up_does_not_stop_the_others(work: Work) -> None:
    done: list[str] = []
    retention = work.context.get(Retention)

    async def breaks(_: Work) -> int:
        raise OSError("the store is away")

    async def counts(_: Work) -> int:
        done.append("counts")
        return 1

    retention.register("breaks", breaks)
    retention.register("counts", counts)
    with pytest.raises(ValueError):
        retention.register("counts", counts)
    with pytest.raises(CleanUpFailed, match="breaks"):
        await clean_up(work)
    assert done == ["counts"]

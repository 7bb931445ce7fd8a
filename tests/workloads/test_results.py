"""Logs and outputs as agents put them: by offset and path, so that nothing counts twice."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import event, update

from services.planes.protocol import Outcome, Phase
from services.workloads import logs, merging, outputs, retention
from services.workloads.tables import workloads
from tests.workloads.agent import ScriptedAgent
from tests.workloads.conftest import Queue


async def running(queue: Queue) -> tuple[ScriptedAgent, str]:
    """Have one workload running."""
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    await agent.poll()
    await agent.say(workload_id, Phase.RUNNING)
    return agent, workload_id


async def whole_log(queue: Queue, workload_id: str) -> bytes:
    """Read all that is stored."""
    now = await queue.work.read(logs.look, workload_id, 0)
    return b"".join([piece async for piece in logs.read(queue.work, now, 0)])


async def test_pieces_make_up_the_log_whatever_is_repeated(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    for offset, data, end in [
        (0, b"hello ", 6),
        (0, b"hello ", 6),  # the same again
        (3, b"lo world", 11),  # begins before the end: only what is new is taken
        (20, b"from afar", 11),  # begins after the end: not taken
        (0, b"", 11),
    ]:
        response = await agent.put_log(workload_id, offset, data)
        assert response.json() == {"end": end}, (offset, data)
    assert await whole_log(queue, workload_id) == b"hello world"


async def test_a_log_is_its_attempts_one_after_another(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    await agent.put_log(workload_id, 0, b"first\n")
    mishap = {"outcome": Outcome.ERROR, "reason": "gone", "retryable": True}
    await agent.say(workload_id, Phase.FINISHED, **mishap)
    assert (await queue.row(workload_id)).attempt == 2
    response = await agent.put_log(workload_id, 0, b"late", attempt=1)
    assert response.status_code == 404
    await agent.put_log(workload_id, 0, b"second\n", attempt=2)
    assert await whole_log(queue, workload_id) == b"first\nsecond\n"
    now = await queue.work.read(logs.look, workload_id, 8)
    tail = b"".join([piece async for piece in logs.read(queue.work, now, 8)])
    assert tail == b"cond\n"


async def test_many_small_pieces_become_few_and_the_bytes_stay(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    expected = b""
    for number in range(2 * merging.MANY + 5):
        line = f"line {number}\n".encode()
        await agent.put_log(workload_id, len(expected), line)
        expected += line
    assert await whole_log(queue, workload_id) == expected
    now = await queue.work.read(logs.look, workload_id, 0, 1000)
    assert len(now.pieces) < merging.MANY
    for offset in (0, 1, 500, len(expected) - 3):
        now = await queue.work.read(logs.look, workload_id, offset)
        rest = b"".join([piece async for piece in logs.read(queue.work, now, offset)])
        assert rest == expected[offset:]
    files = list((queue.house.home / "platform" / "objects").rglob("*"))
    assert len([one for one in files if one.is_file()]) < merging.MANY


async def test_a_run_that_is_over_is_counted_no_more(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    counted = queue.house.context.get(merging.Merging)._taken
    await agent.put_log(workload_id, 0, b"line\n")
    assert counted[workload_id, 1] == 1
    await agent.say(workload_id, Phase.FINISHED, outcome=Outcome.SUCCEEDED)
    assert dict(counted) == {}


async def test_a_log_over_its_limit_is_not_taken(queue: Queue) -> None:
    queue.house.settings.log_max = 100
    agent, workload_id = await running(queue)
    await agent.put_log(workload_id, 0, b"x" * (100 + logs.NOTICE_ROOM + 1))
    response = await agent.put_log(workload_id, 100 + logs.NOTICE_ROOM + 1, b"more")
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


async def test_a_piece_has_a_largest_size(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    response = await agent.put_log(workload_id, 0, b"x" * (logs.PIECE_MOST + 1))
    assert response.status_code == 400
    assert await whole_log(queue, workload_id) == b""


async def test_an_output_is_put_once_whatever_is_repeated(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    data = b"\x00\x01" * 5000
    digest = hashlib.sha256(data).hexdigest()
    for _ in range(2):
        response = await agent.put_output(workload_id, "plots/a%20b.bin", data, digest)
        assert response.json() == {"path": "plots/a b.bin", "size": 10_000, "sha256": digest}
    rows = await queue.work.read(outputs.of, workload_id, 1)
    assert [(row.path, row.size) for row in rows] == [("plots/a b.bin", 10_000)]


async def test_an_output_that_is_not_what_was_announced_is_not_kept(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    response = await agent.put_output(workload_id, "a.bin", b"data", "0" * 64)
    assert response.status_code == 422
    assert await queue.work.read(outputs.of, workload_id, 1) == []


async def test_paths_that_lead_elsewhere_are_refused(queue: Queue) -> None:
    agent, workload_id = await running(queue)
    for path in ("%2e%2e/x", "a//b", "a/%2e/b", "a%5cb", "%2fetc", "a%0ab", "x" * 1025):
        response = await agent.put_output(workload_id, path, b"data")
        assert response.status_code == 400, path
    assert await queue.work.read(outputs.of, workload_id, 1) == []


async def test_outputs_beyond_their_limits_are_refused(queue: Queue) -> None:
    queue.house.settings.outputs_max = 10
    agent, workload_id = await running(queue)
    assert (await agent.put_output(workload_id, "a", b"12345678")).status_code == 200
    assert (await agent.put_output(workload_id, "b", b"12345678")).status_code == 413
    queue.house.settings.output_files_max = 1
    assert (await agent.put_output(workload_id, "c", b"1")).status_code == 413
    rows = await queue.work.read(outputs.of, workload_id, 1)
    assert [row.path for row in rows] == ["a"]


@pytest.mark.parametrize("thing", retention.THINGS, ids=lambda thing: thing.word)
async def test_retention_finds_its_work_by_an_index(queue: Queue, thing: retention.Kept) -> None:
    """It must not go through a year's runs at each turn, cleaned long ago."""
    setattr(queue.house.settings, thing.setting, 1)
    asked: list[tuple[str, Any]] = []

    def look(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    engine = queue.house.context.db._reading
    event.listen(engine, "before_cursor_execute", look)
    assert await queue.work.read(retention._over, thing) == []
    event.remove(engine, "before_cursor_execute", look)
    # The platform's loops ask meanwhile, of the same table.
    statement, parameters = next(one for one in asked if "workloads.kept IN" in one[0])
    explain = f"EXPLAIN QUERY PLAN {statement}"
    plan = await queue.work.read(
        lambda tx: tx.connection.exec_driver_sql(explain, parameters).all()
    )
    [step] = [row[3] for row in plan]
    assert "ix_workloads_finished (kept=? AND finished_at<?)" in step


async def test_retention_takes_what_is_over_and_says_so(queue: Queue) -> None:
    from services.storage import Retention

    agent, workload_id = await running(queue)
    await agent.put_log(workload_id, 0, b"old")
    await agent.put_output(workload_id, "a", b"kept for ever")
    await agent.say(workload_id, Phase.FINISHED, outcome=Outcome.SUCCEEDED)
    clean = queue.house.context.get(Retention).clean_ups["run log"]
    assert await clean(queue.work) == 0
    queue.house.settings.keep_logs_days = 1
    from datetime import UTC, datetime, timedelta

    past = datetime.now(UTC) - timedelta(days=2)
    await queue.work.write(lambda tx: tx.execute(update(workloads).values(finished_at=past)))
    assert await clean(queue.work) == 1
    now = await queue.work.read(logs.look, workload_id, 0)
    assert now.collected
    assert now.pieces == []
    assert len(await queue.work.read(outputs.of, workload_id, 1)) == 1
    assert await clean(queue.work) == 0

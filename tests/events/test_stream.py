"""The event stream over HTTP: order, resuming, endings, and what many listeners cost."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import httpx
import pytest
from sqlalchemy import delete

from services.core.auth.resolver import Resolver
from services.core.database import Transaction
from services.core.rights import PlatformRole
from services.core.routing import API
from services.core.tables import events
from services.events import feed, stream
from services.events.feed import Feed
from tests.events.ears import Ear, listening, make_project, tell
from tests.house import House


async def test_events_come_in_order_with_their_positions(house_on_both: House) -> None:
    house = house_on_both
    token = await house.sign_in("ada")
    async with listening(house, token, "topics=planes") as ear:
        assert ear.opening.kind == "ready"
        for number in range(30):
            await tell(house, "plane.changed", f"p{number}", data={"number": number})
        found = [await ear.next() for _ in range(30)]
    assert [one.data["data"]["number"] for one in found] == list(range(30))
    positions = [int(one.id) for one in found]
    assert positions == sorted(set(positions))


async def test_it_arrives_within_moments(house: House) -> None:
    token = await house.sign_in("ada")
    async with listening(house, token) as ear:
        await tell(house, "plane.changed", "first")
        await ear.next()
        before = time.monotonic()
        await tell(house, "plane.changed", "second")
        await ear.next()
        assert time.monotonic() - before < 0.5


async def test_only_the_topics_that_were_asked_for(house: House) -> None:
    token = await house.sign_in("ada")
    async with listening(house, token, "topics=planes") as ear:
        await tell(house, "person.changed", "no")
        await tell(house, "plane.changed", "yes")
        assert await ear.hears(1) == ["yes"]


async def test_resuming_gives_what_was_missed_and_nothing_twice(house_on_both: House) -> None:
    house = house_on_both
    token = await house.sign_in("ada")
    async with listening(house, token) as ear:
        await tell(house, "plane.changed", "a")
        await tell(house, "plane.changed", "b")
        assert await ear.hears(1) == ["a"]
        seen = ear.last_id
    await tell(house, "plane.changed", "c")
    async with listening(house, token, last_event_id=seen) as ear:
        assert await ear.hears(2) == ["b", "c"]
    async with listening(house, token, f"last_event_id={seen}") as ear:
        await tell(house, "plane.changed", "d")
        assert await ear.hears(3) == ["b", "c", "d"]
    async with listening(house, token, "last_event_id=0", last_event_id=seen) as ear:
        assert await ear.hears(1) == ["b"]
    async with listening(house, token) as ear:
        await tell(house, "plane.changed", "e")
        assert await ear.hears(1) == ["e"]


async def test_far_behind_it_reads_on_from_the_database(
    house_on_both: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = house_on_both
    monkeypatch.setattr(feed, "KEPT", 5)
    monkeypatch.setattr(feed, "READ_AT_ONCE", 4)
    monkeypatch.setattr(stream, "AT_ONCE", 3)
    token = await house.sign_in("ada")
    async with listening(house, token) as first:
        start = first.last_id
        for number in range(40):
            await tell(house, "plane.changed", f"p{number}")
        async with listening(house, token, last_event_id=start) as late:
            assert await late.hears(40) == [f"p{number}" for number in range(40)]
        assert await first.hears(40) == [f"p{number}" for number in range(40)]


def forget(tx: Transaction, below: int) -> None:
    tx.execute(delete(events).where(events.c.position < below))


async def test_what_is_too_old_or_unknown_is_reset(house: House) -> None:
    token = await house.sign_in("ada")
    async with listening(house, token) as ear:
        for name in "abcd":
            await tell(house, "plane.changed", name)
        await ear.hears(4)
        newest = int(ear.last_id)
    await house.context.db.write(forget, newest)
    for seen in ("0", str(newest - 2), str(newest + 1000), "nonsense", "9" * 30):
        async with listening(house, token, last_event_id=seen) as ear:
            assert ear.opening.kind == "reset", seen
            assert int(ear.last_id) == newest
            await tell(house, "plane.changed", seen)
            assert await ear.hears(1) == [seen]
            newest = int(ear.last_id)
    async with listening(house, token, last_event_id=str(newest - 1)) as ear:
        assert ear.opening.kind == "ready"


async def test_a_quiet_stream_is_kept_and_its_id_moves_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STILL_HERE_SECONDS", 0.05)
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.02)
    token = await house.sign_in("ada")
    async with listening(house, token, "topics=jobs") as ear:
        before = int(ear.last_id)
        await tell(house, "plane.changed", "not for this one")
        waiting = asyncio.create_task(ear.next())
        async with asyncio.timeout(10):
            while int(ear.last_id) == before or ear.comments < 2:
                await asyncio.sleep(0.01)
        waiting.cancel()


async def test_a_revoked_credential_ends_the_stream(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.core.endpoint.RECHECK_RIGHTS", 0.05)
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(house.settings, "auth_cache", 0.0)
    token = await house.sign_in("ada")
    async with listening(house, token) as ear:
        house.tokens.actors[token] = None  # type: ignore[assignment]
        house.context.get(Resolver).forget()
        await ear.ends()
    assert not house.context.get(Feed)._listeners


async def test_the_platforms_end_ends_the_stream(house: House) -> None:
    token = await house.sign_in("ada")
    async with listening(house, token) as ear:
        await house.platform.close()
        await ear.ends()


async def test_a_listener_that_hangs_up_is_let_go(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.02)
    token = await house.sign_in("ada")
    async with listening(house, token):
        assert house.context.get(Feed)._listeners.total() == 1
    async with asyncio.timeout(10):
        while house.context.get(Feed)._listeners:
            await asyncio.sleep(0.01)


async def test_one_that_reads_nothing_is_let_go_and_holds_nobody_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STUCK_SECONDS", 0.3)
    token = await house.sign_in("ada")
    _reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=1024)
    writer.write(
        f"GET {API}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    await writer.drain()
    async with listening(house, token) as ear:
        listeners = house.context.get(Feed)._listeners
        text = {"text": "x" * 100_000}
        async with asyncio.timeout(30):
            while listeners.total() != 1:
                await tell(house, "plane.changed", "p", data=text)
                assert await ear.hears(1) == ["p"]
    writer.close()


async def test_one_caller_has_only_so_many(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_STREAMS", 2)
    token, other = await house.sign_in("ada"), await house.sign_in("bob")
    async with listening(house, token), listening(house, token), listening(house, other):
        assert (await house.call("GET", "/events", as_=token)).status_code == 429


async def test_what_cannot_be_read_is_refused(house: House) -> None:
    token = await house.sign_in("ada")
    for query in (
        "topics=",
        "topics=what",
        "last_event_id=x",
        "last_event_id=-1",
        "more=1",
        "topics=jobs&topics=planes",
        "last_event_id=" + "9" * 40,
    ):
        answer = await house.call("GET", f"/events?{query}", as_=token)
        assert answer.status_code == 400, query


async def test_nobody_listens_without_a_credential(house: House) -> None:
    assert (await house.call("GET", "/events")).status_code == 401
    token = await house.sign_in("ada")
    head = await house.call("HEAD", "/events", as_=token)
    assert head.headers["Content-Type"] == "text/event-stream"


async def test_many_listeners_cost_no_query_each(house: House) -> None:
    owner = await house.sign_in("owner")
    project_id = await make_project(house, owner, "wine", visibility="internal")
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=house.origin, timeout=30, limits=limits) as client:
        house.client, kept = client, house.client
        async with AsyncExitStack() as stack:
            ears: list[Ear] = []
            for number in range(60):
                token = await house.sign_in(f"p{number}", PlatformRole.SUPPORT)
                ears.append(await stack.enter_async_context(listening(house, token)))
            await tell(house, "project.pushed", "warm", project_id=project_id)
            await asyncio.gather(*(ear.hears(1) for ear in ears))
            before = house.context.db.statements
            for number in range(20):
                await tell(house, "job.changed", f"j{number}", project_id=project_id)
            heard = await asyncio.gather(*(ear.hears(20) for ear in ears))
            spent = house.context.db.statements - before
        house.client = kept
    assert heard == [[f"j{number}" for number in range(20)]] * 60
    # 20 writes and their reads; what the 60 ask anew every few seconds may fall in between.
    assert spent < 60 * 20 / 2

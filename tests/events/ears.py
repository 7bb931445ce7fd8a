"""A listener for tests: reads server-sent events as the standard says, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.core import events
from services.core.routing import API
from services.core.work import Work
from tests.house import House

PATIENCE = 20.0


@dataclass
class Message:
    """One dispatched event."""

    id: str
    kind: str
    data: Any


class Ear:
    """The reading side of one stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_id = ""
        self.comments = 0
        self.opening = Message("", "", None)
        self._lines = answer.aiter_lines()

    async def next(self) -> Message:
        """Wait for the next event. StopAsyncIteration when the stream ends."""
        async with asyncio.timeout(PATIENCE):
            kind, data = "message", []
            while True:
                line = await anext(self._lines)
                if line == "":
                    if data:
                        return Message(self.last_id, kind, json.loads("\n".join(data)))
                    kind = "message"
                    continue
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "":
                    self.comments += 1
                elif name == "id":
                    self.last_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data.append(value)

    async def hears(self, count: int) -> list[str]:
        """Wait for so many events; give their subjects."""
        return [(await self.next()).data["subject_id"] for _ in range(count)]

    async def ends(self) -> None:
        """Wait for the stream's end, whichever way it ends."""
        try:
            while True:
                await self.next()
        except (StopAsyncIteration, httpx.RemoteProtocolError):
            return


@asynccontextmanager
async def listening(
    house: House, token: str, query: str = "", last_event_id: str | None = None
) -> AsyncIterator[Ear]:
    """Open a stream; its opening message is read already, as `ear.opening`."""
    headers = {"Authorization": f"Bearer {token}"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    async with house.client.stream("GET", f"{API}/events?{query}", headers=headers) as answer:
        assert answer.status_code == 200
        ear = Ear(answer)
        ear.opening = await ear.next()
        yield ear


async def tell(house: House, kind: str, subject_id: str, **more: Any) -> None:
    """Publish something."""
    data = more.pop("data", {})
    await Work(house.context).write(events.publish, kind, subject_id, data, **more)


async def make_project(house: House, token: str, name: str, **more: Any) -> str:
    """Make a project over the API and give its id."""
    answer = await house.call("POST", "/projects", as_=token, json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])

"""A platform in a thread of its own, for tests whose tools ask synchronously."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.core.rights import PlatformRole
from tests.house import House
from tests.workloads.agent import ScriptedAgent


class Served:
    """What a test needs of the platform: its address, tokens, and ids of things that exist."""

    def __init__(self) -> None:
        self.origin = ""
        self.tokens: dict[str, str] = {}
        self.known: dict[str, list[str]] = {}


async def _furnish(house: House, served: Served) -> None:
    """Make some of everything, so that the calls find something to read and to change."""
    served.origin = house.origin
    served.tokens = {
        "admin": await house.sign_in("root", PlatformRole.ADMIN),
        "person": await house.sign_in("ada"),
    }
    ada = served.tokens["person"]
    made = await house.call("POST", "/projects", as_=ada, json={"name": "wine"})
    project = made.json()["id"]
    await house.call("PUT", f"/projects/{project}/content/main.py", as_=ada, content=b"1\n")
    agent = ScriptedAgent(house)
    await agent.hello()
    job = (
        await house.call(
            "POST", "/jobs", as_=ada, json={"project_id": project, "command": ["true"]}
        )
    ).json()
    await agent.poll()
    await agent.put_log(job["id"], 0, b"hello\n")
    await agent.put_output(job["id"], "metrics.json", b'{"accuracy": 1}')
    await agent.finish(job["id"])
    served.known = {"project": [project], "job": [job["id"]], "person": [job["owner"]["id"]]}


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Run a platform in a thread until the block ends."""
    served, ready, stop = Served(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    failure: list[BaseException] = []

    async def run() -> None:
        async with House(folder) as house:
            await _furnish(house, served)
            ready.set()
            await stop.wait()

    def thread() -> None:
        try:
            loop.run_until_complete(run())
        except BaseException as error:  # noqa: BLE001 - it is raised in the test
            failure.append(error)
            ready.set()

    worker = threading.Thread(target=thread, name="platform")
    worker.start()
    ready.wait(60)
    if failure:
        raise failure[0]
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(stop.set)
        worker.join(30)
        loop.close()

"""Workspaces with real kernels beside a drill's jobs, and whether they kept what is theirs.

The word for sessions (invariants): a kernel's process and memory are as they were and it went
on meanwhile; a page stays open unless the front door itself was hurt, and gets every line that
its kernel prints; the workspace is shown as running, once, by platform and hub alike.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection

from tests.e2e.lab import READY, Closed, Lab, answers, execute, shims, tools_are_built
from tests.instance import Instance

MARK = """
import os, threading, time
mark, ticks = {mark!r}, 0
def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.02)
threading.Thread(target=tick, daemon=True).start()
open("mark.txt", "w").write(mark)
"""
LOOK = "print(mark, os.getpid(), ticks)"
LINES = 10
COUNT = f"for n in range({LINES}): print(n); time.sleep(0.05)"
COUNTED = "".join(f"{n}\n" for n in range(LINES))


@dataclass(frozen=True)
class State:
    """What a kernel has in its memory, and the processes that it lives in."""

    mark: str
    kernel_pid: int
    shim: int
    ticks: int


class Desk:
    """One workspace with a kernel."""

    def __init__(self, smalti: Instance, workspace: dict[str, Any]) -> None:
        self.smalti, self.workspace = smalti, workspace
        self.lab = Lab(smalti, workspace["name"])

    async def open(self) -> None:
        """Start a kernel and give it something to remember."""
        await asyncio.to_thread(answers, self.lab)
        self.kernel = await asyncio.to_thread(self.lab.kernel)
        self.mark = secrets.token_hex(8)
        await self.lab.run(self.kernel, MARK.format(mark=self.mark))

    async def state(self) -> State:
        """Look at it by a new page."""
        await asyncio.to_thread(answers, self.lab)
        mark, pid, ticks = (await self.lab.run(self.kernel, LOOK)).split()
        [shim] = shims(self.smalti, self.workspace)
        return State(mark, int(pid), shim, int(ticks))

    async def work(self, over: asyncio.Event, reconnects: bool) -> int:
        """Print lines by one open page until it is over; give how often it had to connect."""
        connects, page = 0, None
        while not over.is_set():
            if page is None:
                connects += 1
                page = await self._page()
            try:
                assert await execute(page, COUNT) == COUNTED, "a line was lost"
            except Closed:
                assert reconnects, "an open page was closed"
                page = None
        if page is not None:
            page.close()
        return connects

    async def _page(self) -> WebSocketClientConnection:
        async with asyncio.timeout(READY):
            while True:
                try:
                    await asyncio.to_thread(answers, self.lab)
                    return await self.lab.connect(self.kernel)
                except (OSError, HTTPClientError):  # the front door went away between the two
                    await asyncio.sleep(0.1)

    def shown(self) -> dict[str, Any]:
        """The workspace as the platform shows it."""
        with self.smalti.client() as client:
            found: dict[str, Any] = client.get(f"/workspaces/{self.workspace['id']}").json()
        return found

    def ready_at_hub(self) -> bool:
        """Tell whether the hub says so too."""
        url = f"{self.smalti.hub_api}/users/{self.smalti.admin}"
        headers = {"Authorization": f"token {self.smalti.token()}"}
        try:
            servers = httpx.get(url, headers=headers, timeout=30).json()["servers"]
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        return bool(servers.get(self.workspace["name"], {}).get("ready"))


class Desks:
    """Some workspaces of one person."""

    def __init__(self, smalti: Instance, count: int) -> None:
        tools_are_built(smalti)
        self.smalti = smalti
        with smalti.client() as client:
            name = f"desks-{secrets.token_hex(3)}"
            project = client.post("/projects", json={"name": name}).json()
            path = f"/projects/{project['id']}/content/main.py"
            client.put(path, content=b"print(1)\n").raise_for_status()
            # Five of them and fifty of the drills' jobs fit into two cores.
            tier = {"name": "desk", "cpu": 0.18, "memory": 1 << 30}
            assert client.post("/hardware-tiers", json=tier).status_code in (201, 409)
            self.project_id = project["id"]
            made = [self._start(client, f"{name}-{n}") for n in range(count)]
        self.all = [Desk(smalti, self._running(workspace_id)) for workspace_id in made]

    def _start(self, client: httpx.Client, name: str) -> str:
        body = {"project_id": self.project_id, "name": name, "tier": "desk"}
        made = client.post("/workspaces", json=body)
        assert made.status_code == 201, made.text
        workspace_id = str(made.json()["id"])
        client.post(f"/workspaces/{workspace_id}/start").raise_for_status()
        return workspace_id

    def _running(self, workspace_id: str) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        with self.smalti.client() as client:

            def runs() -> bool:
                seen.update(client.get(f"/workspaces/{workspace_id}").json())
                assert seen["status"] != "Failed", seen
                return bool(seen["status"] == "Running")

            self.smalti.wait(runs, READY, "a workspace to run")
        return seen

    async def open(self) -> None:
        """Start a kernel in each."""
        await asyncio.gather(*(desk.open() for desk in self.all))

    async def through(
        self, harm: Callable[[], object], *, reconnects: bool = False, hurt: Desk | None = None
    ) -> None:
        """Hurt the platform while people work, and hold it to its word.

        `reconnects`: pages may have to. `hurt`: the one whose own session is killed.
        """
        whole = [desk for desk in self.all if desk is not hurt]
        before = [await desk.state() for desk in whole]
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(desk.work(over, reconnects)) for desk in whole]
            try:
                await asyncio.to_thread(harm)
            finally:
                over.set()
        for desk, was, pages in zip(whole, before, work, strict=True):
            await self._check(desk, was)
            assert reconnects or pages.result() == 1

    async def _check(self, desk: Desk, was: State) -> None:
        now = await desk.state()
        assert (now.mark, now.kernel_pid, now.shim) == (was.mark, was.kernel_pid, was.shim)
        assert now.ticks > was.ticks, "it stood still"
        shown = desk.shown()
        assert shown["status"] == "Running", shown
        assert shown["workload_id"] == desk.workspace["workload_id"], "it was started again"
        self.smalti.wait(desk.ready_at_hub, 60, "the hub to show it")

    async def come_back(self, desk: Desk, shim: int) -> None:
        """Wait until a session that was killed runs again, with its files."""

        def again() -> bool:
            found = list(shims(self.smalti, desk.workspace))
            return bool(found) and found != [shim] and desk.shown()["status"] == "Running"

        await asyncio.to_thread(self.smalti.wait, again, READY, "the session to be tried again")
        await asyncio.to_thread(answers, desk.lab)
        kernel = await asyncio.to_thread(desk.lab.kernel)
        assert await desk.lab.run(kernel, "print(open('mark.txt').read())") == f"{desk.mark}\n"
        await desk.open()

    def stop(self) -> None:
        """Stop them all."""
        with self.smalti.client() as client:
            for desk in self.all:
                client.post(f"/workspaces/{desk.workspace['id']}/stop").raise_for_status()
        for desk in self.all:
            self.smalti.wait(lambda desk=desk: desk.shown()["status"] == "Stopped", 60, "the end")

"""A real hub, platform and front door, with an agent and a tool that the test plays itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import httpx
from aiohttp import web

from services.core.routing import API
from services.planes.protocol import Activity, Outcome, Phase
from tests.instance import Instance
from tests.workloads.agent import ScriptedAgent

SECONDS = 45.0


class Far:
    """What `ScriptedAgent` needs of a house, for a platform in other processes."""

    def __init__(self, smalti: Instance) -> None:
        self.smalti = smalti
        self.agent_token = (smalti.home / "secrets" / "agent-local.token").read_text().strip()
        self.client = httpx.AsyncClient(timeout=40)

    async def call(self, method: str, path: str, *, as_: str, **more: Any) -> httpx.Response:
        """Call the API, straight at the platform: the front door may be away."""
        headers = {"Authorization": f"Bearer {as_}", **more.pop("headers", {})}
        url = f"http://127.0.0.1:{self.smalti.ports()['platform']}{API}{path}"
        return await self.client.request(method, url, headers=headers, **more)


class Tool:
    """What the front door leads to: it answers any path and says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __aenter__(self) -> Tool:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response({"tool": self.port}, headers={"X-JupyterHub-Version": "6.1.1"})


class Stage:
    """A person with a project, and the test as their plane's agent."""

    def __init__(self, smalti: Instance) -> None:
        self.smalti = smalti
        self.far = Far(smalti)
        self.agent = ScriptedAgent(self.far)  # type: ignore[arg-type]
        self.token = smalti.token()

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """Call the API as the person, waiting out a platform that is away."""
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    answer = await self.far.call(method, path, as_=self.token, **more)
                    if answer.status_code < 500:
                        return answer
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

    async def hub(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the hub's API as the person."""
        url = f"http://127.0.0.1:{self.smalti.ports()['hub']}/hub/api{path}"
        headers = {"Authorization": f"token {self.token}"}
        return await self.far.client.request(method, url, headers=headers, **more)

    async def project(self, name: str) -> str:
        """Make a project with a commit."""
        made = await self.call("POST", "/projects", json={"name": name})
        assert made.status_code == 201, made.text
        path = f"/projects/{made.json()['id']}/content/main.py"
        await self.call("PUT", path, content=b"print(1)\n")
        return str(made.json()["id"])

    async def until(self, what: str, there: Any, seconds: float = SECONDS) -> Any:
        """Wait until an asynchronous condition gives something true."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        found = await there()
                    except httpx.TransportError:
                        found = None
                    if found:
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"waited {seconds:g} s for {what} in vain") from None

    async def workspace(self, name: str, status: str = "", reason: str = "") -> Any:
        """Wait for a workspace of this name that has a status; its view."""

        async def there() -> Any:
            for one in (await self.call("GET", f"/workspaces?name={name}")).json()["items"]:
                if status in ("", one["status"]) and reason in (one["reason"] or ""):
                    return one
            return None

        return await self.until(f"{name} to be {status} {reason}", there)

    async def server(self, name: str) -> Any:
        """How the hub sees a server; None when it does not know it."""
        answer = await self.hub("GET", f"/users/{self.smalti.admin}")
        return answer.json().get("servers", {}).get(name) if answer.status_code == 200 else None

    async def ready(self, name: str) -> Any:
        """Wait until the hub says that a server is ready."""

        async def there() -> Any:
            server = await self.server(name)
            return server if server and server["ready"] else None

        return await self.until(f"the hub to show {name}", there)

    async def forgotten(self, name: str) -> None:
        """Wait until the hub does not say any more that a server runs."""

        async def there() -> bool:
            server = await self.server(name)
            return server is None or not (server["ready"] or server["pending"])

        await self.until(f"the hub to let go of {name}", there)

    async def run(self, workspace: Any, tool: Tool) -> None:
        """Play the agent: take the order and say that the tool answers."""
        await self.agent.hello()
        run = workspace["workload_id"]
        address = f"http://127.0.0.1:{tool.port}"
        now = datetime.now(UTC)
        active = Activity(last=now)
        await self.agent.say(run, Phase.RUNNING, address=address, started_at=now, activity=active)

    async def ends(self, workspace: Any, outcome: Outcome = Outcome.STOPPED) -> None:
        """Play the agent: say that it is over."""
        await self.agent.poll()
        await self.agent.say(workspace["workload_id"], Phase.FINISHED, outcome=outcome)

    async def through_the_door(self, name: str) -> httpx.Response:
        """Ask the tool by the front door, on the person's own host."""
        user = self.smalti.admin
        headers = {"Host": f"{user}.localhost:{self.smalti.port}"}
        url = f"{self.smalti.url}/user/{user}/{name}/api"
        return await self.far.client.get(url, headers=headers)

    async def answers(self, name: str, tool: Tool) -> None:
        """Wait until the front door leads to a tool."""

        async def there() -> bool:
            answer = await self.through_the_door(name)
            return answer.status_code == 200 and answer.json() == {"tool": tool.port}

        await self.until(f"the front door to lead to {name}", there)

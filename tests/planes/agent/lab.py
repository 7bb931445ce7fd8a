"""A hub that answers questions about tokens, and a person's browser in front of a JupyterLab."""

from __future__ import annotations

import asyncio
import json
import uuid
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp import web

PERSON_TOKEN = "token-of-ada"
SERVER_TOKEN = "token-of-the-server"
PREFIX = "/user/ada/wine/"


class Hub:
    """The part of the hub's API that a single-user server asks."""

    def __init__(self) -> None:
        self.port = 0
        self.allowed = True
        self.asked = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Serve, on the same port as before if there was one."""
        app = web.Application()
        app.router.add_get("/hub/api", self._version)
        app.router.add_get("/hub/api/", self._version)
        app.router.add_get("/hub/api/user", self._user)
        app.router.add_post("/hub/api/users/ada/activity", self._activity)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Be away."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def variables(self, origin: str | None = None) -> dict[str, str]:
        """What the hub's spawner gives to a server; `origin` is ours, as that server reaches it."""
        api = f"{origin or f'http://127.0.0.1:{self.port}'}/hub/api"
        return {
            "JUPYTERHUB_API_TOKEN": SERVER_TOKEN,
            "JPY_API_TOKEN": SERVER_TOKEN,
            "JUPYTERHUB_API_URL": api,
            "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/ada/activity",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada-wine",
            "JUPYTERHUB_HOST": "",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=ada/wine"]',
            "JUPYTERHUB_OAUTH_SCOPES": '["access:servers!server=ada/wine"]',
            "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES": "[]",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}oauth_callback",
            "JUPYTERHUB_SERVER_NAME": "wine",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_USER": "ada",
        }

    async def _version(self, _: web.Request) -> web.Response:
        headers = {"X-JupyterHub-Version": "6.1.1"}
        return web.json_response({"version": "6.1.1"}, headers=headers)

    async def _user(self, request: web.Request) -> web.Response:
        self.asked += 1
        shown = request.headers.get("Authorization", "")
        if not self.allowed or shown.split(" ")[-1] != PERSON_TOKEN:
            return web.json_response({"status": 403, "message": "no"}, status=403)
        scopes = ["access:servers!server=ada/wine"]
        user = {"kind": "user", "name": "ada", "admin": False, "groups": [], "scopes": scopes}
        return web.json_response(user)

    async def _activity(self, _: web.Request) -> web.Response:
        return web.Response(status=200)


class Browser:
    """A person at the address of a session."""

    def __init__(self, address: str) -> None:
        self.url = address + PREFIX
        self._headers = {"Authorization": f"token {PERSON_TOKEN}"}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Browser:
        self._http = aiohttp.ClientSession(headers=self._headers)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._http is not None
        await self._http.close()

    async def ask(self, method: str, where: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the server; the answer's JSON."""
        assert self._http is not None
        async with self._http.request(method, self.url + where, json=body) as answer:
            assert answer.status < 300, (answer.status, await answer.text())
            return await answer.json() if answer.status != 204 else None

    async def page(self, where: str) -> str:
        """Open a page; its text."""
        assert self._http is not None
        async with self._http.get(self.url + where) as answer:
            assert answer.status == 200
            return await answer.text()

    async def open_notebook(self, path: str, kernel: str = "python3") -> str:
        """Start a kernel for a notebook; its id."""
        wanted = {"path": path, "name": path, "type": "notebook", "kernel": {"name": kernel}}
        session = await self.ask("POST", "api/sessions", wanted)
        found: str = session["kernel"]["id"]
        return found

    async def connect(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """Open a websocket."""
        assert self._http is not None
        return await self._http.ws_connect(self.url + path, autoping=True)

    async def execute(self, kernel_id: str, code: str, timeout: float = 60) -> str:
        """Run code in a kernel; all that it wrote, errors included."""
        async with asyncio.timeout(timeout):
            socket = await self.connect(f"api/kernels/{kernel_id}/channels?session_id=s")
            async with socket:
                await socket.send_json(_message(code))
                return await _output(socket)

    async def begin(self, kernel_id: str, code: str) -> None:
        """Let a kernel begin on something and do not wait for it."""
        async with await self.connect(f"api/kernels/{kernel_id}/channels?session_id=b") as socket:
            await socket.send_json(_message(code))
            async for message in socket:
                said = json.loads(message.data)
                if said["msg_type"] == "status" and said["content"]["execution_state"] == "busy":
                    return

    async def terminal(self, command: str, timeout: float = 60) -> str:
        """Type a line into a new terminal; all that it showed until the line was over."""
        name = (await self.ask("POST", "api/terminals"))["name"]
        text = ""
        async with asyncio.timeout(timeout):
            async with await self.connect(f"terminals/websocket/{name}") as socket:
                await socket.send_json(["stdin", f"{command}; echo ov''er\r"])
                async for message in socket:
                    kind, *rest = json.loads(message.data)
                    text += rest[0] if kind == "stdout" else ""
                    if "over" in text:  # said, and not merely typed
                        break
        return text


def _message(code: str) -> dict[str, Any]:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "ada",
        "session": "s",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
    }


async def _output(socket: aiohttp.ClientWebSocketResponse) -> str:
    text = ""
    async for message in socket:
        said = json.loads(message.data)
        if said["parent_header"].get("msg_type") != "execute_request":
            continue
        content = said["content"]
        if said["msg_type"] == "stream":
            text += content["text"]
        elif said["msg_type"] == "error":
            text += "\n".join(content["traceback"])
        elif said["msg_type"] == "status" and content["execution_state"] == "idle":
            break
    return text

"""A workspace as its person's browser reaches it: by the front door, over HTTP and websockets."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from tests.instance import Instance

READY = 120.0
BUILT = 600.0  # once on a machine; then it is linked from the cache


class Lab:
    """JupyterLab of one workspace, by the front door, as its person's browser reaches it."""

    def __init__(self, smalti: Instance, name: str) -> None:
        self.smalti = smalti
        user = smalti.admin
        self.host = f"{user}.localhost:{smalti.port}"
        self.path = f"/user/{user}/{name}"
        self.headers = {"Host": self.host, "Authorization": f"token {self._token(user)}"}

    def _token(self, user: str) -> str:
        """A token that may get into the person's servers; a browser gets one by OAuth."""
        body = {"note": "lab", "scopes": [f"access:servers!user={user}"]}
        headers = {"Authorization": f"token {self.smalti.token()}"}
        url = f"{self.smalti.hub_api}/users/{user}/tokens"
        made = httpx.post(url, headers=headers, json=body, timeout=30)
        made.raise_for_status()
        return str(made.json()["token"])

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the tool's API."""
        url = f"{self.smalti.url}{self.path}/api{path}"
        return httpx.request(method, url, headers=self.headers, timeout=60, **more)

    def kernel(self) -> str:
        """Start a kernel; its id."""
        made = self.api("POST", "/kernels", json={})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def run(self, kernel: str, code: str) -> str:
        """Run code by the kernel's websocket; what it printed."""
        connection = await self.connect(kernel)
        try:
            return await execute(connection, code)
        finally:
            connection.close()

    async def connect(self, kernel: str) -> WebSocketClientConnection:
        """Open a page's connection to a kernel."""
        return await self._socket(f"api/kernels/{kernel}/channels")

    async def subscribe(self) -> WebSocketClientConnection:
        """Open the connection by which a page of JupyterLab hears of news."""
        return await self._socket("api/events/subscribe")

    async def _socket(self, path: str) -> WebSocketClientConnection:
        url = f"ws://127.0.0.1:{self.smalti.port}{self.path}/{path}"
        patience = {"connect_timeout": READY, "request_timeout": READY}
        return await websocket_connect(HTTPRequest(url, headers=self.headers, **patience))


class Closed(AssertionError):
    """The connection to a kernel was closed while it was waited for."""


async def execute(connection: WebSocketClientConnection, code: str) -> str:
    """Run code by a page's connection; what it printed. Raises Closed."""
    message_id = uuid.uuid4().hex
    message = {
        "header": {
            "msg_id": message_id,
            "msg_type": "execute_request",
            "session": secrets.token_hex(8),
            "username": "",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
        "content": {"code": code, "silent": False, "store_history": False,
                    "user_expressions": {}, "allow_stdin": False},
    }  # fmt: skip
    try:
        await connection.write_message(json.dumps(message))
    except WebSocketClosedError as error:
        raise Closed("the websocket was closed") from error
    printed = ""
    while True:
        answer = await connection.read_message()
        if answer is None:
            raise Closed("the websocket was closed")
        told = json.loads(answer)
        if told.get("parent_header", {}).get("msg_id") != message_id:
            continue
        content = told["content"]
        assert told["msg_type"] != "error", content
        if told["msg_type"] == "stream":
            printed += content["text"]
        # The output may come after the reply: idle is the end.
        if told["msg_type"] == "status" and content["execution_state"] == "idle":
            return printed


def answers(lab: Lab) -> None:
    """Wait until the tool answers by the front door."""

    def there() -> bool:
        try:
            return lab.api("GET", "/status").status_code == 200
        except httpx.TransportError:
            return False

    lab.smalti.wait(there, READY, "the workspace to answer")


def tools_are_built(smalti: Instance) -> None:
    """Wait until workspaces can be started."""
    stamp = smalti.home / "environments" / ".tools" / "1" / ".smalti-environment.json"
    smalti.wait(stamp.exists, BUILT, "the environment of the tools")


def shims(smalti: Instance, workspace: dict[str, Any]) -> Iterator[int]:
    """Give the pid of the shim of a workspace's run that is going on."""
    for path in (smalti.home / "agent").rglob("record"):
        try:
            lines = [json.loads(line) for line in path.read_text().splitlines()]
        except (OSError, ValueError):
            continue
        mine = workspace["workload_id"] in lines[0].get("key", "")
        if mine and lines[0]["shim"] and not any("finished_at" in line for line in lines):
            yield lines[0]["shim"]

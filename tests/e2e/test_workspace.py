"""A workspace as a person has it: its kernel, by the front door, through kills of all parts."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.e2e.conftest import Person
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
        url = f"ws://127.0.0.1:{self.smalti.port}{self.path}/api/kernels/{kernel}/channels"
        connection = await websocket_connect(HTTPRequest(url, headers=self.headers))
        try:
            return await _execute(connection, code)
        finally:
            connection.close()


async def _execute(connection: WebSocketClientConnection, code: str) -> str:
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
    await connection.write_message(json.dumps(message))
    printed = ""
    while True:
        answer = await connection.read_message()
        assert answer is not None, "the websocket was closed"
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


@pytest.fixture(scope="module")
def lab(smalti: Instance, admin: Person, wine: str) -> Iterator[Lab]:
    """A running workspace of the wine project."""
    stamp = smalti.home / "environments" / ".tools" / "1" / ".smalti-environment.json"
    smalti.wait(stamp.exists, BUILT, "the environment of the tools")
    made = admin.json("workspaces", "create", wine, "--name", "lab")
    assert made["status"] == "Running", made
    yield Lab(smalti, "lab")
    admin.run("workspaces", "stop", "lab", "--wait")


def answers(lab: Lab) -> None:
    """Wait until the tool answers by the front door."""

    def there() -> bool:
        try:
            return lab.api("GET", "/status").status_code == 200
        except httpx.TransportError:
            return False

    lab.smalti.wait(there, READY, "the workspace to answer")


async def test_a_kernel_runs_in_the_project(lab: Lab) -> None:
    answers(lab)
    kernel = lab.kernel()
    printed = await lab.run(kernel, "import os; print(sorted(os.listdir('.')))")
    assert "train.py" in printed
    variables = "SMALTI_PROJECT SMALTI_PROJECT_ID SMALTI_API_URL SMALTI_TOKEN SMALTI_RUN_ID"
    code = f"import os; print(all(os.environ.get(one) for one in {variables.split()!r}))"
    assert await lab.run(kernel, code) == "True\n"


@pytest.mark.parametrize("killed", ["hub", "platform", "agent", "frontdoor"])
async def test_a_kernels_state_outlives_a_kill(lab: Lab, killed: str) -> None:
    answers(lab)
    kernel = lab.kernel()
    mark = secrets.token_hex(8)
    await lab.run(kernel, f"mark = {mark!r}")
    old = lab.smalti.kill(killed)
    if killed in ("hub", "platform", "agent"):  # nobody's page notices
        assert await lab.run(kernel, "print(mark)") == f"{mark}\n"
    lab.smalti.wait_ready(killed, not_pid=old)
    answers(lab)
    assert await lab.run(kernel, "print(mark)") == f"{mark}\n"


async def test_files_persist_across_stop_and_start(lab: Lab, admin: Person) -> None:
    answers(lab)
    kernel = lab.kernel()
    mark = secrets.token_hex(8)
    code = f"from pathlib import Path; Path('mine.txt').write_text({mark!r});"
    code += f"(Path.home() / 'mine.txt').write_text({mark!r})"
    await lab.run(kernel, code)
    admin.run("workspaces", "stop", "lab", "--wait")
    admin.run("workspaces", "start", "lab")
    answers(lab)
    code = "from pathlib import Path; "
    code += "print(Path('mine.txt').read_text(), (Path.home() / 'mine.txt').read_text())"
    assert await lab.run(lab.kernel(), code) == f"{mark} {mark}\n"


async def test_git_asks_for_no_password(lab: Lab) -> None:
    answers(lab)
    code = """
import subprocess
from pathlib import Path
Path('from-lab.txt').write_text('hello')
for words in (['add', '.'], ['-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '-m', 'Lab'],
              ['push', 'origin', 'HEAD'], ['pull']):
    done = subprocess.run(['git', *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    print(done.returncode, done.stderr[-200:] if done.returncode else '')
"""
    printed = await lab.run(lab.kernel(), code)
    assert [line.split()[0] for line in printed.splitlines() if line.strip()] == ["0"] * 4, printed


def test_strangers_do_not_get_in(lab: Lab) -> None:
    """S10, S14: the tool answers on its person's host, to that person."""
    answers(lab)
    url = f"{lab.smalti.url}{lab.path}/api/kernels"
    nobody = httpx.get(url, headers={"Host": lab.host}, timeout=30)
    assert nobody.status_code in (302, 401, 403)
    token = lab.smalti.add_person("stranger")
    headers = {"Host": lab.host, "Authorization": f"token {token}"}
    assert httpx.get(url, headers=headers, timeout=30).status_code in (302, 401, 403)
    main = {"Host": f"localhost:{lab.smalti.port}", **lab.headers} | {
        "Host": f"localhost:{lab.smalti.port}"
    }
    assert httpx.get(url, headers=main, timeout=30).status_code in (302, 404)

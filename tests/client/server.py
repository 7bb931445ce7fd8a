"""A small platform in memory, over real HTTP on a free port, that can be told to misbehave.

For the client's own tests only: it answers in the API's shapes and knows no rules. What the
real platform answers is tested against the real one, in tests/e2e.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hub-token-of-ada"
PASSWORD = "correct horse"
NOW = "2026-01-02T03:04:05.678901Z"
API = "/services/smalti/api/v1"


@dataclass
class Fault:
    """What goes wrong, for the next `times` calls whose method and path fit.

    `status`: answered instead of the true answer. `lose`: the call is carried out, its answer
    never comes. `cut_at`: the answer's body breaks off after so many bytes.
    """

    method: str
    path: str
    times: int = 1
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    lose: bool = False
    cut_at: int | None = None


@dataclass
class Recorded:
    """A call that came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass
class Answer:
    """What goes out."""

    value: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


class Refused(Exception):
    """An error in the API's shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        body = {"code": code, "message": message, "details": None, "request_id": "req-1"}
        self.answer = Answer({"error": body}, status)


class Platform:
    """The server. `with Platform() as platform: platform.url`."""

    def __init__(self) -> None:
        self.calls: list[Recorded] = []
        self.faults: list[Fault] = []
        self.tokens = {TOKEN}
        self.people = {"ada": str(uuid.UUID(int=1)), "bob": str(uuid.UUID(int=2))}
        self.projects: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.scripts: dict[str, list[tuple[str, str | None]]] = {}
        self.logs: dict[str, list[bytes]] = {}
        self.outputs: dict[str, dict[str, bytes]] = {}
        self.members: dict[str, dict[str, str]] = {}
        self.files: dict[str, bytes] = {"README.md": b"# hello\n"}
        self.own_tokens: dict[str, dict[str, Any]] = {}
        self.next_script: list[tuple[str, str | None]] = [("Succeeded", None)]
        self.next_log: list[bytes] = [b"one\n", b"two\n"]
        self.next_outputs: dict[str, bytes] = {"metrics.json": b"{}"}
        self.ranges = True
        self.health = "ok"
        self._answered: dict[str, Answer] = {}
        self._lock = threading.RLock()
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_port
        self.url = f"http://localhost:{self.port}"

    def __enter__(self) -> Platform:
        serve = lambda: self.server.serve_forever(poll_interval=0.01)  # noqa: E731
        threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def calls_of(self, method: str, path: str) -> list[Recorded]:
        """The calls that came in, by method and the path's end."""
        return [one for one in self.calls if one.method == method and one.path.endswith(path)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an ACK

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Keep quiet."""

            def _any(self) -> None:
                Exchange(platform, self).run()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

        return Handler

    # -- what the platform keeps -------------------------------------------------------------

    def add_project(self, name: str, owner: str = "ada", **more: Any) -> dict[str, Any]:
        """Make a project."""
        number = len(self.projects) + 1
        project = {
            "id": str(uuid.UUID(int=1000 + number)),
            "owner": {"id": self.people[owner], "name": owner},
            "name": name,
            "description": "",
            "visibility": "private",
            "default_branch": "main",
            "role": "owner",
            "clone_url": f"{self.url}/services/smalti/git/{owner}/{name}.git",
            "created_at": NOW,
            "updated_at": NOW,
            "a_field_of_tomorrow": {"x": 1},
            **more,
        }
        self.projects[project["id"]] = project
        self.members[project["id"]] = {owner: "owner"}
        return project

    def add_job(self, project_id: str, **fields: Any) -> dict[str, Any]:
        """Make a job, with the script, log and outputs that are set for the next one."""
        number = 1 + sum(one["project_id"] == project_id for one in self.jobs.values())
        job_id = str(uuid.UUID(int=10_000 + len(self.jobs)))
        job = {
            "id": job_id,
            "number": number,
            "project_id": project_id,
            "owner": {"id": self.people["ada"], "name": "ada"},
            "command": None,
            "title": "",
            "tags": [],
            "status": "Queued",
            "reason": "waiting for 2 of 4 CPUs in tier small",
            "target": "running",
            "queued_at": NOW,
            "updated_at": NOW,
            "retries": 0,
            "attempt": 1,
            **fields,
        }
        self.jobs[job_id] = job
        self.scripts[job_id] = [*self.next_script]
        self.logs[job_id] = [*self.next_log]
        self.outputs[job_id] = {**self.next_outputs}
        return job

    def advance(self, job: dict[str, Any]) -> dict[str, Any]:
        """Move a job one step on in its script."""
        if self.scripts[job["id"]]:
            job["status"], job["reason"] = self.scripts[job["id"]].pop(0)
        return job

    def take_fault(self, call: Recorded) -> Fault | None:
        """Find out whether this call is to go wrong."""
        with self._lock:
            for fault in self.faults:
                fits = fault.method == call.method and re.search(fault.path, call.path)
                if fits and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def answer(self, call: Recorded) -> Answer:
        """Carry a call out, once for each Idempotency-Key."""
        from tests.client.routes import dispatch

        key = call.headers.get("idempotency-key") if call.method == "POST" else None
        with self._lock:
            if key is not None and key in self._answered:
                return self._answered[key]
            try:
                answer = dispatch(self, call)
            except Refused as refused:
                return refused.answer
            if key is not None:
                self._answered[key] = answer
            return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that go away."""


class Exchange:
    """One call and its answer."""

    def __init__(self, platform: Platform, handler: BaseHTTPRequestHandler) -> None:
        self.platform, self.handler = platform, handler
        length = int(handler.headers.get("Content-Length") or 0)
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(length)
        self.call = Recorded(handler.command, unquote(parts.path), query, headers, body)

    def run(self) -> None:
        """Answer, or go wrong as told."""
        self.platform.calls.append(self.call)
        fault = self.platform.take_fault(self.call)
        if fault is not None and fault.status is not None:
            self._send(Answer(None, fault.status, fault.headers, fault.body or b"oops"), None)
            return
        answer = self.platform.answer(self.call)
        if fault is not None and fault.lose:
            self._break()
            return
        self._send(answer, fault.cut_at if fault is not None else None)

    def _send(self, answer: Answer, cut_at: int | None) -> None:
        raw = answer.raw if answer.raw is not None else json.dumps(answer.value).encode()
        raw = b"" if answer.status == 204 else raw
        headers = {"Content-Type": "application/json", **answer.headers}
        first = re.fullmatch(r"bytes=(\d+)-", self.call.headers.get("range", ""))
        if first and self.platform.ranges and answer.status == 200:
            headers["Content-Range"] = f"bytes {first[1]}-{len(raw) - 1}/{len(raw)}"
            raw, answer = raw[int(first[1]) :], Answer(status=206)
        handler = self.handler
        handler.send_response(answer.status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw[:cut_at])
        handler.wfile.flush()
        if cut_at is not None:
            self._break()

    def _break(self) -> None:
        self.handler.close_connection = True
        self.handler.connection.shutdown(2)


def sha256(data: bytes) -> str:
    """The checksum of a file."""
    return hashlib.sha256(data).hexdigest()


Route = Callable[..., Answer]

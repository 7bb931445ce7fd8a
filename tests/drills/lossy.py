"""A bad line between agent and platform: an HTTP proxy that loses, doubles, holds back and cuts.

What it does to a request is drawn from a seeded random source. It forwards whole messages only:
the faults are those of a network, never a bent byte.
"""

from __future__ import annotations

import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = {"lost": 0.05, "unanswered": 0.08, "doubled": 0.12, "held": 0.15, "cut": 0.04}
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Server(ThreadingHTTPServer):
    """The proxy: where it forwards to, and how bad it is."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: int, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), Proxy)
        self.target, self.random = target, random.Random(seed)
        self.lock = threading.Lock()
        self.done: Counter[str] = Counter()
        self.old: list[tuple[str, str, dict[str, str], bytes]] = []

    def draw(self) -> tuple[str, float]:
        """What happens to the next request, and for how long it is held."""
        with self.lock:
            number, pause = self.random.random(), self.random.uniform(0.05, 0.8)
            for name, share in FAULTS.items():
                number -= share
                if number < 0:
                    self.done[name] += 1
                    return name, pause
            self.done["passed"] += 1
            return "passed", pause

    def late(self, message: tuple[str, str, dict[str, str], bytes]) -> None:
        """Keep a message, and sometimes give back an old one to be said again, out of order."""
        with self.lock:
            self.old = [*self.old[-50:], message]
            again = self.random.choice(self.old) if self.random.random() < 0.1 else None
            self.done["replayed"] += again is not None
        if again is not None:
            ask(self.target, *again)

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections break here: that is what this is for."""


class Proxy(BaseHTTPRequestHandler):
    """One connection from the agent or from its git."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Forward, badly."""
        body = self._body()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        message = (self.command, self.path, headers, body)
        fault, pause = self.server.draw()
        if fault == "lost":
            self._cut()
            return
        if fault == "held":
            time.sleep(pause)
        if fault == "doubled" and "wait=" not in self.path:
            ask(self.server.target, *message)
        answer = ask(self.server.target, *message)
        if self.path.endswith("/agent/reports"):
            self.server.late(message)
        if answer is None or fault == "unanswered":
            self._cut()
            return
        self._pass_on(answer, half=fault == "cut")

    do_POST = do_PUT = do_GET  # noqa: N815 - the names are the base class's

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _pass_on(self, answer: tuple[int, list[tuple[str, str]], bytes], *, half: bool) -> None:
        status, headers, body = answer
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was quicker

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def ask(
    port: int, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes] | None:
    """Put a request to the platform; None when it is away."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@contextmanager
def bad_line(target: int, seed: int) -> Iterator[Server]:
    """Run a proxy in front of a port."""
    server = Server(target, seed)
    thread = threading.Thread(target=server.serve_forever, name="bad line")
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

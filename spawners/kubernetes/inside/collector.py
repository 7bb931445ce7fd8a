"""Hands a run's log and outputs to the agent, also after the run's program has ended.

The native sidecar of a run's pod. The kubelet ends it after the run's own container; it stays
until the agent says that all is taken, or until the pod's grace is over. Answers only who shows
the key of this run. What it reads was written by a person's program: no link is followed.

    GET  /state                      what the shim wrote of the run, its last sample
    GET  /log?offset=&limit=         bytes of the log; beside it what is in use (Smalti-Sample) and
                                     what a session's tool does (Smalti-Session)
    GET  /outputs                    each file: a line of JSON (name in hex, size), then its bytes
    POST /reader                     read a session's files: what follows is the reader's own
                                     (`spawners.reader`), until either side ends the connection
    POST /stop                       a wish to end it, for the shim
    POST /done                       all is taken: end

Usage: python -m spawners.kubernetes.inside.collector FILE (the order)
"""

from __future__ import annotations

import hmac
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOG_MOST = 4 << 20
BODY_MOST = 4096
PIECE = 1 << 18
DEPTH_MAX = 64
TOLD_MOST = 3000  # a header's line must not be too long for who reads it
ROOT = str(Path(__file__).parents[3])
READER = (
    "import sys; sys.path.append(sys.argv[1]); from spawners.reader import program; "
    "getattr(program, sys.argv[2])(*sys.argv[3:])"
)
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Collector(ThreadingHTTPServer):
    """The server of one run's pod."""

    daemon_threads = True

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.done = threading.Event()
        self.listens = False  # whether a session's tool has been seen to answer
        super().__init__((order.get("host", ""), order["port"]), Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection of the agent's."""

    server: Collector
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *_: object) -> None:
        """Say nothing: requests come several times a second."""

    def do_GET(self) -> None:
        """Answer with what was asked for."""
        at = urlsplit(self.path)
        if not self._allowed():
            return
        if at.path == "/state":
            self._answer(json.dumps(self._state()).encode())
        elif at.path == "/log":
            asked = parse_qs(at.query)
            self._answer(self._log(int(asked["offset"][0]), int(asked["limit"][0])))
        elif at.path == "/outputs":
            self._send_outputs()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Take a wish."""
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(size, BODY_MOST))
        if not self._allowed():
            return
        if self.path == "/stop":
            self._take_stop(json.loads(body))
            self._answer(b"{}")
        elif self.path == "/reader" and "session" in self.server.order:
            self._read_files(json.loads(body))
        elif self.path == "/done":
            self._answer(b"{}")
            self.server.done.set()
        else:
            self.send_error(404)

    def _allowed(self) -> bool:
        shown = self.headers.get("Authorization", "")
        if hmac.compare_digest(shown.encode(), f"Bearer {self.server.order['key']}".encode()):
            return True
        self.close_connection = True
        self.send_error(403)
        return False

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if self.path.startswith("/log"):
            sample = _content(f"{self.server.order['folder']}/sample")
            if sample and len(sample) < 1000:
                self.send_header("Smalti-Sample", sample.decode("ascii", "replace").strip())
            if session := self.server.order.get("session"):
                self.send_header("Smalti-Session", json.dumps(self._session(session)))
        self.end_headers()
        self.wfile.write(content)

    def _session(self, session: dict[str, Any]) -> dict[str, Any]:
        """Say whether the tool answers, and what it wrote of what happens."""
        if not self.server.listens:
            at = (self.server.order.get("host", "127.0.0.1"), session["port"])
            with suppress(OSError):
                socket.create_connection(at, 0.5).close()
                self.server.listens = True
        found: dict[str, Any] = {"listens": self.server.listens}
        if remark := self._state()["record"].get("remark"):
            found["remark"] = str(remark)[:300]
        with suppress(ValueError):
            told = json.loads(_content(session["activity"], TOLD_MOST))
            if len(json.dumps(told)) < TOLD_MOST:
                found["activity"] = told
        return found

    def _read_files(self, arguments: list[str]) -> None:
        """Lead the connection to a reader of the session's files, which ends with it."""
        what, _, *rest = [str(one) for one in arguments]
        if what not in ("main", "large"):
            return self.send_error(400)
        self.close_connection = True
        self.connection.settimeout(None)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        project = self.server.order["session"]["project"]
        command = [sys.executable, "-I", "-S", "-B", "-c", READER, ROOT, what, project, *rest]
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=env, cwd="/") as reader:
            self.send_response(200)
            self.end_headers()
            threading.Thread(target=self._lead_in, args=(reader,), daemon=True).start()
            try:
                assert reader.stdout is not None
                while piece := reader.stdout.read1(PIECE):  # type: ignore[attr-defined]
                    self.wfile.write(piece)
            except OSError:
                reader.kill()
            with suppress(OSError):  # so that the other direction ends, too
                self.connection.shutdown(socket.SHUT_RDWR)

    def _lead_in(self, reader: subprocess.Popen[bytes]) -> None:
        assert reader.stdin is not None
        with suppress(OSError, ValueError):
            while piece := self.rfile.read1(PIECE):
                reader.stdin.write(piece)
                reader.stdin.flush()
        reader.kill()

    def _state(self) -> dict[str, Any]:
        folder, found = self.server.order["folder"], {}
        lines = _content(f"{folder}/record").split(b"\n")[:-1]
        for line in lines:
            try:
                found.update(json.loads(line))
            except ValueError:
                continue
        return {"record": found, "log_size": _size(self.server.order["log"])}

    def _log(self, offset: int, limit: int) -> bytes:
        try:
            handle = os.open(self.server.order["log"], _READ)
        except OSError:
            return b""
        try:
            return os.pread(handle, min(max(0, limit), LOG_MOST), max(0, offset))
        finally:
            os.close(handle)

    def _take_stop(self, wish: dict[str, Any]) -> None:
        folder = self.server.order["folder"]
        beside = f"{folder}/.stop.collector"
        with open(beside, "w") as file:
            json.dump({name: wish[name] for name in ("end", "grace", "reason")}, file)
        os.rename(beside, f"{folder}/stop")

    def _send_outputs(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for name, kind, handle in walk(os.fsencode(self.server.order["outputs"])):
            size = os.fstat(handle).st_size if handle is not None else 0
            head = {"name": name.hex(), "kind": kind, "size": size}
            self._chunk(json.dumps(head).encode() + b"\n")
            if handle is not None:
                self._send_file(handle, size)
        self._chunk(b'{"kind": "end"}\n')
        self.wfile.write(b"0\r\n\r\n")

    def _send_file(self, handle: int, size: int) -> None:
        with open(handle, "rb", buffering=0) as file:
            while size:
                piece = file.read(min(PIECE, size))
                if not piece:
                    raise OSError("changed while it was sent")  # the answer breaks off
                self._chunk(piece)
                size -= len(piece)

    def _chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))


def walk(root: bytes) -> Iterator[tuple[bytes, str, int | None]]:
    """Yield what is below a folder: its name, its kind, and an open file if it is one."""
    try:
        top = os.open(root, _READ | os.O_DIRECTORY)
    except OSError:
        return
    yield from _walk(top, b"", 0)


def _walk(at: int, prefix: bytes, depth: int) -> Iterator[tuple[bytes, str, int | None]]:
    try:
        for word in sorted(os.listdir(at)):
            entry = os.fsencode(word)
            try:
                handle = os.open(entry, _READ, dir_fd=at)
            except OSError:  # a link, a socket, or closed to us
                yield prefix + entry, "other", None
                continue
            mode = os.fstat(handle).st_mode
            if stat.S_ISREG(mode):
                yield prefix + entry, "file", handle
            elif stat.S_ISDIR(mode) and depth < DEPTH_MAX:
                yield from _walk(handle, prefix + entry + b"/", depth + 1)
            else:
                os.close(handle)
                yield prefix + entry, "other", None
    finally:
        os.close(at)


def begun(order: dict[str, Any]) -> bool:
    """Tell whether the person's program was ever taken up."""
    return os.path.lexists(f"{order['folder']}/record")


def _content(path: str, most: int = 1 << 20) -> bytes:
    try:
        handle = os.open(path, _READ)
    except OSError:
        return b""
    with open(handle, "rb") as file:
        return file.read(most) if stat.S_ISREG(os.fstat(handle).st_mode) else b""


def _size(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0


def main() -> int:
    """Serve until released."""
    with open(sys.argv[1], "rb") as file:
        order: dict[str, Any] = json.loads(file.read())
    server = Collector(order)
    # The kubelet's SIGTERM says that the run is over; the agent has still to take what is left.
    # Where nothing has run there is nothing to be taken, and the pod's end must not wait for it.
    signal.signal(signal.SIGTERM, lambda *_: None if begun(order) else server.done.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while not server.done.wait(3600):
        continue
    return 0


if __name__ == "__main__":
    sys.exit(main())

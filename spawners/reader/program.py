"""The reader's program: answers the agent's questions about one folder over its own pipes.

Started as `main(PROJECT)` (stays, and looks whenever it is asked) or `large(PROJECT, PATH)` (sends
one large file and ends). What passes is frames: four bytes of length and that many bytes; JSON,
or the pieces of a pack, which an empty frame ends.

    <- {"begin": {...}}      what is known already, who the author is, the bounds; once
    <- {"look": n}           look; n comes back in the answer
    -> {"pack": true} ...    a pack; answered by {"taken": true} before anything else comes
    -> {"look": n, ...}      the answer: commit, files, size, unsafe, waiting
    <- {"large": {...}}      a file that was sent apart: its path, signature, mode, id
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from spawners.reader import content, history, names
from spawners.reader.asking import Asking
from spawners.reader.objects import (
    BLOB,
    COMMIT,
    File,
    Pack,
    StreamedBlob,
    commit_object,
    nested,
    object_id,
    write_tree,
)
from spawners.reader.walk import Bounds, Look, Walk, mode_of, settled, signature_of

BATCH = 32 << 20
FRAME_MOST = 64 << 20
UNSAFE_MOST = 100
_HISTORY = ".git: the history could not be read; the files are saved"


class Wire:
    """Frames in and out."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source, self._sink = source, sink

    def receive(self) -> dict[str, Any] | None:
        """Read one JSON frame; None at the end."""
        head = self._source.read(4)
        if len(head) < 4:
            return None
        size = int.from_bytes(head, "big")
        if size > FRAME_MOST:
            raise ValueError("a frame that is too long")
        found: dict[str, Any] = json.loads(self._source.read(size))
        return found

    def send(self, what: dict[str, Any]) -> None:
        """Write one JSON frame."""
        self._frame(json.dumps(what).encode())
        self._sink.flush()

    def send_pack(self, pieces: Iterable[bytes]) -> None:
        """Write a pack."""
        for piece in pieces:
            if piece:
                self._frame(piece)
        self._frame(b"")
        self._sink.flush()

    def _frame(self, data: bytes) -> None:
        self._sink.write(len(data).to_bytes(4, "big"))
        self._sink.write(data)


class NotTaken(Exception):
    """The agent could not hand a pack on: this look is over."""


class Reader:
    """One session's folder."""

    def __init__(self, wire: Wire, asking: Asking, begin: dict[str, Any]) -> None:
        self._wire = wire
        self._asking = asking
        self._bounds = Bounds(**begin["bounds"])
        self._walk = Walk(asking, self._bounds)
        self._known = set(begin["objects"])
        self._commits = list(begin["commits"])
        self._strict = bool(begin["strict"])
        self._author = str(begin["author"])
        self._last: tuple[str, str | None] | None = None
        self._commit: str | None = None
        if begin.get("tree"):
            self._last, self._commit = (begin["tree"], begin["parent"]), begin["commit"]
        self._pack = Pack()
        self._head: str | None = None
        self._unreadable: str | None = None
        self._told: dict[str, Any] = {}  # the last answer, while nothing changes

    def look(self, number: int) -> None:
        """Look, send what is not known, and answer."""
        began = time.process_time()
        found = self._walk.look()
        if found.same and self._told and history.head(self._asking) == self._head:
            cost = time.process_time() - began
            self._wire.send({**self._told, "look": number, "cost": cost})
            return
        self._told = {}
        self._pack = Pack()
        for path, status in found.changed:
            self._read(path, status, found)
            if self._pack.size >= BATCH:
                self._send()
        files = list(self._walk.files(found))
        tree = write_tree(nested(files), self._pack, self._known)
        parent = self._parent(found)
        if (tree, parent) != self._last or self._commit is None:
            parents = [parent] if parent else []
            data = commit_object(tree, parents, self._author, int(time.time()))
            commit = object_id(COMMIT, data)
            self._pack.add(COMMIT, data, commit)
            self._send()
            self._last, self._commit = (tree, parent), commit
        self._answer(number, found, len(files), tree)

    def _answer(self, number: int, found: Look, files: int, tree: str) -> None:
        unsafe = found.unsafe
        more = len(unsafe) - UNSAFE_MOST
        if more > 0:
            unsafe = [*unsafe[: UNSAFE_MOST - 1], f"... and {more + 1} more"]
        waiting = [[_text(path), size] for path, size in found.waiting]
        self._told = {"look": number, "commit": self._commit, "tree": tree, "files": files,
                      "size": found.size, "unsafe": unsafe, "waiting": waiting}  # fmt: skip
        self._wire.send(self._told)

    def _read(self, path: bytes, status: os.stat_result, found: Look) -> None:
        whole = self._asking.project + b"/" + path
        still = True
        try:
            if mode_of(status) == b"120000":
                data = os.readlink(whole)
            else:
                data, status, still = content.whole(whole, self._bounds.prompt)
        except FileNotFoundError:
            self._walk.seen.pop(path, None)
            return
        except ValueError:
            found.lost.append(f"{names.shown(path)}: it grew while it was read, not yet sent")
            return
        except OSError as error:
            self._walk.seen.pop(path, None)
            found.lost.append(f"{names.shown(path)}: {error.strerror or error}")
            return
        identity = object_id(BLOB, data)
        if identity not in self._known:
            self._pack.add(BLOB, data, identity)
        file = File(mode_of(status), identity)
        self._walk.take(path, status, file, still and settled(status))

    def _parent(self, found: Look) -> str | None:
        """Give the commit that is checked out, once it is known where snapshots are kept."""
        head = self._head = history.head(self._asking)
        if head is None or head in self._commits:
            return head
        if head == self._unreadable or head not in history.has(self._asking, [head]):
            found.lost.append(_HISTORY)
            return None
        wanted = self._commits + ([] if self._strict else history.remote_heads(self._asking))
        known = history.has(self._asking, wanted)
        try:
            if head not in known:
                self._wire.send({"pack": True})
                self._wire.send_pack(history.pack(self._asking, head, known))
                self._taken()
        except history.Unreadable:
            # What was sent of it is ended so that it is no pack, and is refused.
            self._wire.send_pack([b"unreadable"])
            self._wire.receive()
            self._unreadable = head
            found.lost.append(_HISTORY)
            return None
        self._commits.append(head)
        return head

    def _send(self) -> None:
        if not self._pack.entries:
            return
        self._wire.send({"pack": True})
        self._wire.send_pack(self._pack.pieces())
        self._taken()
        self._known |= self._pack.ids
        self._pack = Pack()

    def _taken(self) -> None:
        answer = self._wire.receive()
        if answer is None or not answer.get("taken"):
            raise NotTaken

    def large(self, told: dict[str, Any]) -> None:
        """Take note of a file that was sent apart."""
        file = File(told["mode"].encode(), told["id"])
        signature = tuple(told["signature"])
        self._walk.took_large(_path(told["path"]), signature, file)


def _text(path: bytes) -> str:
    return base64.b64encode(path).decode()


def _path(text: str) -> bytes:
    return base64.b64decode(text)


def main(project: str) -> None:
    """Answer until the agent closes its end."""
    wire = Wire(sys.stdin.buffer, sys.stdout.buffer)
    with tempfile.TemporaryDirectory() as ours:
        asking = Asking(os.fsencode(project), Path(ours))
        reader: Reader | None = None
        while (told := wire.receive()) is not None:
            if "begin" in told:
                reader = Reader(wire, asking, told["begin"])
            elif "large" in told and reader is not None:
                reader.large(told["large"])
            elif "look" in told and reader is not None:
                try:
                    reader.look(told["look"])
                except NotTaken:
                    wire.send({"look": told["look"], "commit": None})


def large(project: str, path: str) -> None:
    """Send one file as a pack, then what it was."""
    wire = Wire(sys.stdin.buffer, sys.stdout.buffer)
    handle, status = content.opened(os.fsencode(project) + b"/" + _path(path))
    blob = StreamedBlob(status.st_size)
    wire.send({"pack": True})
    wire.send_pack(blob.pieces(content.exactly(handle, status.st_size)))
    wire.send(
        {"path": path, "id": blob.id, "mode": mode_of(status).decode(),
         "signature": signature_of(status)}
    )  # fmt: skip

"""Speaking to the collectors in the pods of runs.

Owns the connections to them and what is believed of their answers. Called by `runtime`. Must
never believe a name that a person's program chose: a file is written only below the folder that
was named, and no link is made.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from spawners.runtime import RuntimeFailure

_HEAD_MOST = 16 << 10
_PIECE = 256 << 10
_GREETING = 20.0
_STATE_MOST = 2 << 20
_UNREADABLE = "the collector in its pod gave no answer that can be read"


class Away(RuntimeFailure):
    """The collector does not answer: its pod is going, gone or cut off."""


class Piece(NamedTuple):
    """Bytes of a log, and what the program has in use and a session's tool does, if told."""

    data: bytes
    sample: dict[str, Any] | None
    session: dict[str, Any] | None


class Door(NamedTuple):
    """Where a collector answers and what opens it."""

    ip: str
    opens: str


class Collectors:
    """The collectors of all pods."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_read=20)
            connector = aiohttp.TCPConnector(limit=256, keepalive_timeout=20)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def state(self, door: Door) -> dict[str, Any]:
        """Ask what the shim wrote: `record` and `log_size`. Away."""
        return _object(await self._call("GET", door, "/state", most=_STATE_MOST))

    async def log(self, door: Door, offset: int, limit: int) -> Piece:
        """Ask for bytes of the log. Away."""
        path = f"/log?offset={offset}&limit={limit}"
        try:
            async with self._request("GET", door, path) as answer:
                data = await answer.content.read(limit) if limit else b""
                while len(data) < limit and (more := await answer.content.read(limit - len(data))):
                    data += more
                told = [answer.headers.get(f"Smalti-{word}") for word in ("Sample", "Session")]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(error) from error
        return Piece(data, *(_object(one.encode()) if one else None for one in told))

    async def stop(self, door: Door, wish: Mapping[str, object]) -> None:
        """Leave a wish to end for the shim. Away."""
        await self._call("POST", door, "/stop", json.dumps(wish).encode())

    async def done(self, door: Door) -> None:
        """Say that all is taken. Away."""
        await self._call("POST", door, "/done")

    async def reader(
        self, door: Door, arguments: tuple[str, ...]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Have the files of a session read there; what is said to the reader, and what it says.

        Raises Away. The connection is the reader's life: it ends when this is closed.
        """
        body = json.dumps(arguments).encode()
        head = f"POST /reader HTTP/1.1\r\nHost: collector\r\nAuthorization: Bearer {door.opens}\r\n"
        says = None
        try:
            async with asyncio.timeout(_GREETING):
                said, says = await asyncio.open_connection(door.ip, self._port)
                says.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                answer = await said.readuntil(b"\r\n\r\n")
        except BaseException as error:
            if says is not None:
                says.close()
            if isinstance(error, TimeoutError | OSError | EOFError | asyncio.LimitOverrunError):
                raise _away(error) from error
            raise
        if not answer.startswith(b"HTTP/1.1 200 "):
            says.close()
            raise Away(f"its files cannot be read in the pod: {answer[9:60].decode('latin-1')}")
        return said, says

    async def outputs(self, door: Door, folder: Path, most: int) -> list[str]:
        """Write what the run left into a folder, `most` bytes of it. Away, OSError."""
        left_out: list[str] = []
        try:
            async with self._request("GET", door, "/outputs") as answer:
                while True:
                    head = _object(await _line(answer.content))
                    if head.get("kind") == "end":
                        break
                    if head.get("kind") != "file":
                        left_out.append(_shown(head))
                        continue
                    most -= await _take(answer.content, head, folder, most, left_out)
        except (aiohttp.ClientError, TimeoutError, EOFError) as error:
            raise _away(error) from error
        except (HttpProcessingError, KeyError, TypeError, ValueError) as error:
            raise Away(_UNREADABLE) from error
        return left_out

    def _request(self, method: str, door: Door, path: str, body: bytes | None = None) -> Any:
        host = f"[{door.ip}]" if ":" in door.ip else door.ip
        headers = {"Authorization": f"Bearer {door.opens}"}
        return self._open().request(
            method,
            f"http://{host}:{self._port}{path}",
            data=body,
            headers=headers,
            allow_redirects=False,
            raise_for_status=True,
        )

    async def _call(
        self, method: str, door: Door, path: str, body: bytes | None = None, most: int = 1 << 16
    ) -> bytes:
        try:
            async with self._request(method, door, path, body) as answer:
                found: bytes = await answer.content.read(most)
                while more := await answer.content.read(most):
                    found += more
                    if len(found) > most:
                        raise Away("the collector in its pod said too much")
                return found
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(error) from error


def _away(error: Exception) -> Away:
    return Away(f"the collector in its pod does not answer: {error or type(error).__name__}")


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Away(_UNREADABLE) from error
    if not isinstance(found, dict):
        raise Away(_UNREADABLE)
    return found


async def _line(content: aiohttp.StreamReader) -> bytes:
    line = await content.readuntil(b"\n")
    if len(line) > _HEAD_MOST or not line.endswith(b"\n"):
        raise EOFError("a line without an end")
    return line


async def _take(
    content: aiohttp.StreamReader, head: dict[str, Any], folder: Path, most: int, left: list[str]
) -> int:
    """Take one file; returns the bytes that it needed, 0 for one that was left out."""
    size, parts = int(head["size"]), _parts(head)
    if size < 0:
        raise ValueError("a size below nothing")
    if size > most or not parts:
        left.append(_shown(head))
        for _ in range(0, size, _PIECE):
            size -= len(await content.readexactly(min(_PIECE, size)))
        return 0
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    taken = 0
    with target.open("wb") as file:
        while taken < size:
            piece = await content.readexactly(min(_PIECE, size - taken))
            await asyncio.to_thread(file.write, piece) if size > _PIECE else file.write(piece)
            taken += len(piece)
    return size


def _parts(head: dict[str, Any]) -> list[str]:
    """The parts of a name; none for one that would lead out of its folder."""
    parts = bytes.fromhex(str(head["name"])).split(b"/")
    if any(part in (b"", b".", b"..") or b"\0" in part or len(part) > 255 for part in parts):
        return []
    return [part.decode("utf-8", "surrogateescape") for part in parts]


def _shown(head: dict[str, Any]) -> str:
    text = bytes.fromhex(str(head.get("name", ""))).decode("utf-8", "replace")
    return "".join(one if one.isprintable() else "?" for one in text)[:80]

"""git's own `http-backend`, run as a CGI program for one call: bytes in, bytes out.

Called by `git_handlers` once the caller's right is known. Both directions are streamed with
back-pressure; memory does not grow with what passes. A call that stands still in both
directions for `IDLE` seconds is ended, and so is one whose caller has gone. The number of
calls at once is bounded, for all and for each person, and those beyond wait.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from services.core.errors import PublicError, Unavailable
from services.projects.runtime import ERRORS_MOST, PIECE, Repository

log = logging.getLogger("smalti.git")

IDLE = 300.0
WAIT = 60.0
AT_ONCE, EACH_AT_ONCE = 32, 12

_PROTOCOL = re.compile(r"[a-z0-9=.:_-]{1,200}")
_STATUS = re.compile(r"(\d{3})\b")


class Peer(Protocol):
    """The part of an HTTP call that passes through."""

    def stream(self) -> AsyncIterator[bytes]:
        """Yield the body."""

    def answer_with(self, status: int, headers: dict[str, str]) -> None:
        """Begin the answer."""

    async def send(self, piece: bytes) -> None:
        """Send a piece of it."""


@dataclass(frozen=True)
class Request:
    """What http-backend is told of the call."""

    method: str
    service: str
    person: str  # who is asking, for a limit each and for git's own records
    address: str
    protocol: str = ""
    content_type: str = ""
    encoding: str = ""

    def variables(self, repository: Repository) -> dict[str, str]:
        """Make the CGI variables (RFC 3875). Nothing in them is taken from a URL.

        CONTENT_LENGTH is left out: git then reads to the end of what it is fed, and notices
        when that comes early; given a length, http-backend spins at an early end for ever.
        The length itself is enforced before, where the body is received.
        """
        advertises = self.method == "GET"
        values = {
            "GIT_PROJECT_ROOT": str(repository.path.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository.path.name}/{'info/refs' if advertises else self.service}",
            "QUERY_STRING": f"service={self.service}" if advertises else "",
            "REQUEST_METHOD": self.method,
            "REMOTE_USER": self.person,
            "REMOTE_ADDR": re.sub(r"[^0-9A-Fa-f.:]", "", self.address),
            "CONTENT_TYPE": self.content_type,
        }
        if self.encoding:
            values["HTTP_CONTENT_ENCODING"] = self.encoding
        if _PROTOCOL.fullmatch(self.protocol):
            values["GIT_PROTOCOL"] = self.protocol
        return values


class Gate:
    """Lets so many calls in at once: `AT_ONCE` in all, `EACH_AT_ONCE` of one person."""

    def __init__(self) -> None:
        self._each: Counter[str] = Counter()
        self._inside = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def enter(self, person: str) -> AsyncIterator[None]:
        """Wait for a place. Raises Unavailable when none came free in `WAIT` seconds."""
        try:
            async with asyncio.timeout(WAIT), self._changed:
                await self._changed.wait_for(lambda: self._has_room(person))
                self._inside += 1
                self._each[person] += 1
        except TimeoutError:
            raise Unavailable("Too much git is going on: try again.", retry_after=10) from None
        try:
            yield
        finally:
            await asyncio.shield(self._leave(person))

    def _has_room(self, person: str) -> bool:
        return self._inside < AT_ONCE and self._each[person] < EACH_AT_ONCE

    async def _leave(self, person: str) -> None:
        async with self._changed:
            self._inside -= 1
            self._each[person] -= 1
            if not self._each[person]:
                del self._each[person]
            self._changed.notify_all()


class _Clock:
    """Ends the call when nothing has moved in either direction for `IDLE` seconds."""

    def __init__(self) -> None:
        self.timeout = asyncio.timeout(IDLE)

    def moved(self) -> None:
        """Start counting anew."""
        self.timeout.reschedule(asyncio.get_running_loop().time() + IDLE)


async def serve(
    repository: Repository, request: Request, peer: Peer, keep: Sequence[int] = ()
) -> None:
    """Run http-backend for a call and pass its answer on. git holds the descriptors `keep` open.

    Raises Unavailable when it stood still or git failed before it answered. Returns when the
    whole answer is sent and git has ended.
    """
    began = time.monotonic()
    clock = _Clock()
    try:
        async with (
            clock.timeout,
            repository.git.process(
                repository.git.backend(),
                data=request.method == "POST",
                extra=request.variables(repository),
                keep=keep,
            ) as process,
        ):
            text = await _exchange(process, peer, clock)
    except TimeoutError:
        raise Unavailable("git stood still for too long", code="git_idle") from None
    if process.returncode or text:
        fields = {"service": request.service, "code": process.returncode, "said": text[:500],
                  "seconds": round(time.monotonic() - began, 3)}  # fmt: skip
        log.info("http-backend complained", extra={"fields": fields})


async def _exchange(process: asyncio.subprocess.Process, peer: Peer, clock: _Clock) -> str:
    """Pass body and answer at the same time; return git's complaints.

    What goes wrong on one side ends the other: a body past its limit is refused as such.
    """
    try:
        async with asyncio.TaskGroup() as sides:
            errors = sides.create_task(_complaints(process))
            if process.stdin is not None:
                sides.create_task(_feed(process.stdin, peer, clock))
            await _answer(process, peer, clock)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    await process.wait()
    return errors.result()


async def _feed(stdin: asyncio.StreamWriter, peer: Peer, clock: _Clock) -> None:
    """Pass the body on. What git does not want is still taken from the caller, and dropped.

    Otherwise a caller who is refused in the middle of sending would not get to the answer.
    """
    wanted = True
    async for piece in peer.stream():
        clock.moved()
        if not wanted:
            continue
        try:
            stdin.write(piece)
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            wanted = False
    stdin.close()


async def _answer(process: asyncio.subprocess.Process, peer: Peer, clock: _Clock) -> None:
    """Read the CGI head, begin the answer with it, pass the rest on."""
    assert process.stdout is not None
    status, headers = await _head(process.stdout)
    clock.moved()
    peer.answer_with(status, headers)
    while piece := await process.stdout.read(PIECE):
        clock.moved()
        await peer.send(piece)
        clock.moved()


async def _head(stdout: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read status and headers of a CGI answer."""
    try:
        text = (await stdout.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise PublicError("git did not answer", code="git_failed", status=503) from error
    status, headers = 200, {}
    for line in text.split("\r\n"):
        name, colon, value = line.partition(":")
        if name.lower() == "status" and (match := _STATUS.search(value)):
            status = int(match[1])
        elif colon and name.lower() in ("content-type", "cache-control", "expires", "pragma"):
            headers[name] = value.strip()
    return status, headers


async def _complaints(process: asyncio.subprocess.Process) -> str:
    """Read all that git says on its standard error; keep the beginning."""
    assert process.stderr is not None
    kept = bytearray()
    while piece := await process.stderr.read(PIECE):
        kept += piece[: ERRORS_MOST - len(kept)]
    return kept.decode(errors="replace").strip()

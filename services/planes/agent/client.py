"""Speaking to the control plane: every request that the agent makes over HTTP.

Owns the session, the credential's header and the sorting of failures into what to do about
them. Called by the agent's loops, the log and the output shipping. Must never retry by itself,
follow a redirect, or put the credential anywhere but in the header.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ValidationError
from yarl import URL

from services.planes.agent.settings import Address, SettingsError
from services.planes.protocol import (
    CommandsAnswer,
    Hello,
    HelloAnswer,
    LogAnswer,
    OutputEntry,
    Reports,
    ReportsAnswer,
    SecretsAnswer,
    SnapshotAnswer,
    SnapshotBegin,
    SnapshotReport,
    SnapshotWishes,
    VolumesAnswer,
)
from spawners.runtime import RunKey

Answer = TypeVar("Answer", bound=BaseModel)
Body = bytes | AsyncIterator[bytes] | None


class Away(Exception):
    """No useful answer now: not connected, 5xx, or something else's answer. Try again later."""


class Refused(Away):
    """The credential is not accepted (401, 403). Try again later, with it read anew."""


class NoRoom(Away):
    """The control plane's disk is full (507). Try again later: what is refused now fits then."""


class Gone(Exception):
    """The control plane does not know this run any more (404 or 410 in its own words)."""


class TooMuch(Exception):
    """The control plane does not take this much (413). Do not send it again."""


class Rejected(Exception):
    """The request itself is wrong in the control plane's eyes (other 4xx)."""


class Client:
    """The agent's half of the protocol. `address` is asked anew by `refresh`."""

    def __init__(self, address: Callable[[], Address], ca_file: str | None = None) -> None:
        self._address = address
        self._ca_file = ca_file
        self._session: aiohttp.ClientSession | None = None
        self._at: Address | None = None

    @property
    def at(self) -> Address:
        """Where the control plane is, as last read. Away while that is not known."""
        if self._at is None:
            self.refresh()
        assert self._at is not None
        return self._at

    def refresh(self) -> None:
        """Read address and credential again. Away while they are not there."""
        try:
            self._at = self._address()
        except SettingsError as error:
            raise Away(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def hello(self, hello: Hello) -> HelloAnswer:
        """Say who we are and what we have; learn all that should be here."""
        return await self._post("/agent/hello", hello, HelloAnswer)

    async def commands(self, after: int, wait: float) -> CommandsAnswer:
        """Wait up to `wait` seconds for commands after a cursor."""
        path = f"/agent/commands?after={after}&wait={wait:g}"
        answer = await self._call("GET", path, read=wait + 15)
        return _parse(CommandsAnswer, answer)

    async def report(self, reports: Reports) -> ReportsAnswer:
        """Post a batch of reports."""
        return await self._post("/agent/reports", reports, ReportsAnswer)

    async def volumes(self) -> set[str]:
        """Ask which volumes must stay."""
        return set(_parse(VolumesAnswer, await self._call("GET", "/agent/volumes")).volumes)

    async def log_end(self, key: RunKey) -> int:
        """Ask where the stored log of a run ends."""
        return _parse(LogAnswer, await self._call("GET", _run(key, "log"))).end

    async def put_log(self, key: RunKey, offset: int, piece: bytes) -> int:
        """Put a piece of a log; returns where the stored log ends now."""
        path = f"{_run(key, 'log')}?offset={offset}"
        headers = {"Content-Type": "application/octet-stream"}
        return _parse(LogAnswer, await self._call("PUT", path, piece, headers)).end

    async def secrets(self, key: RunKey) -> dict[str, str]:
        """Ask for the secret variables of a run."""
        return _parse(SecretsAnswer, await self._call("GET", _run(key, "secrets"))).env

    async def put_output(
        self, key: RunKey, path: str, body: Body, size: int, sha256: str
    ) -> OutputEntry:
        """Put one output file of `size` bytes."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "X-Content-SHA256": sha256,
        }
        where = _run(key, f"outputs/{quote(path, safe='/')}")
        # The control plane stores a large file before it answers: it may need a while.
        read = 60 + size / (1 << 20)
        return _parse(OutputEntry, await self._call("PUT", where, body, headers, read=read))

    async def snapshot_begin(self, key: RunKey) -> SnapshotBegin:
        """Ask where a session's snapshots stand."""
        return _parse(SnapshotBegin, await self._call("GET", _run(key, "snapshots"), read=120.0))

    async def put_pack(self, key: RunKey, pieces: AsyncIterator[bytes], large: int = 0) -> None:
        """Put a pack of objects of a session's files; `large` is about its size, if it is."""
        headers = {"Content-Type": "application/octet-stream"}
        read = 120 + large / (1 << 20)
        await self._call("PUT", _run(key, "snapshots/pack"), pieces, headers, read=read)

    async def report_snapshot(self, key: RunKey, report: SnapshotReport) -> SnapshotAnswer:
        """Say that all of a commit was put: from the answer on it is safe."""
        path = _run(key, "snapshots")
        return await self._post(path, report, SnapshotAnswer, read=330.0)

    async def snapshot_wishes(self, after: int, wait: float) -> SnapshotWishes:
        """Wait up to `wait` seconds for sessions whose snapshot somebody waits for."""
        path = f"/agent/snapshots?after={after}&wait={wait:g}"
        return _parse(SnapshotWishes, await self._call("GET", path, read=wait + 15))

    async def _post(
        self, path: str, message: BaseModel, kind: type[Answer], read: float = 30.0
    ) -> Answer:
        body = message.model_dump_json(exclude_none=True).encode()
        headers = {"Content-Type": "application/json"}
        return _parse(kind, await self._call("POST", path, body, headers, read=read))

    async def _call(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        read: float = 30.0,
    ) -> bytes:
        at = self.at
        everything = {"Authorization": f"Bearer {at.credential}", **(headers or {})}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=read)
        url = URL(at.api + path, encoded=True)
        try:
            async with self._opened().request(
                method,
                url,
                data=body,
                headers=everything,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                if response.status < 300:
                    return await response.read()
                raise _failure(response.status, await response.content.read(1 << 16))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(f"{type(error).__name__}: {error}") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            verify: ssl.SSLContext | bool = True
            if self._ca_file:
                verify = ssl.create_default_context(cafile=self._ca_file)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=64, ssl=verify),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "smalti-agent"},
                skip_auto_headers={"Accept", "Accept-Encoding"},
            )
        return self._session


def _run(key: RunKey, what: str) -> str:
    return f"/agent/runs/{key.workload_id}/{key.attempt}/{what}"


def _parse(kind: type[Answer], data: bytes) -> Answer:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise Away(f"an answer that is no {kind.__name__}: {error.error_count()} errors") from error


class _Error(BaseModel):
    code: str = ""
    message: str = ""


class _ErrorBody(BaseModel):
    error: _Error


def _failure(status: int, data: bytes) -> Exception:
    """Say what a status means. Only the control plane's own words count as its refusal.

    A proxy in between answers 404 too, while it has no route yet; believing it would end runs,
    so that anything but our error object is merely `Away`.
    """
    try:
        error = _ErrorBody.model_validate_json(data).error
    except ValidationError:
        if status == 413:
            return TooMuch(f"answer {status}")
        return Away(f"answer {status} that is not the control plane's")
    text = f"{status} {error.code}: {error.message}"
    if status in (401, 403):
        return Refused(text)
    if status in (404, 410):
        return Gone(text)
    if status == 413:
        return TooMuch(error.message or text)
    if status == 507:
        return NoRoom(error.message or text)
    if status < 400 or status in (408, 409, 425, 429) or status >= 500:
        return Away(text)
    return Rejected(text)

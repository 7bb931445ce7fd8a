"""The platform as the hub's process sees it: five calls about one named server.

Owns addresses, the credential's header and the sorting of failures: `Refused` is a decision
with words for a person, `Away` passes by itself. Must never log a body: starts carry tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

CALL = aiohttp.ClientTimeout(total=30, connect=3)
WAIT = 20.0  # seconds that one look waits for news
AWAY_FIRST, AWAY_MOST = 0.3, 5.0


class Refused(Exception):
    """The platform decided against it."""

    def __init__(self, message: str, code: str, status: int) -> None:
        super().__init__(message)
        self.message, self.code, self.status = message, code, status


class Away(Exception):
    """The platform cannot be asked now."""


@dataclass(frozen=True)
class Standing:
    """How a named server stands, in the platform's words."""

    workload_id: str | None
    status: str
    reason: str | None
    address: str | None
    over: bool
    seen: str

    @property
    def sentence(self) -> str:
        """Status and reason for people."""
        return f"{self.status}: {self.reason}" if self.reason else self.status


@dataclass(frozen=True)
class Server:
    """A named server of the hub: its person by name and time of creation, and its name."""

    user: str
    created: str
    name: str


class Platform:
    """Calls the platform. One per process of the hub."""

    def __init__(self, url: str, token_file: str) -> None:
        self._url = url.rstrip("/")
        self._token_file = Path(token_file)
        self._session: aiohttp.ClientSession | None = None

    async def choices(self, server: Server) -> dict[str, Any]:
        """What the person may choose for it."""
        body = {"created": server.created}
        found: dict[str, Any] = await self._ask("POST", server, "/choices", json=body)
        return found

    async def check(self, server: Server, options: dict[str, Any]) -> None:
        """Raise Refused when it could not be started so."""
        body = {"created": server.created, "options": options}
        await self._ask("POST", server, "/check", json=body)

    async def start(self, server: Server, start: dict[str, Any]) -> Standing:
        """Start it; without a workload in the answer it must be asked again."""
        body = {"created": server.created, **start}
        return _standing(await self._ask("PUT", server, json=body))

    async def look(
        self, server: Server, workload_id: str | None, seen: str = "", wait: float = 0.0
    ) -> Standing:
        """Say how it stands; with `seen`, wait for something else."""
        params = {"created": server.created, "seen": seen, "wait": f"{wait:g}"}
        if workload_id:
            params["workload_id"] = workload_id
        return _standing(await self._ask("GET", server, params=params))

    async def stop(self, server: Server, workload_id: str | None, start_key: str) -> Standing:
        """Stop a workload, or without one whatever that start has led to."""
        body = {"created": server.created, "workload_id": workload_id, "start_key": start_key}
        return _standing(await self._ask("POST", server, "/stop", json=body))

    async def _ask(self, method: str, server: Server, verb: str = "", **more: Any) -> Any:
        names = f"{quote(server.user, safe='')}/{quote(server.name, safe='')}"
        url = f"{self._url}/services/smalti/api/v1/hub-servers/{names}{verb}"
        headers = {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}
        try:
            call = self._client().request(method, url, headers=headers, timeout=CALL, **more)
            async with call as response:
                answer = await response.json(content_type=None) if response.status != 204 else None
                if response.status >= 500:
                    raise Away(f"the platform answered {response.status}")
                if response.status >= 400:
                    raise _refused(response.status, answer)
                return answer
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Away("the platform does not answer") from error

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=0)  # a look for each server may be waiting
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


def _standing(answer: Any) -> Standing:
    return Standing(**{name: answer[name] for name in Standing.__dataclass_fields__})


def _refused(status: int, answer: Any) -> Refused:
    error = answer.get("error", {}) if isinstance(answer, dict) else {}
    message = str(error.get("message") or f"the platform answered {status}")
    return Refused(message, str(error.get("code") or "refused"), status)


async def patiently(ask: Callable[[], Any], away: Callable[[], None]) -> Any:
    """Ask until the platform is there; `away` is told each time that it is not."""
    pause = AWAY_FIRST
    while True:
        try:
            return await ask()
        except Away:
            away()
            await asyncio.sleep(pause)
            pause = min(AWAY_MOST, pause * 2)

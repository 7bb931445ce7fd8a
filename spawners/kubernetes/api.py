"""Requests to the API server of a cluster: plain JSON, nothing known of what it means.

Owns the connections and the sorting of failures. Called by `mirror` and `runtime`. Must never
retry by itself.

Why not the generated client of the project: importing it costs 130 MB, its models more for each
pod, and we need six verbs on four kinds.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from spawners.kubernetes.access import Access

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
# Of a list no more than each object's metadata: of Secrets, not what is secret in them.
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PIECE_MOST = 8 << 20  # bytes of one object; the API server's own limit is below


class Refusal(Exception):
    """The API server said no: its HTTP status, its reason in one word, its message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


class Unreachable(Exception):
    """The API server gives no useful answer now. Try again later."""


class Api:
    """One cluster's API server."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._access.tls or True, limit=32)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(total=30, connect=10)
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        params: Mapping[str, str] | None = None,
        kind: str = "application/json",
        accept: str = "application/json",
    ) -> Object:
        """Make one request and return the object that it answers. Refusal, Unreachable."""
        headers = {"Accept": accept, **self._access.headers()}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), kind
        url = self._access.server + path
        try:
            async with self._open().request(
                method, url, data=data, params=params, headers=headers, allow_redirects=False
            ) as answer:
                content = await answer.read()
                if answer.status >= 300:
                    raise _failure(answer.status, content)
                found: Object = json.loads(content)
                return found
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError, ValueError) as error:
            raise Unreachable(f"the cluster does not answer: {error or 'timeout'}") from error

    async def watch(self, path: str, params: Mapping[str, str]) -> AsyncIterator[Object]:
        """Yield the events of one watch until the server ends it. Refusal, Unreachable."""
        headers = {"Accept": "application/json", **self._access.headers()}
        # A watch is silent while nothing happens; bookmarks come about once a minute.
        timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=150)
        url = self._access.server + path
        try:
            async with self._open().get(
                url, params={**params, "watch": "1"}, headers=headers, timeout=timeout
            ) as answer:
                if answer.status >= 300:
                    raise _failure(answer.status, await answer.read())
                rest = b""
                async for piece in answer.content.iter_any():
                    *lines, rest = (rest + piece).split(b"\n")
                    if len(rest) > _PIECE_MOST:
                        raise Unreachable("the cluster sent an event without an end")
                    for line in lines:
                        yield json.loads(line)
        except (
            aiohttp.ClientError,
            TimeoutError,
            ValueError,
        ) as error:
            raise Unreachable(f"the watch was cut off: {error or 'timeout'}") from error


def _failure(status: int, content: bytes) -> Exception:
    try:
        said = json.loads(content)
        reason, message = str(said.get("reason", "")), str(said.get("message", ""))
    except (ValueError, AttributeError):
        reason, message = "", content[:200].decode("utf-8", "replace")
    if status >= 500 or status == 429:
        return Unreachable(f"the cluster answers {status}: {message}")
    return Refusal(status, reason, message)

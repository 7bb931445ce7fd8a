"""One resolver for every credential: hub tokens, our own `sml_` tokens, the console's cookie.

Serves the API, git, the event stream and whatever comes later. Sources are tried by what a
token looks like; their answers are believed for `auth_cache` seconds, so that a revocation is
felt within 30 s everywhere. Must never log or keep a token: it is known by its hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
import time
from collections import OrderedDict
from typing import Protocol

from tornado.httputil import HTTPServerRequest

from services.core.actor import ANONYMOUS, Actor
from services.core.errors import Unauthorized, Unavailable
from services.core.metrics import AUTH_FAILURES

LONGEST_TOKEN = 512
MOST_CACHED = 10_000
STALE_SECONDS = 600.0  # how long an answer may stand in for a source that is away


class SourceAway(Unavailable):
    """The source of a kind of credential cannot be asked now: a 503 for the caller.

    The text given says why, for the log; the caller learns that it is not the token's fault.
    """

    def __init__(self, why: str) -> None:
        super().__init__("Logins cannot be checked now: try again soon.", code="login_away")
        self.why = why


class TokenSource(Protocol):
    """Knows one kind of token."""

    def knows(self, token: str) -> bool:
        """Tell by its looks whether a token is of this kind."""

    async def resolve(self, token: str) -> Actor | None:
        """Say whose it is; None when it is not valid. Raises SourceAway."""


class SessionSource(Protocol):
    """Knows the console's session cookie."""

    async def token_of(self, request: HTTPServerRequest) -> str | None:
        """Give the token behind the request's session cookie, None without one.

        Raises Forbidden when the request changes something and lacks the XSRF header.
        """


class Resolver:
    """Finds the actor of a request."""

    def __init__(self, believed: float) -> None:
        self._believed = believed
        self._sources: list[TokenSource] = []
        self._sessions: SessionSource | None = None
        self._cache: OrderedDict[bytes, tuple[float, Actor | None]] = OrderedDict()
        self._lock = threading.Lock()  # writers' threads forget, the event loop keeps

    def add(self, source: TokenSource) -> None:
        """Ask this source about tokens that no earlier source knows."""
        self._sources.append(source)

    def use_sessions(self, sessions: SessionSource) -> None:
        """Let browsers in by their session cookie."""
        self._sessions = sessions

    async def actor(self, request: HTTPServerRequest) -> Actor:
        """Say who is asking; ANONYMOUS when the request shows nothing.

        Raises Unauthorized for a credential that is shown and not valid, SourceAway as 503.
        """
        token = token_in(request.headers.get("Authorization", ""))
        if token is None and self._sessions is not None:
            token = await self._sessions.token_of(request)
            if token is not None:
                return await self.actor_of_token(token) or ANONYMOUS
        if token is None:
            return ANONYMOUS
        actor = await self.actor_of_token(token)
        if actor is None:
            AUTH_FAILURES.labels("token").inc()
            raise Unauthorized("This token is not valid (any more).", code="bad_token")
        return actor

    async def actor_of_token(self, token: str) -> Actor | None:
        """Say whose a token is, from memory when it was asked a moment ago."""
        if not token or len(token) > LONGEST_TOKEN or not token.isprintable():
            return None
        key = hashlib.sha256(token.encode()).digest()
        now = time.monotonic()
        known = self._cache.get(key)
        if known is not None and now - known[0] < self._believed:
            return known[1]
        try:
            actor = await self._ask(token)
        except SourceAway:
            if known is not None and known[1] is not None and now - known[0] < STALE_SECONDS:
                return known[1]
            raise
        self._keep(key, now, actor)
        return actor

    def forget(self, token: str | None = None) -> None:
        """Believe nothing any more, or nothing of one token. From any thread."""
        if token is not None:
            self.forget_digest(hashlib.sha256(token.encode()).digest())
            return
        with self._lock:
            self._cache.clear()

    def forget_digest(self, digest: bytes) -> None:
        """Believe nothing any more of the token with this SHA-256. From any thread."""
        with self._lock:
            self._cache.pop(digest, None)

    async def _ask(self, token: str) -> Actor | None:
        for source in self._sources:
            if source.knows(token):
                return await source.resolve(token)
        return None

    def _keep(self, key: bytes, now: float, actor: Actor | None) -> None:
        with self._lock:
            self._cache[key] = (now, actor)
            self._cache.move_to_end(key)
            while len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)


def token_in(header: str) -> str | None:
    """Take the token out of an Authorization header: Bearer, token, or Basic's password.

    Raises Unauthorized for a header that is none of these.
    """
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return value.strip()
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unauthorized("the Authorization header cannot be read") from error
        return pair.partition(":")[2]
    raise Unauthorized("the Authorization header's scheme is not one we know")

"""From HTTP to a handler and back: the one tornado handler that serves every route.

For each call, in this order: request id, route, who is asking, whether such a caller may,
how large the body may be, the body, its shape, the handler, its answer. A route that streams
gets its body piece by piece while it arrives, with back-pressure to the caller's socket.
Must never hold anything about a noun.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from asyncio import Future
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ValidationError
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from services.core import etags, logs, pages
from services.core.actor import ANONYMOUS, Actor
from services.core.auth.resolver import Resolver
from services.core.auth.web import login_address
from services.core.door import Door
from services.core.errors import (
    Forbidden,
    MethodNotAllowed,
    PublicError,
    TooLarge,
    Unauthorized,
)
from services.core.idempotency import Once, Replay, fingerprint
from services.core.metrics import REQUESTS
from services.core.rights import Permission, Principal
from services.core.routing import Route
from services.core.shapes import parse_body, parse_query
from services.core.work import Context, Origin, Work

log = logging.getLogger("smalti.http")

RECHECK_RIGHTS = 7.0  # seconds without another look; with 20 s of cache it stays below 30
DRAIN_SECONDS = 2.0  # for what a caller still sends when it is refused
BODY_SLACK = 1 << 20  # bytes beyond a limit before the connection is cut without a word
PIECES = 16  # pieces of a streamed body that may wait before the socket is held back
SAFE = {"GET", "HEAD", "OPTIONS"}


@stream_request_body
class Endpoint(RequestHandler):
    """All methods of one path."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    def initialize(self, context: Context, table: dict[str, Route]) -> None:
        """Take what the application was built with: tornado calls this for each request."""
        self.context = context
        self.table = table
        self.route: Route | None = None
        self.request_id = secrets.token_hex(8)
        self.address = context.get(Door).address(self.request)
        self.began = time.monotonic()
        self.actor: Actor = ANONYMOUS
        self._believed_at = 0.0
        self.gone = False
        self._body = bytearray()
        self._received = 0
        self._limit = 0
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self._task: asyncio.Task[None] | None = None
        self._own_answer = False
        self._accepted = False
        self._ended = False
        self._whole = False

    # -- before the body ---------------------------------------------------------------------

    async def prepare(self) -> None:
        """Decide everything that can be decided without the body; refuse early."""
        self.set_header("X-Request-Id", self.request_id)
        try:
            self.route = self._find()
            await self._authenticate(self.route)
            self._limit_body(self.route)
        except PublicError as error:
            self._refuse(error)
            return
        self._own_answer = self.route.media_type is not None
        if self.route.upload is not None:
            self._task = asyncio.create_task(self._run())

    def _find(self) -> Route:
        method = "GET" if self.request.method == "HEAD" else self.request.method or ""
        route = self.table.get(method)
        if route is None:
            error = MethodNotAllowed(f"{self.request.method} is not possible here")
            error.headers["Allow"] = ", ".join(sorted({*self.table, "HEAD"}))
            raise error
        return route

    async def _authenticate(self, route: Route) -> None:
        if route.permission is not Permission.PUBLIC or "Authorization" in self.request.headers:
            self.actor = await self.context.get(Resolver).actor(self.request)
        self._believed_at = time.monotonic()
        if self.actor.may(route.permission):
            return
        if self.actor.kind is Principal.ANONYMOUS:
            unknown = Unauthorized("Who is asking? Send a token.")
            if route.cookie and self.request.method in SAFE:
                unknown.status = 302
                unknown.headers["Location"] = login_address(self.raw_path)
            raise unknown
        raise Forbidden("You may not do this.")

    def _limit_body(self, route: Route) -> None:
        settings = self.context.settings
        self._limit = getattr(settings, route.upload) if route.upload else settings.body_max
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > self._limit:
            raise TooLarge(f"the body is larger than {self._limit} bytes")
        connection: Any = self.request.connection
        # A little more than allowed may come in, so that we can say so ourselves: of a chunked
        # body, whole chunks are counted before they are read.
        connection.set_max_body_size(self._limit + BODY_SLACK)

    # -- the body ------------------------------------------------------------------------------

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; wait while a streaming handler is behind."""
        if self._finished:
            return
        if self._task is None:
            self._body += chunk[: self._limit + 1 - len(self._body)]  # what is over is let go
            self._received += len(chunk)
            # A little over is read to its end, so that the caller gets to see the answer.
            if self._received > self._limit + BODY_SLACK // 2:
                self._refuse(TooLarge(f"the body is larger than {self._limit} bytes"))
            return
        put = asyncio.ensure_future(self._pieces.put(chunk))
        await asyncio.wait({put, self._task}, return_when=asyncio.FIRST_COMPLETED)
        put.cancel()

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives."""
        received = 0
        while (piece := await self._pieces.get()) is not None:
            received += len(piece)
            if received > self._limit:
                raise TooLarge(f"the body is larger than {self._limit} bytes")
            yield piece
        self._ended = True

    async def _drain(self) -> None:
        """Take a little more of a streamed body before it is refused.

        A caller whose connection is cut while it still sends would not get to see the answer.
        """
        taken = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended and taken < BODY_SLACK:
                    piece = await self._pieces.get()
                    self._ended = piece is None
                    taken += len(piece or b"")

    def on_connection_close(self) -> None:
        """Let a streaming handler notice that its caller is gone."""
        self.gone = True
        super().on_connection_close()  # ends tornado's own wait for the rest of the body
        if self._task is not None:
            self._task.cancel()

    # -- the call ------------------------------------------------------------------------------

    async def _serve(self, *_: str, **__: str) -> None:
        self._whole = True  # tornado calls this when the body has come to its end
        if self._finished:
            return
        if self._task is None:
            if self._received > self._limit:
                self._refuse(TooLarge(f"the body is larger than {self._limit} bytes"))
                return
            await self._run()
            return
        end = asyncio.ensure_future(self._pieces.put(None))
        await asyncio.wait({end, self._task}, return_when=asyncio.FIRST_COMPLETED)
        end.cancel()
        await self._task

    get = head = post = put = patch = delete = options = _serve

    async def _run(self) -> None:
        route = self.route
        assert route is not None
        try:
            self.work = self._work(route)
            if self.work.once is not None:
                await self.work.read(_look, self.work.once)
            self._answer(route, await route.handler(self))
        except Replay as replay:
            self.set_header("Idempotent-Replayed", "true")
            self._answer(route, json.loads(replay.answer))
        except PublicError as error:
            if self._task is not None:
                await self._drain()
            self._refuse(error)
        except (StreamClosedError, ConnectionResetError, asyncio.CancelledError):
            self.gone = True

    def _work(self, route: Route) -> Work:
        key = self.request.headers.get("Idempotency-Key")
        once = None
        if key is not None and route.method == "POST" and route.keep:
            mark = fingerprint("POST", self.request.path, bytes(self._body))
            once = Once(self.actor.id, key, mark)
        origin = Origin(self.address, self.request_id, "http")
        if_match = self.request.headers.get("If-Match")
        return Work(self.context, self.actor, origin, once, if_match)

    def _answer(self, route: Route, result: Any) -> None:
        if self._own_answer or self._finished:
            if not self._finished:
                self.finish()
            return
        if route.status == 204:
            self.set_status(204)
            self.finish()
            return
        body: str | bytes
        if isinstance(result, BaseModel):
            body = result.model_dump_json()
        else:  # bytes are JSON already
            body = result if isinstance(result, bytes) else json.dumps(result)
        if route.etag:
            self.set_header("ETag", etags.of(result))
        self.set_status(202 if self._accepted else route.status)
        self.set_header("Content-Type", "application/json")
        self.finish(body)

    # -- what a handler sees (routing.Call) -----------------------------------------------------

    @property
    def path(self) -> dict[str, str]:
        """The path's parameters, decoded."""
        return {name: value for name, value in self.path_kwargs.items() if value is not None}

    @property
    def method(self) -> str:
        """The method that was asked for."""
        return self.request.method or ""

    @property
    def raw_path(self) -> str:
        """The path as it was sent, with its query."""
        return self.request.uri or ""

    def query(self, model: type[BaseModel]) -> Any:
        """Return the query parameters, checked against a model."""
        return parse_query(self.request.query_arguments, model)

    def body(self, model: type[BaseModel]) -> Any:
        """Return the JSON body, checked against a model."""
        return parse_body(bytes(self._body), model)

    def header(self, name: str, default: str = "") -> str:
        """Return a request header."""
        return self.request.headers.get(name, default)

    def accept(self) -> None:
        """Answer 202: it is taken in, and something must still happen."""
        self._accepted = True

    def answer_with(self, status: int, headers: dict[str, str]) -> None:
        """Set status and headers of an answer that the handler writes itself."""
        self.set_status(status)
        self.clear_header("Content-Type")
        for name, value in headers.items():
            self.set_header(name, value)

    async def send(self, piece: bytes) -> None:
        """Write a piece of the answer and wait until there is room for more."""
        if self.gone:
            raise ConnectionResetError
        if time.monotonic() - self._believed_at > RECHECK_RIGHTS:
            # A long answer ends when its credential does; data's own rights are its reader's.
            assert self.route is not None
            await self._authenticate(self.route)
        if self.request.method != "HEAD":
            self.write(piece)
        try:
            await self.flush()
        except StreamClosedError as error:
            self.gone = True
            raise ConnectionResetError from error

    # -- refusals ------------------------------------------------------------------------------

    def _refuse(self, error: PublicError) -> None:
        if self._headers_written:
            # The answer has begun; all that is left is to break it off, so that nobody
            # takes the part for the whole.
            self.request.connection.close()  # type: ignore[union-attr]
            return
        self.clear()
        self.set_header("X-Request-Id", self.request_id)
        self.set_status(error.status)
        for name, value in error.headers.items():
            self.set_header(name, value)
        plain = self.route is not None and self.route.plain
        if error.status == 401:
            scheme = "Basic" if plain else "Bearer"
            self.set_header("WWW-Authenticate", f'{scheme} realm="smalti"')
        if plain:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{error.message}\n")
            return
        if self.route is not None and self.route.cookie:
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header("Content-Security-Policy", pages.POLICY)
            self.finish(pages.problem(error, self.request_id))
            return
        self.set_header("Content-Type", "application/json")
        body = {
            "code": error.code,
            "message": error.message,
            "details": error.details,
            "request_id": self.request_id,
        }
        self.finish(json.dumps({"error": body}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Turn whatever was not foreseen into the one shape of errors, without a trace."""
        cause = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(cause, HTTPError | ValidationError) and status_code < 500:
            reason = HTTPStatus(status_code).phrase
            self._refuse(PublicError(reason, status=status_code))
            return
        self._refuse(PublicError("Something broke here.", code="internal", status=500))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log the unforeseen with its trace, under the request id that the caller got."""
        if not isinstance(value, HTTPError):
            log.error("unforeseen", exc_info=(typ, value, tb), extra={"call": self.request_id})

    def on_finish(self) -> None:
        """Count and log the call: never its query, body or credentials."""
        seconds = time.monotonic() - self.began
        name = self.route.path if self.route else "none"
        REQUESTS.labels(self.request.method, name, str(self.get_status())).observe(seconds)
        logs.access(self, seconds)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End the answer; say so when the connection ends with it, as tornado does not."""
        if not (self._whole or self._ended) and not self._headers_written:
            # Answered before the body's end, though there be none: tornado then hangs up, and a
            # proxy that uses the connection again would have to tell its caller 502.
            self.set_header("Connection", "close")
        return super().finish(chunk)

    def set_default_headers(self) -> None:
        """Answers are for their caller alone and are never run as a page."""
        self.set_header("Server", "Smalti")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

    def check_xsrf_cookie(self) -> None:
        """Do nothing here: `auth.resolver` asks for the XSRF header where a cookie is used."""

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Refuse what is no UTF-8 in our own words."""
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise HTTPError(400) from error
        if "\x00" in text:
            raise HTTPError(400)
        return text


def _look(tx: Any, once: Once) -> None:
    once.look(tx)

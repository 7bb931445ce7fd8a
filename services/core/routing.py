"""The route table: every URL of the platform, declared with who may use it and what it takes.

A noun's `handlers.py` makes one `Routes` and puts it on its functions:

    routes = Routes("jobs")

    @routes.post("/jobs", Permission.JOB_START, body=JobCreate, answer=JobView, status=201)
    async def create(call: Call) -> JobView: ...

The declaration is the whole truth about the route: the dispatcher (`core.endpoint`) enforces
it, the OpenAPI document is made of it, and a test walks it with every role. A route without a
permission cannot be written down.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from services.core.actor import Actor
from services.core.rights import Permission
from services.core.work import Context, Work

PREFIX = "/services/smalti"
API = f"{PREFIX}/api/v1"

_PARAMETER = re.compile(r"\{(\w+)(\*?)\}")


class Call(Protocol):
    """One HTTP call, as a handler sees it (made by `core.endpoint`)."""

    work: Work

    @property
    def path(self) -> dict[str, str]: ...

    @property
    def method(self) -> str: ...

    @property
    def raw_path(self) -> str: ...

    @property
    def actor(self) -> Actor: ...

    @property
    def context(self) -> Context: ...

    def query(self, model: type[Any]) -> Any:
        """Return the query parameters, checked against the route's model."""

    def body(self, model: type[Any]) -> Any:
        """Return the JSON body, checked against the route's model."""

    def header(self, name: str, default: str = "") -> str:
        """Return a request header."""

    def stream(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; of a route declared with `upload` only."""

    def accept(self) -> None:
        """Answer 202; of a route declared with `accepts` only."""

    def answer_with(self, status: int, headers: dict[str, str]) -> None:
        """Set status and headers of an answer that the handler writes itself."""

    def set_cookie(self, name: str, value: str, **attributes: Any) -> None:
        """Set a cookie with tornado's attributes (path, max_age, httponly, ...)."""

    async def send(self, piece: bytes) -> None:
        """Write a piece of the answer and wait until there is room for more.

        Raises ConnectionResetError once the caller is gone.
        """

    @property
    def gone(self) -> bool:
        """Tell whether the caller has hung up."""


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True)
class Route:
    """One method on one path."""

    method: str
    path: str
    permission: Permission
    handler: Handler
    tag: str
    summary: str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: Any = None
    status: int = 200
    upload: str | None = None  # name of the setting that limits a streamed body
    media_type: str | None = None  # of an answer the handler writes itself
    other_media_type: str | None = None  # that it may have as well, where the caller chooses
    etag: bool = False
    keep: bool = True  # whether an answer may be kept for its Idempotency-Key
    hidden: bool = False  # spoken by our own processes or not JSON: not in the OpenAPI document
    plain: bool = False  # spoken by programs that take errors as text and log in by Basic: git
    accepts: bool = False  # may answer 202 as well: see `Call.accept`
    cookie: bool = False  # a page: may be used without the XSRF header, and redirects to login
    aliases: tuple[str, ...] = field(default=())

    @property
    def pattern(self) -> str:
        """The path as a regular expression; `{name}` is one segment, `{name*}` the rest."""

        def group(match: re.Match[str]) -> str:
            return f"(?P<{match[1]}>.+)" if match[2] else f"(?P<{match[1]}>[^/]+)"

        pieces: list[str] = []
        end = 0
        for match in _PARAMETER.finditer(self.path):
            pieces += [re.escape(self.path[end : match.start()]), group(match)]
            end = match.end()
        return "".join([*pieces, re.escape(self.path[end:])])

    @property
    def parameters(self) -> list[str]:
        """Names in the path, in order."""
        return [match[1] for match in _PARAMETER.finditer(self.path)]


class Routes:
    """The routes of one noun."""

    def __init__(self, tag: str, prefix: str = API) -> None:
        self.tag, self.prefix = tag, prefix
        self.table: list[Route] = []

    def get(self, path: str, permission: Permission, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a GET."""
        return self._declare("GET", path, permission, more)

    def post(self, path: str, permission: Permission, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a POST."""
        return self._declare("POST", path, permission, more)

    def put(self, path: str, permission: Permission, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a PUT."""
        return self._declare("PUT", path, permission, more)

    def patch(self, path: str, permission: Permission, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a PATCH."""
        return self._declare("PATCH", path, permission, more)

    def delete(
        self, path: str, permission: Permission, **more: Any
    ) -> Callable[[Handler], Handler]:
        """Declare a DELETE; it answers 204 unless it says otherwise."""
        return self._declare("DELETE", path, permission, {"status": 204, **more})

    def _declare(
        self, method: str, path: str, permission: Permission, more: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            summary = (handler.__doc__ or "").strip().split("\n")[0]
            if not summary:
                raise TypeError(f"{method} {path}: the handler's docstring is its summary")
            self.table.append(
                Route(method, self.prefix + path, permission, handler, self.tag, summary, **more)
            )
            return handler

        return keep

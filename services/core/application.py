"""The tornado application: every noun's routes behind the one endpoint.

Called by `services.platform` and by tests. Paths that share a pattern are one tornado handler;
more specific patterns come first, so `/jobs/compare` is not taken for a job's id.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from tornado.routing import URLSpec
from tornado.web import Application, RequestHandler, stream_request_body

from services.core.endpoint import Endpoint
from services.core.routing import Route, Routes
from services.core.work import Context


def all_routes(nouns: Iterable[Routes]) -> list[Route]:
    """Collect the routes of all nouns. ValueError when two declare the same."""
    seen: set[tuple[str, str]] = set()
    routes: list[Route] = []
    for noun in nouns:
        for route in noun.table:
            if (route.method, route.pattern) in seen:
                raise ValueError(f"{route.method} {route.path} is declared twice")
            seen.add((route.method, route.pattern))
            routes.append(route)
    return routes


def build(context: Context, routes: Iterable[Route]) -> Application:
    """Make the application."""
    tables: dict[str, dict[str, Route]] = {}
    for route in sorted(routes, key=_specific_first):
        tables.setdefault(route.pattern, {})[route.method] = route
    specs = [
        URLSpec(f"{pattern}$", Endpoint, {"context": context, "table": table})
        for pattern, table in tables.items()
    ]
    return Application([*specs, URLSpec(".*", NoRoute)])


def _specific_first(route: Route) -> list[tuple[int, str]]:
    """Sort key: a literal segment before a parameter before the rest of the path."""
    key = []
    for segment in route.path.split("/"):
        rank = 0 if "{" not in segment else (2 if "*}" in segment else 1)
        key.append((rank, segment))
    return key


@stream_request_body
class NoRoute(RequestHandler):
    """Everything that no route answers. Its bodies are never taken in, however long."""

    set_default_headers = Endpoint.set_default_headers

    def prepare(self) -> None:
        """Answer 404 in the shape of every error, whatever the method."""
        self.set_status(404)
        self.set_header("Content-Type", "application/json")
        body = {
            "code": "not_found",
            "message": "There is nothing here.",
            "details": None,
            "request_id": secrets.token_hex(8),
        }
        self.set_header("Connection", "close")  # answered before the body's end, tornado hangs up
        self.finish(json.dumps({"error": body}))

    def data_received(self, chunk: bytes) -> None:
        """Let go of what was sent."""

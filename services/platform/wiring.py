"""Makes a platform out of settings: context, parts, application, loops. Used by tests alike."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sqlalchemy import text
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from services.core import VERSION, application, loops, openapi
from services.core.auth.resolver import Resolver
from services.core.bus import Bus
from services.core.database import Database, Transaction
from services.core.door import Door
from services.core.health import Health, Status
from services.core.references import References
from services.core.routing import Route
from services.core.settings import Settings
from services.core.work import Context, Work
from services.platform.handlers import ApiDocument
from services.platform.nouns import Noun, nouns

HEADERS_MAX = 32 << 10
IDLE_SECONDS = 3600.0  # keep-alive of the front door's and agents' connections


@dataclass
class Platform:
    """A platform that is wired and not yet serving."""

    context: Context
    application: Application
    routes: list[Route]
    nouns: list[Noun]
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _server: HTTPServer | None = None

    def serve(self, port: int, address: str = "127.0.0.1") -> int:
        """Listen and start the loops; port 0 picks a free one. Returns the port."""
        for noun in self.nouns:
            if noun.prepare is not None:
                noun.prepare(self.context)
            if noun.start is not None:
                Work(self.context).write_now(noun.start)
        self.context.bus.attach()
        sockets = bind_sockets(port, address)
        # No `xheaders`: tornado would believe them from anybody nearby; `core.door` asks for proof.
        # Whole bodies never pass through memory: the endpoint sets its own limit per route.
        self._server = HTTPServer(
            self.application,
            max_header_size=HEADERS_MAX,
            max_body_size=1 << 50,
            idle_connection_timeout=IDLE_SECONDS,
        )
        self._server.add_sockets(sockets)
        for noun in self.nouns:
            for loop in noun.loops:
                name = f"loop-{loop.name}"
                self._tasks.append(asyncio.create_task(loops.run(self.context, loop), name=name))
        self._tasks.append(asyncio.create_task(loops.measure_lag(), name="lag"))
        return int(sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, let calls under way end, stop the loops, close the database."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for close in self.context.closing:
            await close()
        self.context.db.close()


def wire(settings: Settings, db: Database) -> Platform:
    """Put all nouns together."""
    context = Context(settings, db, Bus())
    context.provide(Door, Door(settings))
    context.provide(Resolver, Resolver(settings.auth_cache))
    context.provide(References, References())
    health = context.provide(Health, Health(VERSION))
    health.add("database", lambda: _database(context), required=True)
    parts = nouns()
    for noun in parts:
        if noun.provide is not None:
            noun.provide(context)
    routes = application.all_routes(noun.routes for noun in parts if noun.routes is not None)
    context.provide(ApiDocument, ApiDocument(openapi.document(routes, VERSION)))
    return Platform(context, application.build(context, routes), routes, parts)


async def _database(context: Context) -> tuple[Status, str]:
    await context.db.read(_ask)
    return "ok", context.db.url.get_backend_name()


def _ask(tx: Transaction) -> None:
    tx.execute(text("SELECT 1"))

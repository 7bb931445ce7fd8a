"""A real platform in the test's own process: real routes, rights and database over real HTTP.

What it leaves out is the hub: `House.sign_in` makes a person and a token that the resolver
takes, in place of the hub's answer. Tests of the whole, hub included, use `tests.instance`.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from services.core.actor import Actor
from services.core.auth.resolver import Resolver
from services.core.database import Database, metadata
from services.core.rights import PlatformRole, Principal
from services.core.routing import API
from services.core.settings import Settings
from services.core.work import Work
from services.platform.wiring import Platform, wire


class KnownTokens:
    """A token source that knows exactly the tokens it was told."""

    def __init__(self) -> None:
        self.actors: dict[str, Actor] = {}

    def knows(self, token: str) -> bool:
        """Tell whether it was told this token."""
        return token in self.actors

    async def resolve(self, token: str) -> Actor | None:
        """Give the actor it was told."""
        return self.actors.get(token)


class House:
    """A platform on a free port. `await house.call("POST", "/projects", as_=token, json=...)`."""

    platform: Platform

    def __init__(self, folder: Path, database_url: str | None = None, **settings: Any) -> None:
        self.home = folder / "home"
        for name in ("run", "secrets", "platform", "environments/default/1/bin"):
            (self.home / name).mkdir(parents=True)
        ports = {"frontdoor": 1, "hub": 2, "platform": 3, "traefik_api": 4, "experiments": 5}
        (self.home / "run" / "ports.json").write_text(json.dumps(ports))
        for name in ("signing.key", "platform_hub_token", "hub_cookie_secret", "frontdoor.key"):
            (self.home / "secrets" / name).write_text(secrets.token_hex(32))
        vault_key = self.home / "secrets" / "vault.key"
        vault_key.touch(mode=0o600)
        vault_key.write_text(secrets.token_hex(32))
        self.hub_token = f"sml_{secrets.token_urlsafe(32)}"
        (self.home / "secrets" / "hub-spawner.token").write_text(self.hub_token)
        self.agent_token = f"sml_{secrets.token_urlsafe(32)}"
        (self.home / "secrets" / "agent-local.token").write_text(self.agent_token)
        self.gate_token = f"sml_{secrets.token_urlsafe(32)}"
        (self.home / "secrets" / "experiments.token").write_text(self.gate_token)
        (self.home / "secrets" / "experiments_platform.key").write_text(secrets.token_hex(32))
        # Whatever this machine has built: a test of the console puts a build of its own there.
        settings = {"console_folder": str(folder / "console"), **settings}
        self.settings = Settings(home=str(self.home), **settings)
        self.database_url = database_url or self.settings.database
        self.tokens = KnownTokens()

    async def __aenter__(self) -> House:
        self.platform = wire(self.settings, Database(self.database_url))
        # Made from the tables, for speed; tests/platform compares the migrations with them.
        metadata.create_all(self.context.db.engine)
        # First in line: these tokens look like no other kind.
        self.context.get(Resolver)._sources.insert(0, self.tokens)
        self.port = self.platform.serve(0)
        self.origin = f"http://127.0.0.1:{self.port}"
        self.client = httpx.AsyncClient(base_url=self.origin, timeout=30)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.client.aclose()
        await self.platform.close()

    @property
    def context(self) -> Any:
        """The platform's wiring."""
        return self.platform.context

    def work(self, actor: Actor) -> Work:
        """Make a piece of work by somebody, to call actions directly."""
        return Work(self.context, actor)

    async def sign_in(self, name: str, *roles: PlatformRole) -> str:
        """Make a person (practitioner unless said otherwise) and give a token of theirs."""
        from services import people

        granted = frozenset(roles or {PlatformRole.PRACTITIONER})
        person_id = await self.context.db.write(people.enter, name, granted)
        token = f"test-{secrets.token_urlsafe(16)}"
        self.tokens.actors[token] = Actor(
            Principal.PERSON, person_id, name, person_id=person_id, roles=granted, credential=token
        )
        return token

    async def call(
        self, method: str, path: str, *, as_: str | None = None, **more: Any
    ) -> httpx.Response:
        """Call the API; a path without the prefix is taken under the API's base."""
        headers = dict(more.pop("headers", {}))
        if as_ is not None:
            headers["Authorization"] = f"Bearer {as_}"
        url = path if path.startswith("/services") else f"{API}{path}"
        return await self.client.request(method, url, headers=headers, **more)

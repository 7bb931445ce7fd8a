"""Hub tokens: whose they are, asked of the hub itself.

The hub is asked twice: with the caller's token (is it valid, whose is it, what may it do) and
with the platform's own (when was this user created, which groups, an administrator?), because
a name is no identity. Called by the resolver and by the sync of people. Never keeps or logs a
token, and never takes a hub that is away for a token that is bad.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from services.core.actor import Actor
from services.core.auth.resolver import SourceAway
from services.core.settings import Settings

TIMEOUT = aiohttp.ClientTimeout(total=8, connect=3)
PAGE = 200  # the hub's own largest page


@dataclass(frozen=True)
class HubUser:
    """A user as the hub knows them; `created` tells bearers of one name apart."""

    name: str
    created: datetime
    admin: bool
    groups: tuple[str, ...]


@dataclass(frozen=True)
class HubIdentity:
    """Whose a hub token is and what it was given for; `credential` names it by a hash."""

    user: HubUser
    scopes: frozenset[str]
    credential: str


class HubApi:
    """The hub's REST API, as far as the platform needs it. Raises SourceAway when it is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, token: str) -> Any | None:
        """GET a path under /hub/api; None when the token is refused or there is no such thing."""
        status, answer = await self.ask("GET", path, token)
        if status in (401, 403, 404):
            return None
        if status != 200:
            raise SourceAway(f"the hub answered {status}")
        return answer

    async def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        data: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
    ) -> tuple[int, Any]:
        """Call the hub and return status and JSON answer; a 5xx counts as away."""
        headers = {"Accept": "application/jupyterhub-pagination+json"}
        if token is not None:
            headers["Authorization"] = f"token {token}"
        url = f"{self._settings.url('hub')}/hub/api{path}"
        try:
            call = self._client().request(
                method,
                url,
                headers=headers,
                data=data,
                json=json,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            async with call as response:
                if response.status >= 500:
                    raise SourceAway(f"the hub answered {response.status}")
                is_json = response.content_type.endswith("json")
                return response.status, await response.json(content_type=None) if is_json else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SourceAway("the hub does not answer") from error

    async def call(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Have the hub do something, as the platform; a 5xx counts as away."""
        return await self.ask(method, path, self._own_token(), json=body)

    async def user(self, name: str) -> HubUser | None:
        """Ask for a user with the platform's own token. None when there is no such user."""
        path = f"/users/{quote(name, safe='')}"
        status, model = await self.ask("GET", path, self._own_token())
        if status == 404:
            return None
        if status != 200:  # our own token was refused: nobody's fault but ours
            raise SourceAway(f"the hub answered the platform {status}")
        return hub_user(model)

    async def users(self) -> AsyncIterator[HubUser]:
        """Go through all users, a page at a time."""
        offset: int | None = 0
        while offset is not None:
            path = f"/users?limit={PAGE}&offset={offset}"
            status, answer = await self.ask("GET", path, self._own_token())
            if status != 200:
                raise SourceAway(f"the hub answered the platform {status}")
            for model in answer["items"]:
                yield hub_user(model)
            following = answer["_pagination"]["next"]
            offset = following["offset"] if following else None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _own_token(self) -> str:
        return self._settings.secret("platform_hub_token")

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=20)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


class HubTokens:
    """The resolver's source for every token that is not one of ours."""

    def __init__(
        self, api: HubApi, actor_for: Callable[[HubIdentity], Awaitable[Actor | None]]
    ) -> None:
        self._api = api
        self._actor_for = actor_for
        self._asking: dict[str, asyncio.Task[Actor | None]] = {}

    def knows(self, token: str) -> bool:
        """Take every token: this source is asked last."""
        return True

    async def resolve(self, token: str) -> Actor | None:
        """Say whose it is. Callers who ask for the same token at the same time share one asking."""
        key = hashlib.sha256(token.encode()).hexdigest()
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(token, key))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        # A caller who hangs up must not take the answer from the others.
        return await asyncio.shield(task)

    async def _ask(self, token: str, key: str) -> Actor | None:
        identity = await self._identity(token, key)
        return None if identity is None else await self._actor_for(identity)

    async def _identity(self, token: str, key: str) -> HubIdentity | None:
        if not token.isascii():
            return None
        me = await self._api.get("/user", token)
        if not isinstance(me, dict) or me.get("kind") != "user" or not me.get("name"):
            return None  # a service of the hub, or something that we do not know
        user = await self._api.user(me["name"])
        if user is None:
            return None
        # Between the two questions the name may have gone to somebody new; the hub ends a
        # user's tokens with the user, so a token that still lives is the present bearer's.
        again = await self._api.get("/user", token) if _fresh(user) else me
        if not isinstance(again, dict) or again.get("name") != user.name:
            return None
        scopes = frozenset(str(scope) for scope in me.get("scopes", ()))
        return HubIdentity(user, scopes, key[:16])


def hub_user(model: Any) -> HubUser:
    """Read the hub's model of a user. Raises SourceAway when it is not what we know."""
    try:
        created = datetime.fromisoformat(model["created"])
        if created.tzinfo is None:
            created = created.replace(tzinfo=UTC)
        groups = tuple(sorted(str(group) for group in model["groups"]))
        return HubUser(str(model["name"]), created, bool(model["admin"]), groups)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceAway("the hub does not tell us what we need of a user") from error


def _fresh(user: HubUser) -> bool:
    return abs((datetime.now(UTC) - user.created).total_seconds()) < 60

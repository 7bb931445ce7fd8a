"""A small hub over real HTTP: as much of JupyterHub's API as the platform asks for.

The answers have the shape that JupyterHub 6.1 gives (tests/people/test_real_hub.py looks at
the real one). Tests change what it knows and how it behaves while it runs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from aiohttp import web

from tests.house import House

BOTH = ["custom:smalti:read", "custom:smalti:write"]


class Hub:
    """Users, tokens and OAuth codes of one pretended hub. `await Hub(house).start()`."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.users: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.broken = 0  # a status that every call gets, while it is set
        self.hold: asyncio.Event | None = None
        self.passwords: dict[str, str] = {}  # one-time ones that the platform gave
        self.used: set[str] = set()  # names whose accounts were used

    async def __aenter__(self) -> Hub:
        application = web.Application()
        application.router.add_route("*", "/hub/api{path:.*}", self._serve)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        self._tell_port(self.port)
        self.own = (self.house.home / "secrets" / "platform_hub_token").read_text()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    def _tell_port(self, port: int) -> None:
        file = self.house.home / "run" / "ports.json"
        # The platform's own address stands for the front door's: there is none here.
        ports = {**json.loads(file.read_text()), "hub": port, "frontdoor": self.house.port}
        file.write_text(json.dumps(ports))

    def add(self, name: str, *, admin: bool = False, groups: tuple[str, ...] = ()) -> None:
        """Add a user, or put a new one in place of whoever has the name."""
        created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self.remove(name)
        self.users[name] = {
            "kind": "user",
            "name": name,
            "admin": admin,
            "groups": list(groups),
            "created": created,
        }

    def remove(self, name: str) -> None:
        """Remove a user with their tokens, as the hub does."""
        self.users.pop(name, None)
        self.tokens = {key: one for key, one in self.tokens.items() if one["name"] != name}

    def token(self, name: str, scopes: list[str] | None = None, kind: str = "user") -> str:
        """Make a token of a user (or of a service of the hub)."""
        token = secrets.token_hex(16)
        self.tokens[token] = {
            "kind": kind,
            "name": name,
            "scopes": BOTH if scopes is None else scopes,
        }
        return token

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.asked.append(path)
        if self.hold is not None:
            await self.hold.wait()
        if self.broken:
            return web.json_response({"message": "no"}, status=self.broken)
        if path == "/oauth2/token":
            return await self._exchange(request)
        token = request.headers.get("Authorization", "").removeprefix("token ")
        if path == "/user":
            known = self.tokens.get(token)
            return web.json_response(known) if known else _refused()
        if token != self.own:
            return _refused()
        if path == "/smalti/people" and request.method == "POST":
            return await self._newcomer(request)
        if path == "/users":
            items = list(self.users.values())
            return web.json_response({"items": items, "_pagination": {"next": None}})
        user = self.users.get(path.removeprefix("/users/"))
        return web.json_response(user) if user else web.json_response({}, status=404)

    async def _newcomer(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["name"] in self.used:
            return web.json_response({"message": "there already"}, status=409)
        if body["name"] not in self.users:
            self.add(body["name"])
        self.passwords[body["name"]] = body["password"]
        return web.json_response(self.users[body["name"]], status=201)

    def authorize(self, address: str, name: str) -> str:
        """Do what a person does on the authorize page; return where the browser is sent."""
        asked = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == "service-smalti"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        self.codes[code] = {**asked, "name": name}
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        right = (
            asked is not None
            and challenge == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
            and form["client_secret"] == self.own
        )
        if asked is None or not right:
            return web.json_response({"error": "invalid_grant"}, status=400)
        answer = {"access_token": self.token(asked["name"]), "expires_in": 3600}
        return web.json_response(answer)


def _refused() -> web.Response:
    return web.json_response({"status": 403, "message": "Forbidden"}, status=403)


class Browser:
    """A browser as far as login goes: keeps cookies by name, follows nothing by itself."""

    def __init__(self, house: House) -> None:
        self.cookies: dict[str, str] = {}
        self.house = house
        self.origin = f"http://localhost:{house.port}"

    async def go(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """Call the platform with the cookies that it gave."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {
            "Host": f"localhost:{self.house.port}",
            **({"Cookie": cookies} if cookies else {}),
            **more.pop("headers", {}),
        }
        answer = await self.house.client.request(method, path, headers=headers, **more)
        self.house.client.cookies.clear()
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if value not in ("", '""'):
                self.cookies[name] = value
        return answer

    async def log_in(self, hub: Hub, name: str, wanted: str = "") -> httpx.Response:
        """Go all the way; return the platform's answer to the callback."""
        answer = await self.go("/services/smalti/login", params={"next": wanted})
        assert answer.status_code == 302, answer.text
        return await self.go(
            hub.authorize(answer.headers["Location"], name).removeprefix(self.origin)
        )

"""A small hub that starts and stops named servers as `spawners.hub` makes the real one do it.

Its spawner speaks to the platform's own routes, over HTTP, with the hub's credential.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from aiohttp import web

from tests.people.hub import Hub

_SERVER = re.compile(r"/users/([^/]+)/servers/([^/]+)")


class ServersHub(Hub):
    """`spawns` says whether a start that it accepts is also gone on with."""

    spawns = True
    refuses: tuple[int, str] | None = None

    def __init__(self, house: Any) -> None:
        super().__init__(house)
        self.told: list[tuple[str, str, Any]] = []
        self.servers: dict[str, str] = {}

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        found = _SERVER.fullmatch(path)
        if found is None or self.broken:
            return await super()._serve(request)
        body = await request.json()
        self.told.append((request.method, path, body))
        user, server = found.groups()
        if request.headers["Authorization"] != f"token {self.own}":
            return web.json_response({"message": "no"}, status=403)
        if self.refuses is not None:
            status, message = self.refuses
            return web.json_response({"message": message}, status=status)
        if request.method == "DELETE":
            known = self.servers.pop(server, None)
            return web.json_response({}, status=404 if known is None else 204)
        if self.spawns:
            answer = await self.start(user, server, options=body["user_options"])
            if answer.status_code >= 400:
                message = answer.json()["error"]["message"]
                return web.json_response({"message": message}, status=answer.status_code)
        return web.Response(status=202)

    def created(self, user: str) -> str:
        """When a user was made, as the spawner says it."""
        return str(self.users[user]["created"])

    async def start(self, user: str, server: str, **more: Any) -> Any:
        """Do what the spawner does at a start; the platform's answer."""
        body = {
            "created": self.created(user),
            "start_key": more.pop("start_key", secrets.token_hex(16)),
            "base_url": f"/user/{user}/{server}/",
            "url": f"http://{user}.localhost:8000/user/{user}/{server}/",
            "private": {"JUPYTERHUB_API_TOKEN": "canary-of-the-hub"},
            **more,
        }
        self.servers[server] = user
        return await self.ask("PUT", user, server, json=body)

    async def ask(self, method: str, user: str, server: str, verb: str = "", **more: Any) -> Any:
        """Call one of the hub's own routes."""
        path = f"/hub-servers/{user}/{server}{verb}"
        return await self.house.call(method, path, as_=self.house.hub_token, **more)

    async def look(self, user: str, server: str, workload_id: str | None = None) -> Any:
        """Ask how a server stands."""
        params = {"created": self.created(user)}
        if workload_id is not None:
            params["workload_id"] = workload_id
        answer = await self.ask("GET", user, server, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

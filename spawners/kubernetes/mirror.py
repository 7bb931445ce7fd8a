"""Hearing of every change to one kind of object: one list and one watch, whatever their number.

Owns what was last heard (each object's name and version, nothing else of it) and how a cut
watch goes on. Made by `runtime`, one for each kind. Must never hold an object: 5,000 pods are
100 MB as the server sends them and a few numbers each as they are needed.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

from spawners.kubernetes.api import Api, Refusal, Unreachable

log = logging.getLogger(__name__)

PAGE = 250
_WATCH_SECONDS = 240
_BACKOFF_FIRST, _BACKOFF_MOST = 0.2, 15.0

Heard = Callable[[bool, dict[str, Any]], None]  # (whether it is there, the object)


class Mirror:
    """One kind of object. `heard` is called for each change, and for each object at first."""

    def __init__(self, api: Api, path: str, params: dict[str, str], heard: Heard) -> None:
        self._api = api
        self._path = path
        self._params = params
        self._heard = heard
        self._versions: dict[str, str] = {}
        self._at: str | None = None
        self.lists = 0

    async def list(self) -> None:
        """Hear of all that is there now, and of what went since. Refusal, Unreachable."""
        found: set[str] = set()
        more = None
        while True:
            params = {**self._params, "limit": str(PAGE)} | ({"continue": more} if more else {})
            page = await self._api.call("GET", self._path, params=params)
            self.lists += 1
            for one in page["items"]:
                found.add(one["metadata"]["name"])
                self._take(True, one)
            more = page["metadata"].get("continue")
            if not more:
                break
        for name in set(self._versions) - found:
            self._take(False, {"metadata": {"name": name}})
        self._at = page["metadata"]["resourceVersion"]

    async def follow(self) -> None:
        """Hear of changes for ever."""
        pause = _BACKOFF_FIRST
        while True:
            try:
                if self._at is None:
                    await self.list()
                await self._watch()
                pause = _BACKOFF_FIRST
            except Refusal as error:
                if error.status == 410:  # what we saw last is forgotten there: list anew
                    self._at = None
                    continue
                log.error("cluster refuses to be watched", extra=self._fields(error))
                pause = _BACKOFF_MOST
            except Unreachable as error:
                log.info("watch cut off", extra=self._fields(error))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
            pause = min(pause * 2, _BACKOFF_MOST)

    async def _watch(self) -> None:
        params = {**self._params, "allowWatchBookmarks": "true"}
        params |= {"timeoutSeconds": str(_WATCH_SECONDS), "resourceVersion": self._at or ""}
        async for event in self._api.watch(self._path, params):
            kind, one = event["type"], event["object"]
            if kind == "ERROR":
                raise Refusal(int(one.get("code", 500)), one.get("reason", ""), one["message"])
            self._at = one["metadata"]["resourceVersion"]
            if kind != "BOOKMARK":
                self._take(kind != "DELETED", one)

    def _take(self, there: bool, one: dict[str, Any]) -> None:
        name = one["metadata"]["name"]
        version = one["metadata"].get("resourceVersion", "")
        if there and self._versions.get(name) == version:
            return
        if there:
            self._versions[name] = version
        else:
            self._versions.pop(name, None)
        try:
            self._heard(there, one)
        except Exception:
            # One object that cannot be read must not end the hearing of all others.
            log.exception("object not understood", extra={"path": self._path, "object": name})

    def _fields(self, error: Exception) -> dict[str, str]:
        return {"path": self._path, "why": str(error)}

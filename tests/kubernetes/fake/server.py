"""The fake API server: objects by kind and namespace, with versions and watches."""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

Object = dict[str, Any]
KINDS = {
    "pods": ("", "Pod"),
    "secrets": ("", "Secret"),
    "services": ("", "Service"),
    "persistentvolumeclaims": ("", "PersistentVolumeClaim"),
    "events": ("", "Event"),
    "nodes": ("", "Node"),
    "namespaces": ("", "Namespace"),
    "jobs": ("batch", "Job"),
}
CLUSTER_WIDE = ("nodes", "namespaces")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Refused(Exception):
    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


class Store:
    """All objects, in memory. `admit` may refuse a creation, as quota and policy do."""

    def __init__(self, history: int = 10_000) -> None:
        self.objects: dict[str, dict[tuple[str, str], Object]] = {kind: {} for kind in KINDS}
        self.version = 1
        self.history: deque[tuple[int, str, str, Object]] = deque(maxlen=history)
        self.forgotten = 0  # versions up to this one cannot be watched from
        self.changed = asyncio.Condition()
        self.listeners: list[Callable[[str, str, Object], None]] = []
        self.admit: Callable[[str, Object], None] = lambda kind, one: None

    def _note(self, event: str, kind: str, one: Object) -> None:
        self.version += 1
        one["metadata"]["resourceVersion"] = str(self.version)
        shown = copy.deepcopy(one)
        if len(self.history) == self.history.maxlen:
            self.forgotten = self.history[0][0]
        self.history.append((self.version, event, kind, shown))
        for listener in self.listeners:
            listener(event, kind, shown)
        asyncio.get_running_loop().create_task(self._wake())

    async def _wake(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def forget(self) -> None:
        """Forget the past: every watch from it is answered 410."""
        self.forgotten = self.version
        self.history.clear()

    def find(self, kind: str, space: str, name: str) -> Object:
        found = self.objects[kind].get((space, name))
        if found is None:
            raise Refused(404, "NotFound", f'{kind} "{name}" not found')
        return found

    def create(self, kind: str, space: str, one: Object) -> Object:
        group, word = KINDS[kind]
        meta = one["metadata"]
        if "generateName" in meta and "name" not in meta:
            meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
        if (space, meta["name"]) in self.objects[kind]:
            raise Refused(409, "AlreadyExists", f'{kind} "{meta["name"]}" already exists')
        self.admit(kind, one)
        one |= {"apiVersion": f"{group}/v1" if group else "v1", "kind": word}
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
        if kind not in CLUSTER_WIDE:
            meta["namespace"] = space
        if kind == "pods":
            one.setdefault("status", {"phase": "Pending"})
        self.objects[kind][space, meta["name"]] = one
        self._note("ADDED", kind, one)
        return one

    def replace(self, kind: str, space: str, name: str, new: Object) -> Object:
        old = self.find(kind, space, name)
        kept = {key: old["metadata"][key] for key in ("uid", "creationTimestamp")}
        new["metadata"] = {**new["metadata"], **kept}
        self.objects[kind][space, name] = new
        self._note("MODIFIED", kind, new)
        return new

    def patch(self, kind: str, space: str, name: str, change: Object) -> Object:
        one = self.find(kind, space, name)
        _merge(one, change)
        self._note("MODIFIED", kind, one)
        return one

    def delete(self, kind: str, space: str, name: str, grace: int | None = None) -> Object:
        """Delete at once, or mark a pod that runs on a node: its kubelet ends it."""
        one = self.find(kind, space, name)
        at_work = kind == "pods" and one["status"]["phase"] in ("Pending", "Running")
        if at_work and one["spec"].get("nodeName") and grace != 0:
            allowed = one["spec"].get("terminationGracePeriodSeconds", 30)
            allowed = allowed if grace is None else grace
            mark = {"deletionTimestamp": now(), "deletionGracePeriodSeconds": allowed}
            return self.patch(kind, space, name, {"metadata": mark})
        del self.objects[kind][space, name]
        self._note("DELETED", kind, one)
        self._collect(one["metadata"]["uid"])
        return one

    def _collect(self, owner: str) -> None:
        """Delete what belonged to an object that is gone."""
        for kind, objects in self.objects.items():
            for (space, name), one in list(objects.items()):
                owners = one["metadata"].get("ownerReferences", [])
                if any(ref["uid"] == owner for ref in owners):
                    self.delete(kind, space, name)


class Server:
    """HTTP over a store. `requests` counts them; `away` answers 503, `cut` ends the watches."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.requests: list[tuple[str, str]] = []
        self.away = False
        self.watches: set[web.StreamResponse] = set()
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        self.url = ""

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        what = "watch" if query.get("watch") in ("1", "true") else request.method
        self.requests.append((what, request.path))
        if self.away:
            return web.json_response({"message": "away"}, status=503)
        try:
            return await self._route(request)
        except Refused as error:
            said = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
            said |= {"reason": error.reason, "message": str(error), "code": error.status}
            return web.json_response(said, status=error.status)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        known = _discovery(parts)
        if known is not None:
            return web.json_response(known)
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        space = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            space, rest = rest[1], rest[2:]
        if not rest or rest[0] not in KINDS:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        kind, name = rest[0], rest[1] if len(rest) > 1 else None
        if name is None:
            return await self._many(request, kind, space)
        return await self._one(request, kind, space, name)

    async def _one(
        self, request: web.Request, kind: str, space: str, name: str
    ) -> web.StreamResponse:
        body = json.loads(await request.read() or b"{}")
        if request.method == "GET":
            found = self.store.find(kind, space, name)
        elif request.method == "PUT":
            found = self.store.replace(kind, space, name, body)
        elif request.method == "PATCH":
            found = self.store.patch(kind, space, name, body)
        else:
            grace = body.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds"))
            found = self.store.delete(kind, space, name, None if grace is None else int(grace))
        return web.json_response(found)

    async def _many(self, request: web.Request, kind: str, space: str) -> web.StreamResponse:
        if request.method == "POST":
            made = self.store.create(kind, space, json.loads(await request.read()))
            return web.json_response(made, status=201)
        query = request.query
        fits = _selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        if query.get("watch") in ("1", "true"):
            return await self._watch(request, kind, space, fits)
        objects = self.store.objects[kind].items()
        found = [one for (at, _), one in objects if (not space or at == space) and fits(one)]
        start, limit = int(query.get("continue") or 0), int(query.get("limit") or 0)
        page: list[Object] | None = found[start : start + limit] if limit else found
        meta = {"resourceVersion": str(self.store.version)}
        if limit and start + limit < len(found):
            meta["continue"] = str(start + limit)
        group, word = KINDS[kind]
        said = {"kind": f"{word}List", "apiVersion": f"{group}/v1" if group else "v1"}
        if "as=PartialObjectMetadataList" in request.headers.get("Accept", ""):
            said = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            page = [{"metadata": one["metadata"]} for one in page] or None  # as the real one
        return web.json_response({**said, "metadata": meta, "items": page})

    async def _watch(
        self, request: web.Request, kind: str, space: str, fits: Callable[[Object], bool]
    ) -> web.StreamResponse:
        seen = int(request.query.get("resourceVersion") or self.store.version)
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        self.watches.add(answer)
        try:
            while answer in self.watches:
                if seen < self.store.forgotten:
                    status = {"kind": "Status", "code": 410, "reason": "Expired"}
                    error = {"type": "ERROR", "object": {**status, "message": "too old"}}
                    await answer.write(json.dumps(error).encode() + b"\n")
                    break
                news = [entry for entry in self.store.history if entry[0] > seen]
                for version, event, of, one in news:
                    seen = version
                    at = one["metadata"].get("namespace", "")
                    if of == kind and (not space or at == space) and fits(one):
                        line = json.dumps({"type": event, "object": one})
                        await answer.write(line.encode() + b"\n")
                if not news:
                    async with self.store.changed:
                        await self.store.changed.wait()
        finally:
            self.watches.discard(answer)
        return answer

    async def cut(self) -> None:
        """End all watches now."""
        self.watches.clear()
        await self.store._wake()


def _merge(one: Object, change: Object) -> None:
    for key, value in change.items():
        if value is None:
            one.pop(key, None)
        elif isinstance(value, dict) and isinstance(one.get(key), dict):
            _merge(one[key], value)
        else:
            one[key] = value


def _selector(labels: str, fields: str) -> Callable[[Object], bool]:
    wanted = [part.partition("=")[::2] for part in labels.split(",") if part]
    asked = [part.partition("=")[::2] for part in fields.split(",") if part]

    def fits(one: Object) -> bool:
        found = one["metadata"].get("labels") or {}
        if not all(found.get(key) == value for key, value in wanted):
            return False
        for path, value in asked:
            at: Any = one
            for word in path.split("."):
                at = at.get(word, {}) if isinstance(at, dict) else {}
            if at != value:
                return False
        return True

    return fits


def _discovery(parts: list[str]) -> Object | None:
    """What kubectl asks before it does anything."""
    core = [kind for kind, (group, _) in KINDS.items() if not group]
    batch = [kind for kind, (group, _) in KINDS.items() if group]
    groups = {"name": "batch", "versions": [{"groupVersion": "batch/v1", "version": "v1"}]}
    groups["preferredVersion"] = groups["versions"][0]  # type: ignore[index]
    answers: dict[str, Object] = {
        "version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0-fake"},
        "api": {"kind": "APIVersions", "versions": ["v1"]},
        "apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [groups]},
        "api/v1": _resources("v1", core),
        "apis/batch/v1": _resources("batch/v1", batch),
        "openapi/v3": {"paths": {}},
    }
    return answers.get("/".join(parts))


def _resources(version: str, kinds: list[str]) -> Object:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    found = [
        {"name": kind, "singularName": "", "namespaced": kind not in CLUSTER_WIDE}
        | {"kind": KINDS[kind][1], "verbs": verbs}
        for kind in kinds
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": found}

"""The routes of the small platform in `tests.client.server`."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from tests.client.server import (
    API,
    NOW,
    PASSWORD,
    TOKEN,
    Answer,
    Platform,
    Recorded,
    Refused,
    Route,
    sha256,
)

_ROUTES: list[tuple[str, str, Route]] = []
_ID = "([0-9a-f-]{36})"
_PUBLIC = (f"{API[:-7]}/health", "/hub/api/users/ada/tokens", "/hub/api/users/bob/tokens")
COMMIT = {
    "id": "a" * 40,
    "message": "change",
    "author": {"name": "ada", "email": "ada@example.org"},
    "authored_at": NOW,
    "parents": [],
}


def route(method: str, pattern: str, under: str = API) -> Any:
    """Register a route."""

    def register(function: Route) -> Route:
        _ROUTES.append((method, under + pattern, function))
        return function

    return register


def dispatch(platform: Platform, call: Recorded) -> Answer:
    """Find the route of a call and carry it out."""
    token = call.headers.get("authorization", "").removeprefix("Bearer ")
    if call.path not in _PUBLIC and token not in platform.tokens:
        raise Refused(401, "unauthorized", "Who is asking?")
    for method, pattern, function in _ROUTES:
        found = re.fullmatch(pattern, call.path)
        if found and method == call.method:
            return function(platform, call, *found.groups())
    raise Refused(404, "not_found", "There is nothing here.")


def paged(call: Recorded, items: list[Any]) -> Answer:
    """One page of a list; at most two items, so that every list has pages."""
    first = int(base64.b64decode(call.query.get("cursor", "MA==")))
    last = first + min(2, int(call.query.get("limit", "50")))
    more = base64.b64encode(str(last).encode()).decode() if last < len(items) else None
    return Answer({"items": items[first:last], "next_cursor": more})


@route("GET", "/me")
def me(platform: Platform, call: Recorded) -> Answer:
    fields = {"kind": "person", "admin": False, "roles": ["practitioner"], "groups": []}
    return Answer({"id": platform.people["ada"], "name": "ada", **fields, "project_id": None})


@route("GET", "/people")
def people(platform: Platform, call: Recorded) -> Answer:
    named = [one for one in platform.people.items() if one[0] == call.query.get("name")]
    return paged(call, [{"id": person_id, "name": name} for name, person_id in named])


@route("GET", "/health", API[:-7])
def health(platform: Platform, call: Recorded) -> Answer:
    dependency = {"name": "hub", "status": platform.health, "detail": "answered"}
    value = {"status": platform.health, "version": "1", "dependencies": [dependency]}
    return Answer(value, 200 if platform.health == "ok" else 503)


@route("POST", r"/hub/api/users/(\w+)/tokens", "")
def make_token(platform: Platform, call: Recorded, user: str) -> Answer:
    auth = call.json.get("auth") or {}
    if auth != {"username": user, "password": PASSWORD}:
        return Answer({"status": 403, "message": "Forbidden"}, 403)
    expires = call.json.get("expires_in")
    assert expires is None or isinstance(expires, int)
    platform.tokens.add(TOKEN)
    return Answer({"token": TOKEN, "id": "a7", "user": user, "expires_at": NOW}, 201)


@route("GET", "/hub/api/user", "")
def hub_user(platform: Platform, call: Recorded) -> Answer:
    return Answer({"name": "ada"})


@route("DELETE", r"/hub/api/users/(\w+)/tokens/(\w+)", "")
def revoke_token(platform: Platform, call: Recorded, user: str, token_id: str) -> Answer:
    platform.tokens.discard(TOKEN)
    return Answer(status=204)


@route("GET", "/projects")
def list_projects(platform: Platform, call: Recorded) -> Answer:
    found = [
        one
        for one in platform.projects.values()
        if call.query.get("name") in {None, one["name"]}
        and call.query.get("owner") in {None, one["owner"]["name"]}
    ]
    return paged(call, found)


@route("POST", "/projects")
def create_project(platform: Platform, call: Recorded) -> Answer:
    body = call.json
    if any(one["name"] == body["name"] for one in platform.projects.values()):
        raise Refused(409, "conflict", "You have a project of that name.")
    known = {"description", "visibility"}
    more = {key: body[key] for key in known & set(body)}
    return Answer(platform.add_project(body["name"], **more), 201)


@route("GET", f"/projects/{_ID}")
def show_project(platform: Platform, call: Recorded, project_id: str) -> Answer:
    return Answer(_project(platform, project_id))


@route("PATCH", f"/projects/{_ID}")
def update_project(platform: Platform, call: Recorded, project_id: str) -> Answer:
    _project(platform, project_id).update(call.json)
    return Answer(_project(platform, project_id))


@route("DELETE", f"/projects/{_ID}")
def delete_project(platform: Platform, call: Recorded, project_id: str) -> Answer:
    _project(platform, project_id)
    del platform.projects[project_id]
    return Answer(status=204)


@route("GET", f"/projects/{_ID}/members")
def list_members(platform: Platform, call: Recorded, project_id: str) -> Answer:
    found = platform.members[project_id].items()
    return paged(call, [_member(platform, name, role) for name, role in found])


@route("POST", f"/projects/{_ID}/members")
def add_member(platform: Platform, call: Recorded, project_id: str) -> Answer:
    name = call.json["person"]
    if name not in platform.people:
        raise Refused(404, "not_found", f"There is no person {name}.")
    platform.members[project_id][name] = call.json["role"]
    return Answer(_member(platform, name, call.json["role"]), 201)


@route("PUT", f"/projects/{_ID}/members/{_ID}")
def set_member(platform: Platform, call: Recorded, project_id: str, person_id: str) -> Answer:
    name = next(key for key, value in platform.people.items() if value == person_id)
    platform.members[project_id][name] = call.json["role"]
    return Answer(_member(platform, name, call.json["role"]))


@route("DELETE", f"/projects/{_ID}/members/{_ID}")
def remove_member(platform: Platform, call: Recorded, project_id: str, person_id: str) -> Answer:
    name = next(key for key, value in platform.people.items() if value == person_id)
    del platform.members[project_id][name]
    return Answer(status=204)


@route("GET", f"/projects/{_ID}/files")
def list_files(platform: Platform, call: Recorded, project_id: str) -> Answer:
    rows = [
        {"path": path, "name": path, "type": "file", "size": len(data), "mode": "100644"}
        for path, data in sorted(platform.files.items())
    ]
    return paged(call, rows)


@route("GET", f"/projects/{_ID}/content/(.+)")
def read_file(platform: Platform, call: Recorded, project_id: str, path: str) -> Answer:
    if path not in platform.files:
        raise Refused(404, "not_found", f"There is no file {path}.")
    data = platform.files[path]
    headers = {"Content-Type": "application/octet-stream", "ETag": f'"{sha256(data)[:40]}"'}
    return Answer(raw=data, headers=headers)


@route("PUT", f"/projects/{_ID}/content/(.+)")
def write_file(platform: Platform, call: Recorded, project_id: str, path: str) -> Answer:
    wanted = call.headers.get("if-match")
    if wanted and wanted != f'"{sha256(platform.files.get(path, b""))[:40]}"':
        raise Refused(412, "precondition_failed", "It was changed meanwhile.")
    platform.files[path] = call.body
    return Answer({**COMMIT, "message": call.query.get("message", "change")})


@route("DELETE", f"/projects/{_ID}/content/(.+)")
def remove_file(platform: Platform, call: Recorded, project_id: str, path: str) -> Answer:
    if path not in platform.files:
        raise Refused(404, "not_found", f"There is no file {path}.")
    del platform.files[path]
    return Answer(COMMIT)


@route("GET", f"/projects/{_ID}/(commits|branches|tags)")
def history(platform: Platform, call: Recorded, project_id: str, what: str) -> Answer:
    branch = {"name": "main", "commit": "a" * 40, "default": True}
    return paged(call, [COMMIT] if what == "commits" else [branch])


@route("POST", "/jobs")
def start_job(platform: Platform, call: Recorded) -> Answer:
    body = call.json
    if body.get("tier") == "huge":
        raise Refused(422, "unprocessable", "tier huge is larger than any plane")
    return Answer(platform.add_job(**body), 201)


@route("GET", "/jobs")
def list_jobs(platform: Platform, call: Recorded) -> Answer:
    found = [
        one
        for one in reversed(platform.jobs.values())
        if call.query.get("project_id") in {None, one["project_id"]}
        and call.query.get("owner") in {None, one["owner"]["id"]}
        and call.query.get("status") in {None, one["status"]}
        and call.query.get("number") in {None, str(one["number"])}
    ]
    return paged(call, found)


@route("GET", "/jobs/compare")
def compare(platform: Platform, call: Recorded) -> Answer:
    side = {"size": 2, "sha256": "0" * 64}
    changed = {"path": "train.py", "status": "modified", "additions": 2, "deletions": 1}
    return Answer(
        {
            "settings": [{"name": "tier", "left": "small", "right": "large"}],
            "code": {"commits": ["a" * 40, "b" * 40], "files": [changed], "patch": "-a\n+b\n"},
            "metrics": [{"name": "accuracy", "left": 0.5, "right": 0.75}],
            "outputs": [{"path": "model", "left": side, "right": None, "same": False}],
        }
    )


@route("GET", f"/jobs/{_ID}")
def show_job(platform: Platform, call: Recorded, job_id: str) -> Answer:
    return Answer(platform.advance(_job(platform, job_id)))


@route("POST", f"/jobs/{_ID}/stop")
def stop_job(platform: Platform, call: Recorded, job_id: str) -> Answer:
    job = _job(platform, job_id)
    platform.scripts[job_id] = [("Stopped", "stopped by ada")]
    job.update(status="Stopping", reason=None, target="stopped")
    return Answer(job)


@route("POST", f"/jobs/{_ID}/rerun")
def rerun_job(platform: Platform, call: Recorded, job_id: str) -> Answer:
    old = _job(platform, job_id)
    return Answer(
        platform.add_job(old["project_id"], rerun_of=job_id, title=call.json["commit"]), 201
    )


@route("GET", f"/jobs/{_ID}/logs")
def read_log(platform: Platform, call: Recorded, job_id: str) -> Answer:
    pieces = platform.logs[_job(platform, job_id)["id"]]
    offset = int(call.query.get("offset", "0"))
    if call.query.get("follow") == "false":
        return Answer(raw=b"".join(pieces)[offset:], headers={"Content-Type": "text/plain"})
    text, position = b": hello\n\n" + _event("status", {"status": "Running", "reason": None}), 0
    for piece in pieces:
        start, position = position, position + len(piece)
        if position > offset:
            data = {"offset": start, "text": piece.decode("utf-8", "replace")}
            text += _event("log", data, position)
    headers = {"Content-Type": "text/event-stream"}
    return Answer(raw=text + _event("end", {}, position), headers=headers)


def _event(name: str, data: Any, position: int | None = None) -> bytes:
    head = "" if position is None else f"id: {position}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


@route("GET", f"/jobs/{_ID}/outputs")
def list_outputs(platform: Platform, call: Recorded, job_id: str) -> Answer:
    found = [
        {"path": path, "size": len(data), "sha256": sha256(data), "media_type": "text/plain"}
        for path, data in platform.outputs[_job(platform, job_id)["id"]].items()
    ]
    return paged(call, found)


@route("GET", f"/jobs/{_ID}/outputs/(.+)")
def read_output(platform: Platform, call: Recorded, job_id: str, path: str) -> Answer:
    data = platform.outputs[job_id][path]
    return Answer(raw=data, headers={"Content-Type": "application/octet-stream"})


@route("GET", f"/jobs/{_ID}/metrics")
def metrics(platform: Platform, call: Recorded, job_id: str) -> Answer:
    samples = [{"at": NOW, "cpu": 0.5, "memory": 1 << 20}]
    return Answer({"samples": samples, "values": {"accuracy": 0.975}})


@route("GET", "/environments")
def environments(platform: Platform, call: Recorded) -> Answer:
    default = {"id": "e1", "name": "default", "visibility": "internal", "revision": 1}
    return paged(call, [{**default, "status": "Ready"}])


@route("GET", "/hardware-tiers")
def tiers(platform: Platform, call: Recorded) -> Answer:
    tier = {"id": "t1", "name": "small", "cpu": 1, "memory": 1 << 30, "gpu": 0, "plane": "local"}
    return paged(call, [{**tier, "default": True}])


@route("GET", "/planes")
def planes(platform: Platform, call: Recorded) -> Answer:
    amount = {"cpu": 2, "memory": 1 << 33, "gpu": 0}
    plane = {"id": "p1", "name": "local", "kind": "process", "status": "connected"}
    more = {"isolation": "full", "capacity": amount, "used": amount, "last_seen_at": NOW}
    return paged(call, [{**plane, **more}])


@route("GET", "/tokens")
def list_tokens(platform: Platform, call: Recorded) -> Answer:
    return paged(call, list(platform.own_tokens.values()))


@route("POST", "/tokens")
def create_token(platform: Platform, call: Recorded) -> Answer:
    token = {"id": f"tok{len(platform.own_tokens)}", "name": call.json["name"], "kind": "service"}
    platform.own_tokens[token["id"]] = token
    return Answer({**token, "token": "sml_secret"}, 201)


@route("DELETE", r"/tokens/(\w+)")
def end_token(platform: Platform, call: Recorded, token_id: str) -> Answer:
    if platform.own_tokens.pop(token_id, None) is None:
        raise Refused(404, "not_found", "There is no such token.")
    return Answer(status=204)


@route("GET", "/events")
def events(platform: Platform, call: Recorded) -> Answer:
    after = int(call.headers.get("last-event-id", "0"))
    text = _event("ready", {}, after)
    text += b"".join(_event("job.changed", {"n": n}, n) for n in range(after + 1, after + 3))
    return Answer(raw=text, headers={"Content-Type": "text/event-stream"})


def _project(platform: Platform, project_id: str) -> dict[str, Any]:
    if project_id not in platform.projects:
        raise Refused(404, "not_found", "There is no such project.")
    return platform.projects[project_id]


def _job(platform: Platform, job_id: str) -> dict[str, Any]:
    if job_id not in platform.jobs:
        raise Refused(404, "not_found", "There is no such job.")
    return platform.jobs[job_id]


def _member(platform: Platform, name: str, role: str) -> dict[str, Any]:
    return {"person": {"id": platform.people[name], "name": name}, "role": role, "added_at": NOW}

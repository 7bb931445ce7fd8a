"""Two people who know nothing of each other, each with one of everything that has an id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services import workloads
from services.core.ids import new_id
from services.core.rights import PlatformRole
from services.core.routing import Route
from services.core.work import Work
from tests.house import House
from tests.workloads.agent import ScriptedAgent


@dataclass
class Owner:
    """A person and what is theirs."""

    name: str
    token: str
    ids: dict[str, str]


@dataclass
class Furnished:
    """A platform with two people, an administrator and a plane."""

    house: House
    agent: ScriptedAgent
    admin: str
    alice: Owner
    bob: Owner


async def furnish(house: House) -> Furnished:
    """Make two owners of the same kinds of things."""
    admin = await house.sign_in("root", PlatformRole.ADMIN)
    agent = ScriptedAgent(house)
    await agent.hello()
    alice, bob = await _owner(house, agent, "alice"), await _owner(house, agent, "bob")
    return Furnished(house, agent, admin, alice, bob)


async def made(house: House, method: str, path: str, token: str, **more: Any) -> Any:
    """Call and insist on success; give the body."""
    answer = await house.call(method, path, as_=token, **more)
    assert answer.status_code < 300, (method, path, answer.text)
    return answer.json() if answer.content else None


async def _owner(house: House, agent: ScriptedAgent, name: str) -> Owner:
    token = await house.sign_in(name)
    project = await made(house, "POST", "/projects", token, json={"name": f"{name}-wine"})
    ids = {"project": project["id"], "person": project["owner"]["id"]}
    for number in range(2):
        path = f"/projects/{ids['project']}/content/main.py"
        content = f"print({number})\n".encode()
        commit = await made(house, "PUT", path, token, content=content)
        body = {"project_id": ids["project"], "command": ["true"], "title": f"of {name}"}
        job = await made(house, "POST", "/jobs", token, json=body)
        await agent.poll()
        await agent.put_log(job["id"], 0, b"hello\n")
        await agent.put_output(job["id"], "metrics.json", b'{"accuracy": 1}')
        await agent.finish(job["id"])
        ids |= {f"job{number}": job["id"], "commit": commit["id"]}
    running = {"project_id": ids["project"], "command": ["sleep", "60"]}
    ids["running"] = (await made(house, "POST", "/jobs", token, json=running))["id"]
    await agent.poll()
    for which, more in (("own", {}), ("project", {"project_id": ids["project"]})):
        body = {"name": "API_KEY", "value": f"of {name}", **more}
        ids[f"{which}_secret"] = (await made(house, "POST", "/secrets", token, json=body))["id"]
    service = await made(house, "POST", "/tokens", token, json={"name": "robot"})
    body = {"project_id": ids["project"]}
    workspace = await made(house, "POST", "/workspaces", token, json=body)
    ids |= {"token": service["id"], "workspace": workspace["id"]}
    await _snapshot(house, agent, ids, token)
    return Owner(name, token, ids)


async def _snapshot(house: House, agent: ScriptedAgent, ids: dict[str, str], token: str) -> None:
    """Have a session of the workspace saved once, and end it."""
    run_id = new_id()
    order = {
        "project_id": ids["project"],
        "project": "wine",
        "person_id": ids["person"],
        "repository": "/services/smalti/git/wine.git",
        "commit": ids["commit"],
        "session": {"tool": "jupyterlab", "base_url": "/user/x/", "volume": ids["workspace"]},
        "environment": {"name": "default", "revision": 1, "digest": "x"},
    }
    new = workloads.NewWorkload(
        id=run_id, kind="session", project_id=ids["project"], person_id=ids["person"],
        tier=None, order=order, timeout=None,
    )  # fmt: skip
    await Work(house.context, house.tokens.actors[token]).write(workloads.create, new)
    await agent.poll()
    path = f"/agent/runs/{run_id}/1/snapshots"
    told = {"commit": ids["commit"], "taken_at": "2026-01-01T00:00:00Z", "files": 1, "size": 9}
    await made(house, "GET", path, agent.token)
    assert (await made(house, "POST", path, agent.token, json=told))["number"] == 1
    await agent.finish(run_id)


def routes_of(house: House) -> list[Route]:
    """Every route of the platform."""
    return house.platform.routes


def bodies(owner: Owner, route: Route) -> list[dict[str, Any]]:
    """Bodies that this route takes, naming the owner's things."""
    path = route.path
    if path.endswith("/members"):
        return [{"person": owner.ids["person"], "role": "contributor"}]
    if path.endswith("/members/{person_id}"):
        return [{"role": "owner"}]
    if path.endswith("/branches"):
        return [{"name": "mine", "ref": "main"}]
    if path.endswith("/workspaces/{id}"):
        return [{"title": "changed"}]
    if path.endswith("/branch"):
        return [{"name": "mine"}]
    if path.endswith("/restore"):
        return [{"number": 1}]
    if path.endswith("/keep"):
        return [{"until": None}]
    if path.endswith("/rerun"):
        return [{"commit": "same"}]
    if path.endswith("/projects/{id}"):
        return [{"description": "changed"}]
    if path.endswith("/secrets/{id}"):
        return [{"value": "changed"}]
    if path.endswith("/people/{id}"):
        return [{"display_name": "changed"}]
    return [{}]

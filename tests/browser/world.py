"""Who and what is in the instance that the browser looks at: five people, projects, runs.

Made by the API and by the hub's own pages, as people would make it. Names and texts hold what
tends to break pages: markup, other scripts, length.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.instance import Instance, form_xsrf

PASSWORD = "forty tiles of blue glass"
ONE_TIME = "tiles for one time only"
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
LONG = "x" * 180
COUNTS = "Counts until it is stopped"
OTHER_SCRIPTS = "تجربة طويلة 👩‍🔬 実験"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000020000000208020000"
    "00fdd49a73000000124944415478da63b8a5a6f6ff3fc37f060600"
    "1d5204fd2dbf7c100000000049454e44ae426082"
)


@dataclass
class World:
    """Names and ids of what is there."""

    smalti: Instance
    people: dict[str, str] = field(default_factory=dict)  # name to password
    projects: dict[str, str] = field(default_factory=dict)  # name to id
    jobs: dict[str, str] = field(default_factory=dict)  # what it is for to id
    workspaces: dict[str, str] = field(default_factory=dict)  # title to id
    runs: list[str] = field(default_factory=list)  # ids of MLflow's runs of the example

    def start(self, key: str, project: str, **body: Any) -> str:
        """Start a job of the administrator's and remember it."""
        with self.smalti.client() as client:
            answer = client.post("/jobs", json={"project_id": self.projects[project], **body})
            assert answer.status_code == 201, answer.text
            self.jobs[key] = answer.json()["id"]
            return self.jobs[key]

    def wait(self, key: str, *statuses: str) -> dict[str, Any]:
        """Wait until a job has one of these statuses."""
        found: dict[str, Any] = {}

        def there() -> bool:
            with self.smalti.client() as client:
                found.update(client.get(f"/jobs/{self.jobs[key]}").json())
            return found["status"] in statuses

        self.smalti.wait(there, 90, f"job {key} to be {' or '.join(statuses)}")
        return found


def furnish(smalti: Instance) -> World:
    """Make it all. Takes some 20 seconds: the example really trains."""
    world = World(smalti, people={smalti.admin: smalti.password or ""})
    for name in ("alice", "carol", "sam", "vera"):
        add_person(world, name)
    give_role(world, "vera", "support")
    _tier(world)
    _projects(world)
    _files(world)
    _jobs(world)
    _runs(world)
    _secrets(world)
    _workspaces(world)
    return world


def add_person(world: World, name: str) -> None:
    """Add somebody, with a one-time password that they have changed already."""
    smalti = world.smalti
    smalti.add_person(name)
    with smalti.browse() as admin:
        smalti.log_in(smalti.admin, smalti.password or "", admin)
        page = admin.get(f"/hub/change-password/{name}")
        data = {"_xsrf": form_xsrf(page), "new_password": ONE_TIME}
        assert admin.post(f"/hub/change-password/{name}", data=data).status_code == 200
    with smalti.browse() as person:
        smalti.log_in(name, ONE_TIME, person)
        page = person.get("/hub/change-password")
        data = {
            "_xsrf": form_xsrf(page),
            "new_password": PASSWORD,
            "new_password_confirmation": PASSWORD,
        }
        assert person.post("/hub/change-password", data=data).status_code == 302
    with smalti.client(name) as client:  # from here on the platform knows them
        assert client.get("/me").status_code == 200
    world.people[name] = PASSWORD


def give_role(world: World, name: str, role: str) -> None:
    """Give somebody this role on the platform, and no other."""
    with world.smalti.client() as client:
        [person] = client.get("/people", params={"name": name}).json()["items"]
        answer = client.patch(f"/people/{person['id']}", json={"roles": [role]})
        assert answer.status_code == 200, answer.text


def _tier(world: World) -> None:
    """Make a small tier for what runs all the time, so that there is room for jobs beside it."""
    with world.smalti.client() as client:
        half = {"name": "half", "description": "For little things", "cpu": 0.5, "memory": 1 << 30}
        answer = client.post("/hardware-tiers", json={**half, "price_per_hour": 0.02})
        assert answer.status_code == 201, answer.text


def _projects(world: World) -> None:
    with world.smalti.client() as client:
        for name, more in {
            "wine": {"example": "wine-quality", "description": "Tells three wines apart."},
            "nasty": {"description": f"{NASTY} {OTHER_SCRIPTS} {LONG}"},
            "empty": {"visibility": "internal"},
        }.items():
            answer = client.post("/projects", json={"name": name, **more})
            assert answer.status_code == 201, answer.text
            world.projects[name] = answer.json()["id"]
        for project in ("wine", "nasty"):
            for person, role in {"alice": "contributor", "carol": "consumer"}.items():
                body = {"person": person, "role": role}
                answer = client.post(f"/projects/{world.projects[project]}/members", json=body)
                assert answer.status_code == 201, answer.text


def _files(world: World) -> None:
    notebook = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": f"# Notes\n\n{NASTY}"},
            {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "table",
             "outputs": [
                 {"output_type": "display_data", "metadata": {},
                  "data": {"text/html": f"<table><tr><td>7</td></tr></table>{NASTY}"}},
                 {"output_type": "stream", "name": "stderr", "text": "\x1b[31mred\x1b[0m"}]},
        ],
    }  # fmt: skip
    table = "bottle,alcohol\n" + "".join(f"{n},{n / 7:.3f}\n" for n in range(5000))
    files = {
        "README.md": f"# Nasty\n\n{NASTY}\n\n[click](javascript:alert(1)) ![far](http://evil.example/x.png)",
        f"{OTHER_SCRIPTS}.txt": "text of another script\n",
        "page.html": f"<html>{NASTY}</html>",
        "notes.ipynb": json.dumps(notebook),
        "data/table.csv": table,
        "data/noise.txt": b"\x00\xff\xfe\x01" * 500,
        "picture.png": PNG,
        # A picture that says of itself to be 50,000 by 50,000.
        "bomb.png": PNG[:16] + (50_000).to_bytes(4, "big") * 2 + PNG[24:],
    }
    with world.smalti.client() as client:
        for path, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            address = f"/projects/{world.projects['nasty']}/content/{path}"
            answer: httpx.Response = client.put(address, content=data)
            assert answer.status_code == 200, answer.text


def _jobs(world: World) -> None:
    world.start("trained", "wine", file="train.py", args=["--trees", "20"], tags=["first"])
    world.start("again", "wine", file="train.py", args=["--trees", "5"], tags=["second"])
    world.start("failed", "wine", command="echo begun; exit 3", title="The one that fails")
    loud = (
        f"printf '%s\\n' \"{NASTY.replace(chr(34), chr(92) + chr(34))}\"; "
        "printf '\\033[32mgreen\\033[0m\\n'; head -c 2000 /dev/urandom; echo; exit 0"
    )
    world.start("nasty", "nasty", command=loud, title=f"{NASTY} {LONG}"[:200], tags=["<b>tag</b>"])
    lines = "seq -f 'line %06.0f of a long log' 100000"
    world.start("long", "wine", command=lines, title="A long log")
    for key in ("trained", "again", "failed", "nasty", "long"):
        world.wait(key, "Succeeded", "Failed", "Error")
    ticks = "n=0; while :; do n=$((n+1)); echo tick $n; sleep 0.2; done"
    world.start("running", "wine", command=ticks, tier="half", title=COUNTS)
    world.wait("running", "Running")


def _runs(world: World) -> None:
    """Note the runs that the example's jobs have made in MLflow."""
    with world.smalti.client() as client:
        for key in ("trained", "again"):
            found = client.get(f"/jobs/{world.jobs[key]}/experiment-runs")
            assert found.status_code == 200, found.text
            world.runs += [one["id"] for one in found.json()["items"]]
    assert len(world.runs) == 2, world.runs


def _secrets(world: World) -> None:
    with world.smalti.client() as client:
        for name, project in (("WAREHOUSE_PASSWORD", "wine"), ("API_KEY", None)):
            body = {"name": name, "value": "kept in the vault"}
            more = {} if project is None else {"project_id": world.projects[project]}
            answer = client.post("/secrets", json={**body, **more})
            assert answer.status_code == 201, answer.text


def _workspaces(world: World) -> None:
    """One workspace that runs, and one that was never started."""
    with world.smalti.client() as client:
        for title in ("Looking at wines", "For later"):
            body = {"project_id": world.projects["wine"], "title": title, "tier": "half"}
            answer = client.post("/workspaces", json=body)
            assert answer.status_code == 201, answer.text
            world.workspaces[title] = answer.json()["id"]
        running = f"/workspaces/{world.workspaces['Looking at wines']}"
        assert client.post(f"{running}/start").status_code == 202
        world.smalti.wait(
            lambda: client.get(running).json()["status"] == "Running", 240, "the workspace to run"
        )

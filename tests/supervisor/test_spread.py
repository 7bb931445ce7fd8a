"""Front door, hub and platform as containers run them: no supervisor, places and mounted secrets.

Each process has a state folder of its own, as each pod has; they share nothing but addresses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.supervisor.home import Home
from services.supervisor.keys import SECRETS
from tests.instance import REPOSITORY, SMALTI_ADMIN, free_port

PUBLIC = "https://smalti.example.org"
PASSWORD = "a-password-of-the-chart"


def eventually(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something is true and give it."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = what()
        except httpx.HTTPError:
            found = None
        if found or time.monotonic() > end:
            return found
        time.sleep(0.1)


class Spread:
    """Processes with a folder each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {
            name: free_port()
            for name in ("frontdoor", "hub", "platform", "traefik_api", "experiments")
        }
        self.secrets = {name: make() for name, make in SECRETS.items()}
        self.secrets["admin_password"] = PASSWORD
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start one process as its container does."""
        home = Home(self.folder / name)
        for part in ("run", "secrets"):
            home.path(part).mkdir(parents=True, exist_ok=True)
        for secret, value in self.secrets.items():
            file = home.path("secrets", secret)
            file.write_text(value)
            file.chmod(0o600)
        here = {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        places = {"public_url": PUBLIC, "programs": ["smalti-frontdoor.smalti.svc"], **here}
        home.path("run", "ports.json").write_text(json.dumps(self.ports))
        home.path("run", "places.json").write_text(json.dumps(places))
        config = {"Hub": {"first_admin": "ada"}, "Settings": {"default_image": "base:1"}}
        home.path("smalti_config.json").write_text(json.dumps(config))
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [str(SMALTI_ADMIN), "run", name],
                env={**os.environ, "SMALTI_HOME": str(home.root), "PYTHONPATH": str(REPOSITORY)},
                stdout=log,
                stderr=log,
            )

    def end(self, name: str) -> None:
        """End one process."""
        process = self.running.pop(name)
        process.terminate()
        process.wait(timeout=30)

    def get(self, path: str, host: str = "smalti.example.org", **more: Any) -> httpx.Response:
        """Ask the front door under a host's name."""
        url = f"http://127.0.0.1:{self.ports['frontdoor']}{path}"
        headers = {"Host": host, **more.pop("headers", {})}
        return httpx.get(url, headers=headers, timeout=10, **more)


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spread]:
    """The three of them, reachable."""
    made = Spread(tmp_path_factory.mktemp("spread"))
    try:
        for name in ("platform", "hub", "frontdoor"):
            made.start(name)
        ready = eventually(lambda: made.get("/hub/health").status_code == 200)
        assert ready, (made.folder / "hub.log").read_text()[-4000:]
        yield made
    finally:
        for name in list(made.running):
            made.end(name)


def test_people_reach_hub_and_platform_by_the_public_name(spread: Spread) -> None:
    assert spread.get("/hub/login").status_code == 200
    health = spread.get("/services/smalti/health").json()
    assert {one["name"]: one["status"] for one in health["dependencies"]}["hub"] == "ok"


def test_programs_of_the_cluster_reach_the_api_by_the_service(spread: Spread) -> None:
    name = "smalti-frontdoor.smalti.svc"
    assert spread.get("/services/smalti/api/v1/me", name).status_code == 401
    assert spread.get("/hub/api", name).status_code == 200
    page = spread.get("/services/smalti/", name)
    assert page.headers["location"] == f"{PUBLIC}/services/smalti/"


def test_the_first_admin_has_the_password_of_the_chart_and_must_change_it(spread: Spread) -> None:
    with httpx.Client(headers={"Host": "smalti.example.org"}) as client:
        url = f"http://127.0.0.1:{spread.ports['frontdoor']}/hub/login"
        client.get(url)
        xsrf = client.cookies["_xsrf"]
        form = {"username": "ada", "password": PASSWORD, "_xsrf": xsrf}
        answer = client.post(url, data=form)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/hub/change-password")


def test_the_default_environment_is_the_image(spread: Spread) -> None:
    log = (spread.folder / "platform.log").read_text()
    assert "listening on 127.0.0.1" in log
    database = spread.folder / "platform" / "platform" / "platform.sqlite"
    query = "SELECT status FROM environment_revisions"
    command = [
        sys.executable,
        "-c",
        f"import sqlite3;print(sqlite3.connect('{database}').execute('{query}').fetchone()[0])",
    ]
    assert subprocess.check_output(command, text=True).strip() == "Ready"


def test_routes_are_for_the_front_door_alone(spread: Spread) -> None:
    assert spread.get("/hub/frontdoor-routes").status_code == 404
    wrong = spread.get("/hub/frontdoor-routes", headers={"Authorization": "Bearer no"})
    assert wrong.status_code == 404
    key = spread.secrets["traefik_api_password"]
    shown = spread.get("/hub/frontdoor-routes", headers={"Authorization": f"Bearer {key}"}).json()
    (service,) = shown["http"]["services"].values()
    (server,) = service["loadBalancer"]["servers"]
    assert server["url"] == f"http://127.0.0.1:{spread.ports['hub']}"


def test_the_front_door_goes_on_while_the_hub_is_away(spread: Spread) -> None:
    spread.end("hub")
    assert spread.get("/services/smalti/health").status_code == 200
    assert spread.get("/hub/login").status_code == 502  # known, and away
    spread.start("hub")
    assert eventually(lambda: spread.get("/hub/login").status_code == 200)


def test_a_front_door_that_begins_anew_learns_the_routes(spread: Spread) -> None:
    spread.end("frontdoor")
    spread.start("frontdoor")
    assert eventually(lambda: spread.get("/hub/login").status_code == 200)

"""The front door with the real Traefik and hub: who answers where, and what one fault costs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from services.supervisor import frontdoor
from services.supervisor.home import Home
from services.supervisor.keys import make_secrets, secret
from tests.instance import Instance


class StandIn(BaseHTTPRequestHandler):
    """Answers in the platform's place with what reached it."""

    def do_GET(self) -> None:
        """Tell path and headers."""
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Keep quiet."""


@pytest.fixture
def platform(smalti: Instance) -> Iterator[None]:
    """Something on the platform's port."""
    server = ThreadingHTTPServer(("127.0.0.1", smalti.ports()["platform"]), StandIn)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


def get(smalti: Instance, path: str, host: str = "localhost", **headers: str) -> httpx.Response:
    """Ask the front door's address as if it were a host."""
    named = {"Host": f"{host}:{smalti.port}", **headers}
    return httpx.get(f"{smalti.url}{path}", headers=named, timeout=10)


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("localhost", "/services/smalti/"),
        ("localhost", "/services/smalti/api/v1/me"),
        ("127.0.0.1", "/services/smalti/api/v1/me"),
        ("127.0.0.1", "/services/smalti/git/admin/wine.git/info/refs"),
        ("127.0.0.1", "/services/smalti/health"),
        ("localhost", "/services/smalti/api/v1/content/a%2Fb%23c%25.txt?x=%2F"),
    ],
)
def test_platform_gets_its_paths_unchanged(smalti: Instance, host: str, path: str) -> None:
    assert get(smalti, path, host).json()["path"] == path


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_while_mlflow_is_away_the_platform_says_so_in_its_place(
    smalti: Instance, host: str
) -> None:
    away = get(smalti, "/services/mlflow/api/2.0/mlflow/runs/get?run_id=1", host)
    assert away.status_code == 503
    assert away.json()["path"] == "/services/smalti/experiments/away"
    info = get(smalti, "/services/mlflow/api/3.0/mlflow/server-info", host)
    assert info.status_code == 200
    assert info.json()["path"] == "/services/smalti/experiments/server-info"


@pytest.mark.parametrize("host", ["127.0.0.1", "admin.localhost", "evil.example"])
@pytest.mark.parametrize("path", ["/hub/login", "/services/smalti/", "/"])
def test_pages_live_on_the_main_host_only(smalti: Instance, host: str, path: str) -> None:
    answer = get(smalti, path, host)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{smalti.origin}{path}"


def test_hub_api_answers_programs_at_the_address(smalti: Instance) -> None:
    assert get(smalti, "/hub/api", "127.0.0.1").json()["version"].startswith("6.")
    assert get(smalti, "/hub/api/users", "evil.example").status_code == 302


def test_other_services_are_not_the_platforms(smalti: Instance) -> None:
    assert get(smalti, "/services/smalti-admin/").status_code in (302, 404)


@pytest.mark.usefixtures("platform")
def test_forwarded_headers_from_outside_are_not_believed(smalti: Instance) -> None:
    forged = {
        "X-Forwarded-For": "10.1.2.3",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X_Forwarded_Host": "evil.example",
        "X-Real-Ip": "10.1.2.3",
    }
    answer = get(smalti, "/services/smalti/health", "localhost", **forged)
    seen = {key.lower(): value for key, value in answer.json()["headers"].items()}
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert "evil.example" not in seen.values()
    assert "10.1.2.3" not in seen.values()


def seen_by_platform(smalti: Instance, path: str, host: str, **headers: str) -> dict[str, str]:
    """What headers reach the platform."""
    answer = get(smalti, path, host, **headers)
    return {key.lower(): value for key, value in answer.json()["headers"].items()}


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"X-Smalti-Door": "x"},
        {"X_Smalti_Door": "x", "x-smalti-door": "y"},
        {"Connection": "X-Smalti-Door, x-real-ip", "X-Real-Ip": "10.1.2.3"},
        {"Connection": "close, x-smalti-door, X-Real-Ip"},
    ],
)
def test_front_door_shows_its_key_whatever_the_caller_sends(
    smalti: Instance, host: str, forged: dict[str, str]
) -> None:
    seen = seen_by_platform(smalti, "/services/smalti/health", host, **forged)
    assert seen["x-smalti-door"] == secret(Home(smalti.home), "frontdoor.key")
    assert seen["x-real-ip"] == "127.0.0.1"
    assert "x_smalti_door" not in seen


def test_key_of_the_front_door_is_in_private_files_only(smalti: Instance) -> None:
    key = secret(Home(smalti.home), "frontdoor.key")
    assert len(key) == 64
    folders = ("secrets", "frontdoor", "run", "logs")
    files = [file for name in folders for file in (smalti.home / name).rglob("*") if file.is_file()]
    holding = {file for file in files if key in file.read_text(errors="replace")}
    routes = smalti.home / "frontdoor" / "routes" / "smalti.yml"
    assert holding == {smalti.home / "secrets" / "frontdoor.key", routes}
    assert {file.stat().st_mode & 0o777 for file in holding} == {0o600}


def test_key_goes_to_the_platform_alone(smalti: Instance) -> None:
    config = json.loads((smalti.home / "frontdoor" / "routes" / "smalti.yml").read_text())["http"]
    for name, router in config["routers"].items():
        to_platform = router["service"] == "smalti-platform"
        assert ("smalti-door" in router.get("middlewares", [])) == to_platform, name


def test_traefiks_api_asks_for_a_password_and_is_not_outside(smalti: Instance) -> None:
    inner = f"http://127.0.0.1:{smalti.ports()['traefik_api']}"
    assert httpx.get(f"{inner}/api/rawdata").status_code == 401
    password = (smalti.home / "secrets" / "traefik_api_password").read_text().strip()
    assert httpx.get(f"{inner}/api/rawdata", auth=("hub", password)).status_code == 200
    assert get(smalti, "/api/rawdata", "127.0.0.1").status_code == 302
    assert get(smalti, "/api/rawdata").status_code == 302


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("broken", ["{", '{"http": {"routers": {"x": {"rule": "Nonsense(`"}}}}'])
def test_a_broken_file_of_ours_costs_no_route_of_the_hub(smalti: Instance, broken: str) -> None:
    ours = smalti.home / "frontdoor" / "routes" / "smalti.yml"
    good = ours.read_text()
    ours.write_text(broken)
    try:
        # Wait for Traefik to have read it: our platform route goes, or stays from before.
        for _ in range(20):
            assert get(smalti, "/hub/api").status_code == 200
    finally:
        frontdoor.write_files(Home(smalti.home), smalti.ports(), path_only=False)
    assert ours.read_text() == good
    smalti.wait(
        lambda: get(smalti, "/services/smalti/health").status_code == 200, what="our routes"
    )


@pytest.mark.usefixtures("platform")
def test_routes_live_on_without_the_hub(smalti: Instance) -> None:
    pid = smalti.kill("hub")
    assert get(smalti, "/services/smalti/health").status_code == 200
    smalti.wait_ready("hub", not_pid=pid)
    smalti.wait(lambda: get(smalti, "/hub/api").status_code == 200, what="the hub's route")


def test_hub_routes_live_on_without_the_platform(smalti: Instance) -> None:
    assert get(smalti, "/services/smalti/health").status_code == 502
    assert get(smalti, "/hub/login").status_code == 200


@pytest.mark.usefixtures("platform")
def test_a_restarted_front_door_has_all_routes_at_once(smalti: Instance) -> None:
    pid = smalti.kill("frontdoor")
    smalti.wait_ready("frontdoor", not_pid=pid)
    smalti.wait(lambda: get(smalti, "/hub/api").status_code == 200, 5, "the hub's route")
    assert get(smalti, "/services/smalti/health").status_code == 200


def test_a_cut_file_of_the_hub_is_set_aside(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make_folders()
    make_secrets(home)
    hub_file = home.path("frontdoor", "routes", "hub.toml")
    hub_file.write_text("[http.routers.ro")
    ports = {"frontdoor": 1, "hub": 2, "platform": 3, "traefik_api": 4, "experiments": 5}
    frontdoor.write_files(home, ports, path_only=False)
    assert not hub_file.exists()


def test_path_only_serves_every_host(tmp_path: Path) -> None:
    ports = {"frontdoor": 1, "hub": 2, "platform": 3, "traefik_api": 4, "experiments": 5}
    rules = [
        router["rule"]
        for router in frontdoor.routes(ports, "key", path_only=True)["http"]["routers"].values()
    ]
    assert rules[:2] == [
        "(Path(`/services/smalti`) || PathPrefix(`/services/smalti/`))",
        "(Path(`/services/mlflow`) || PathPrefix(`/services/mlflow/`))",
    ]
    assert [rule for rule in rules if "Host(" in rule] == []


async def test_traefik_shows_a_new_route_of_the_hub_quickly(smalti: Instance) -> None:
    """The 0.9 s that a route used to take were bcrypt in Traefik's API and slow polling."""
    loop = asyncio.get_running_loop()
    inner = f"http://127.0.0.1:{smalti.ports()['traefik_api']}/api/overview"
    password = (smalti.home / "secrets" / "traefik_api_password").read_text().strip()
    async with httpx.AsyncClient(auth=("hub", password)) as client:
        await client.get(inner)
        began = loop.time()
        for _ in range(10):
            await client.get(inner)
        assert (loop.time() - began) / 10 < 0.1

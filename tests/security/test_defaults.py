"""S13 default-open settings: as it comes out of the box, it is closed."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.platform_use import descendants
from tests.instance import Instance, form_xsrf

LISTEN = "0A"
ANY_CREDENTIAL = ("sml_", "Bearer ", "password")


def listening(pid: int) -> set[tuple[str, int]]:
    """(address in hexadecimal, port) of every listening TCP socket of a process."""
    inodes = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(handle)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTEN and words[9] in inodes:
                address, port = words[1].split(":")
                found.add((address, int(port, 16)))
    return found


def test_every_socket_listens_on_the_loopback_address_alone(smalti: Instance) -> None:
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    seen = set()
    for name, pid in smalti.pids().items():
        for one in [pid, *descendants(pid)]:
            for address, port in listening(one):
                assert address in loopback, (name, address, port)
                seen.add(port)
    started = {name: port for name, port in smalti.ports().items() if name != "experiments"}
    assert set(started.values()) <= seen


def test_secrets_are_their_owners_alone(smalti: Instance) -> None:
    folder = smalti.home / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) >= 5
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        assert len(file.read_text().strip()) >= 32, f"{file.name} is short"


def test_state_is_closed_to_other_accounts(smalti: Instance) -> None:
    for name in ("secrets", "hub", "platform", "agent", "logs", "run", "frontdoor", "backups"):
        path = smalti.home / name
        if path.exists():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, name
    for name in ("hub/jupyterhub.sqlite", "platform/platform.sqlite"):
        reachable = (smalti.home / name).stat().st_mode & 0o007
        parent = (smalti.home / name).parent.stat().st_mode & 0o007
        assert not (reachable and parent), name


def test_nobody_signs_up_and_nobody_is_let_in(smalti: Instance) -> None:
    with smalti.browse() as browser:
        assert browser.get("/hub/signup").status_code in (403, 404)
        page = browser.get("/hub/login")
        data = {"_xsrf": form_xsrf(page), "username": "stranger", "password": "x" * 20}
        assert browser.post("/hub/signup", data=data).status_code in (403, 404)
        for name, password in (("stranger", "x" * 20), (smalti.admin, ""), (smalti.admin, "admin")):
            answer = smalti.log_in(name, password, browser)
            assert answer.status_code in (200, 403), (name, answer.status_code)
            assert not browser.cookies.get("jupyterhub-session-id") or (
                browser.get("/hub/home").status_code == 302
            )


def test_the_front_doors_own_api_asks_for_its_password(smalti: Instance) -> None:
    port = smalti.ports()["traefik_api"]
    for path in (
        "/api/rawdata",
        "/api/http/routers",
        "/api/overview",
        "/dashboard/",
        "/debug/vars",
    ):
        for auth in (None, ("hub", "hub"), ("admin", "admin"), ("hub", "")):
            answer = httpx.get(f"http://127.0.0.1:{port}{path}", auth=auth)
            assert answer.status_code in (401, 404), (path, auth, answer.status_code)
    for path in ("/api/rawdata", "/dashboard/", "/ping"):
        outside = httpx.get(f"{smalti.origin}{path}", headers={"Host": f"localhost:{smalti.port}"})
        assert outside.status_code in (302, 404), path
        assert "routers" not in outside.text


def test_what_is_public_tells_no_secret(smalti: Instance) -> None:
    smalti.token()
    secrets = [file.read_text().strip() for file in (smalti.home / "secrets").iterdir()]
    for path in ("/health", "/metrics", "/api/openapi.json"):
        text = httpx.get(f"{smalti.base}{path}").text
        assert text
        for secret in [*secrets, smalti.token(), str(smalti.password)]:
            assert secret not in text, path
        assert str(smalti.home) not in text, f"{path} tells where the state is"
        if path == "/metrics":
            assert smalti.admin not in text, "metrics name people"


@pytest.mark.parametrize(
    "path",
    ["/api/v1/me", "/api/v1/jobs", "/api/v1/people", "/api/v1/audit-events", "/api/v1/events"],
)
def test_without_a_token_there_is_nothing(smalti: Instance, path: str) -> None:
    answer = httpx.get(f"{smalti.base}{path}")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


def test_headers_that_name_somebody_are_not_believed(smalti: Instance) -> None:
    claims = {
        "X-Forwarded-User": smalti.admin,
        "X-Remote-User": smalti.admin,
        "Remote-User": smalti.admin,
        "X-Forwarded-Email": smalti.admin,
        "X-Smalti-Person": smalti.admin,
        "X-Original-URL": "/services/smalti/health",
    }
    answer = httpx.get(f"{smalti.api}/me", headers=claims)
    assert answer.status_code == 401


def test_an_address_that_is_claimed_is_not_the_audit_trails(smalti: Instance) -> None:
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Real-Ip": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
    }
    with smalti.client() as client:
        client.post("/projects", json={"name": "claimed"}, headers=claims).raise_for_status()
        trail = client.get("/audit-events?limit=20").json()["items"]
    made = [row for row in trail if row["action"] == "project.create"]
    assert made
    assert "203.0.113.9" not in str(trail)


@pytest.mark.parametrize("by", ["frontdoor", "platform"])
@pytest.mark.parametrize("claim", [{}, {"X-Smalti-Door": "x" * 64}, {"X-Smalti-Door": ""}])
def test_the_true_address_is_recorded_however_one_comes(
    smalti: Instance, by: str, claim: dict[str, str]
) -> None:
    """By the front door it is known by the front door's word, directly by the socket alone."""
    claims = {
        **claim,
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Real-Ip": "203.0.113.9",
        "Connection": "close, X-Smalti-Door, X-Real-Ip",
    }
    url = f"http://127.0.0.1:{smalti.ports()[by]}/services/smalti/api/v1"
    here = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=url, headers=smalti.bearer(), transport=here, timeout=60) as client:
        name = f"from-{secrets.token_hex(4)}"
        answer = client.post("/projects", json={"name": name}, headers=claims)
        answer.raise_for_status()
        trail = client.get("/audit-events?limit=20").json()["items"]
    call = answer.headers["X-Request-Id"]
    made = [row for row in trail if row["request_id"] == call]
    assert {row["address"] for row in made} == {"127.0.0.2"}
    lines = [line for line in smalti.logs().splitlines() if call in line]
    assert lines
    assert all('"address": "127.0.0.2"' in line for line in lines)


def test_the_first_admin_is_the_only_person(smalti: Instance) -> None:
    headers = {"Authorization": f"token {smalti.token()}"}
    users = httpx.get(f"{smalti.hub_api}/users", headers=headers).json()
    assert {user["name"] for user in users if user["admin"]} == {smalti.admin}

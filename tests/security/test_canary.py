"""S11: secrets of a real run are searched in everything that it leaves behind."""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks.platform_use import FINAL, start, wait_for
from tests.instance import Instance

OWN_TOKEN = re.compile(rb"sml_[A-Za-z0-9_-]{40,}")


def files_with(folder: Path, *canaries: bytes) -> set[str]:
    """Files below a folder that hold any of these, as paths relative to it."""
    found = set()
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "environments"]
        for name in names:
            path = Path(where) / name
            if path.is_symlink() or not path.is_file():
                continue
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # cleaned away meanwhile
            if any(canary in data for canary in canaries):
                found.add(str(path.relative_to(folder)))
    return found


def all_arguments() -> bytes:
    """The command lines of every process of this machine."""
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                lines.append((folder / "cmdline").read_bytes())
            except OSError:
                continue
    return b"\n".join(lines)


@pytest.fixture(scope="module")
def used(smalti: Instance, lab: tuple[httpx.Client, str]) -> dict[str, bytes]:
    """Use tokens, passwords and variables in every way there is; give the canaries."""
    client, project_id = lab
    value = f"canary-{secrets.token_hex(16)}"
    env = {"CANARY": value, "API_PASSWORD": value}
    service = client.post("/tokens", json={"name": "canary"}).json()["token"]
    code = "import os, time; assert os.environ['CANARY']; open('x', 'w'); time.sleep(2)"
    job = start(client, project_id, ["python", "-c", code], env=env)
    wait_for(client, job["id"], {"Running"})
    arguments = all_arguments()
    wait_for(client, job["id"], FINAL)
    bad = {"Authorization": f"Bearer {service}x"}
    for headers in (bad, {"Authorization": f"Bearer {service}"}, {"Authorization": "Basic x"}):
        for path in (f"/me?token={service}", f"/jobs/{service}", "/nothing", "/tokens"):
            httpx.get(f"{smalti.api}{path}", headers=headers)
    remote = f"http://x:{service}@127.0.0.1:{smalti.port}/services/smalti/git/admin/guarded.git"
    subprocess.run(["git", "ls-remote", remote], check=True, capture_output=True)
    wrong = remote.replace(service, service + "x")
    subprocess.run(["git", "ls-remote", wrong], check=False, capture_output=True)
    typo = f"wrong-{secrets.token_hex(8)}"
    smalti.log_in(smalti.admin, typo)
    assert smalti.password is not None
    smalti.log_in(smalti.admin, smalti.password)
    return {
        "value": value.encode(),
        "service": service.encode(),
        "hub": smalti.token().encode(),
        "password": smalti.password.encode(),
        "typo": typo.encode(),
        "arguments": arguments,
        "job": job["id"].encode(),
    }


SECRET_FILES = ("signing.key", "platform_hub_token", "hub_cookie_secret", "agent-local.token",
                "admin_hub_token", "traefik_api_password", "frontdoor.key",
                "vault.key")  # fmt: skip


def kept_secrets(smalti: Instance) -> list[bytes]:
    """The installation's own secrets."""
    folder = smalti.home / "secrets"
    return [
        (folder / name).read_bytes().strip() for name in SECRET_FILES if (folder / name).exists()
    ]


def test_no_log_holds_a_secret(smalti: Instance, used: dict[str, bytes]) -> None:
    canaries = [used[name] for name in ("value", "service", "hub", "password", "typo")]
    assert files_with(smalti.home / "logs", *canaries, *kept_secrets(smalti)) == set()
    logs = smalti.logs().encode()
    assert b"canary" not in logs.replace(b"test_canary", b"")
    assert not OWN_TOKEN.search(logs)


def test_no_process_shows_a_secret_in_its_arguments(
    smalti: Instance, used: dict[str, bytes]
) -> None:
    for secret in [used["value"], used["service"], used["password"], *kept_secrets(smalti)]:
        assert secret not in used["arguments"]
    assert not OWN_TOKEN.search(used["arguments"].replace(used["service"], b""))


def test_no_other_process_has_a_secret_in_its_environment(
    smalti: Instance, used: dict[str, bytes]
) -> None:
    for name, pid in smalti.pids().items():
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        for secret in [used["value"], used["password"], used["hub"], *kept_secrets(smalti)]:
            assert secret not in environment, name


def test_the_platforms_database_holds_no_token(smalti: Instance, used: dict[str, bytes]) -> None:
    tokens = [used["service"], used["hub"], used["password"], *kept_secrets(smalti)]
    assert files_with(smalti.home / "platform", *tokens) == set()
    folder = smalti.home / "platform"
    for path in folder.glob("platform.sqlite*"):
        assert not OWN_TOKEN.search(path.read_bytes()), path.name
    with sqlite3.connect(f"file:{folder / 'platform.sqlite'}?mode=ro", uri=True) as database:
        hashes = [row[0] for row in database.execute("SELECT hash FROM tokens")]
    assert hashes
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes)


def test_a_variables_value_is_in_the_jobs_row_and_nowhere_else_for_long(
    smalti: Instance, used: dict[str, bytes]
) -> None:
    """A job shows its variables, so its row has them; audit, events and the agent do not."""
    path = smalti.home / "platform" / "platform.sqlite"
    value = used["value"].decode()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        names = [
            row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        holding = {
            name
            for name in names
            if value
            in json.dumps(database.execute(f'SELECT * FROM "{name}"').fetchall(), default=str)
        }
    assert holding == {"jobs", "workloads"}
    smalti.wait(
        lambda: files_with(smalti.home / "agent", used["value"]) == set(), 40, "the agent to forget"
    )


def test_the_agent_keeps_no_token_of_an_ended_run(smalti: Instance, used: dict[str, bytes]) -> None:
    def left() -> set[str]:
        own = used["job"].decode()
        return {
            str(path)
            for path in (smalti.home / "agent").rglob("*")
            if path.is_file() and own in str(path) and OWN_TOKEN.search(path.read_bytes())
        }

    smalti.wait(lambda: not left(), 40, "the run's token to be gone")


def test_passwords_are_hashed_in_the_hub(smalti: Instance, used: dict[str, bytes]) -> None:
    plain = [used["password"], used["typo"], used["service"], used["hub"], used["value"]]
    assert files_with(smalti.home / "hub", *plain) == set()


def test_secrets_are_in_their_files_and_nowhere_else(
    smalti: Instance, used: dict[str, bytes]
) -> None:
    key = (smalti.home / "secrets" / "frontdoor.key").read_bytes().strip()
    for secret in kept_secrets(smalti):
        found = files_with(smalti.home, secret)
        if secret == key:  # the front door shows it, and reads nothing but its routes
            assert "frontdoor/routes/smalti.yml" in found
            found.remove("frontdoor/routes/smalti.yml")
        assert all(name.startswith("secrets/") for name in found), found


def test_no_error_repeats_a_secret(smalti: Instance, used: dict[str, bytes]) -> None:
    token, service = smalti.token(), used["service"].decode()
    bodies: list[Any] = [
        {"name": service},
        {"token": service},
        {"name": "x", "import_url": f"https://u:{service}@h/"},
    ]
    for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {service}-x"}):
        for body in bodies:
            answer = httpx.post(f"{smalti.api}/projects", json=body, headers=headers, timeout=30)
            assert token not in answer.text
            assert answer.status_code < 500, answer.text
        for path in ("/nothing", "/jobs/x", "/projects/x"):
            answer = httpx.get(f"{smalti.api}{path}", headers=headers)
            assert service not in answer.text
            assert token not in answer.text

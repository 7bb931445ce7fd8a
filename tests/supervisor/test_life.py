"""The supervisor's promises about processes, each seen with the real ones."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from services.supervisor import records
from services.supervisor.home import Home
from tests.instance import SMALTI_ADMIN, Instance


def test_status_lists_every_process(smalti: Instance) -> None:
    seen = smalti.status()
    assert seen["state"] == "running"
    assert [row["name"] for row in seen["processes"]] == ["frontdoor", "hub"]
    for row in seen["processes"]:
        assert row["state"] == "running"
        assert Path(f"/proc/{row['pid']}").exists()
        assert row["started_at"].endswith("Z")


def test_first_admins_password_reaches_no_process(smalti: Instance) -> None:
    assert smalti.password is not None
    for pid in smalti.pids().values():
        if pid == smalti.pid("supervisor"):
            continue  # what exec gave it cannot be taken back; it passes nothing on
        assert smalti.password.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert smalti.password not in smalti.logs()


def test_secrets_are_for_the_owner_only(smalti: Instance) -> None:
    files = list((smalti.home / "secrets").iterdir())
    assert files
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (smalti.home / "secrets").stat().st_mode & 0o777 == 0o700
    logged = smalti.logs()
    for file in files:
        assert file.read_text().strip() not in logged


@pytest.mark.parametrize("name", ["frontdoor", "hub"])
def test_a_killed_process_comes_back(smalti: Instance, name: str) -> None:
    pid = smalti.kill(name)
    smalti.wait_ready(name, not_pid=pid)
    smalti.wait(lambda: httpx.get(f"{smalti.hub_api}/").status_code == 200, what="the hub's API")


def test_what_runs_is_adopted_after_the_supervisor_was_killed(own: Instance) -> None:
    before = own.pids()
    own.kill("supervisor")
    own.wait(lambda: own.status()["supervisor"]["state"] == "stopped")
    assert httpx.get(f"{own.url}/hub/home").status_code == 302, "all outlives the supervisor"
    assert "taken over" in own.up()
    after = own.pids()
    assert after.pop("supervisor") != before.pop("supervisor")
    assert after == before
    pid = own.kill("frontdoor")
    own.wait_ready("frontdoor", not_pid=pid)


def test_down_ends_what_a_dead_supervisor_left(own: Instance) -> None:
    pids = own.pids()
    own.kill("supervisor")
    own.down()
    for name, pid in pids.items():
        assert records.start_time(pid) is None, f"{name} still runs"
    assert own.status()["state"] == "stopped"
    assert own.command("down").stdout == "Nothing was running.\n"


def test_a_reused_pid_is_not_taken_for_ours(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make_folders()
    mine = records.record_of(os.getpid())
    stranger = records.Record(mine.pid, mine.start_time - 1, mine.started_at)
    records.save(home, "frontdoor", stranger)
    assert not stranger.alive
    records.send(stranger, signal.SIGKILL)  # must not reach us
    assert mine.alive


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    instance = Instance(tmp_path, processes="frontdoor,hub")
    running = subprocess.Popen(
        [str(SMALTI_ADMIN), "up"],
        env={**instance.environment, "SMALTI_ADMIN_PASSWORD": "mosaic-of-small-tiles"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if "Smalti is at" in line:
                break
        pids = instance.pids()
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.wait()
        instance.down()
    assert rest.endswith("Stopped.\n")
    assert all(records.start_time(pid) is None for pid in pids.values())


def test_a_second_start_is_ready_within_seconds(smalti: Instance) -> None:
    smalti.down()
    began = time.monotonic()
    printed = smalti.up()
    assert time.monotonic() - began < 15
    assert "password" not in printed, "the first admin is made once"


def test_a_newer_database_of_the_hub_is_refused(smalti: Instance) -> None:
    smalti.down()
    database = smalti.home / "hub" / "jupyterhub.sqlite"
    kept = database.read_bytes()
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    changed = database.read_bytes()
    try:
        refused = smalti.command("up")
        assert refused.returncode == 78
        assert refused.stderr == (
            "The hub's database was written by a newer Smalti: update Smalti, "
            "or restore a backup.\n"
        )
        assert database.read_bytes() == changed, "nothing is changed in it"
    finally:
        database.write_bytes(kept)
        smalti.up()


def test_a_second_supervisor_is_refused(own: Instance) -> None:
    second = own.command("up", "--detach")
    assert second.returncode == 1
    assert f"Smalti already runs on {own.home} (supervisor pid {own.pid('supervisor')})" in (
        second.stdout
    )
    assert own.status()["state"] == "running"


def test_token_acts_for_the_person_and_is_audited(smalti: Instance) -> None:
    spool = smalti.home / "platform" / "audit-spool"
    before = set(spool.iterdir())
    token = smalti.command("token", "admin").stdout.strip()
    (written,) = set(spool.iterdir()) - before
    assert written.stat().st_mode & 0o777 == 0o600
    assert '"action": "token.issue"' in written.read_text()
    assert token not in written.read_text()
    answer = httpx.get(f"{smalti.hub_api}/user", headers={"Authorization": f"token {token}"})
    assert answer.json()["name"] == "admin"
    refused = smalti.command("token", "nobody-there")
    assert refused.returncode == 1
    assert refused.stderr == "There is no person named 'nobody-there'.\n"


def test_doctor_finds_an_open_secret(smalti: Instance) -> None:
    assert smalti.command("doctor").returncode == 0
    key = smalti.home / "secrets" / "signing.key"
    key.chmod(0o644)
    try:
        examined = smalti.command("doctor")
    finally:
        key.chmod(0o600)
    assert examined.returncode == 1
    assert f"BAD  secret {key} can be read by others" in examined.stdout

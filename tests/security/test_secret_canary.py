"""S11: a secret's value is searched in everything that a run which prints it leaves behind."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
import urllib.parse
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.platform_use import FINAL, start, wait_for
from tests.instance import Instance
from tests.security.test_canary import all_arguments, files_with

PRINTS = """
import base64, json, os, sys, time, urllib.parse
value = os.environ["CANARY"]
assert len(os.environ["LARGE_1"]) == 60_000
print("plain", value)
print("twice", value + value, file=sys.stderr)
print("base64", base64.b64encode(value.encode()).decode())
print("basic", base64.b64encode(b"user:" + value.encode()).decode())
print("url", urllib.parse.quote(value, safe=""))
print("json", json.dumps({"value": value}))
print("hex", value.encode().hex())
print("token", os.environ["SMALTI_TOKEN"])
sys.stdout.write("half " + value[:15]); sys.stdout.flush(); time.sleep(1.5)
print(value[15:])
open("go", "w").close()
time.sleep(4)
print("last", value)
sys.exit(3)
"""


def encodings(value: str) -> list[bytes]:
    """What the job prints, as it must not be found anywhere."""
    raw = value.encode()
    return [
        raw,
        base64.b64encode(raw)[:-4],
        base64.b64encode(b"user:" + raw)[8:-4],
        urllib.parse.quote(value, safe="").encode(),
        json.dumps(value)[1:-1].encode(),
        raw.hex().encode(),
    ]


@pytest.fixture(scope="module")
def used(smalti: Instance, lab: tuple[httpx.Client, str]) -> dict[str, bytes]:
    """Keep secrets, run what prints them, kill the agent in the middle; give what is left."""
    client, project_id = lab
    value = f'can"ary/{secrets.token_hex(16)}+ü'
    large = {f"LARGE_{n}": secrets.token_hex(30_000) for n in (1, 2, 3)}  # no order is that short
    for name, text in {"CANARY": value, **large}.items():
        body = {"name": name, "value": text, "project_id": project_id}
        assert client.post("/secrets", json=body).status_code == 201
    assert value not in client.get("/secrets", params={"project_id": project_id}).text
    job = start(client, project_id, ["python", "-c", PRINTS])
    wait_for(client, job["id"], {"Running"})
    arguments = all_arguments()
    logs = f"/jobs/{job['id']}/logs?follow=false"
    smalti.wait(lambda: "half ****" in client.get(logs).text, 30, "the log")
    smalti.kill("agent")
    done = wait_for(client, job["id"], FINAL, 90)
    assert done["status"] == "Failed", done
    found = {
        "value": value.encode(),
        "large": large["LARGE_2"][:64].encode(),
        "arguments": arguments,
        "log": client.get(logs).content,
        "job": json.dumps(done, ensure_ascii=False).encode(),
        "id": job["id"].encode(),
    }
    for one in client.get("/secrets", params={"project_id": project_id}).json()["items"]:
        assert [use["id"] for use in one["used_by"]] == [job["id"]]
        assert client.delete(f"/secrets/{one['id']}").status_code == 204
    return found


def test_the_log_shows_asterisks_of_the_same_length(used: dict[str, bytes]) -> None:
    log = used["log"]
    for form in encodings(used["value"].decode()):
        assert form not in log
    stars = b"*" * len(used["value"])
    for line in (b"plain " + stars, b"twice " + stars * 2, b"half " + stars, b"last " + stars):
        assert line + b"\n" in log
    assert b"sml_" not in log
    assert b'"value": "***' in log


def test_the_jobs_view_and_its_last_lines_hold_nothing(used: dict[str, bytes]) -> None:
    for form in encodings(used["value"].decode()):
        assert form not in used["job"]
    assert b"last ****" in used["job"]


def test_no_file_of_the_installation_holds_it(smalti: Instance, used: dict[str, bytes]) -> None:
    """The run's own log file and folders go with the run; nothing else ever had it."""
    forms = [*encodings(used["value"].decode()), used["large"]]
    smalti.wait(lambda: files_with(smalti.home, *forms) == set(), 60, "the run's folder to go")


def test_no_process_had_it_in_its_arguments(used: dict[str, bytes]) -> None:
    for form in [*encodings(used["value"].decode()), used["large"]]:
        assert form not in used["arguments"]


def test_while_it_runs_only_its_log_is_on_disk(
    smalti: Instance, lab: tuple[httpx.Client, str]
) -> None:
    client, project_id = lab
    value = f"quiet-{secrets.token_hex(16)}"
    body = {"name": "QUIET", "value": value}
    made = client.post("/secrets", json=body).json()
    large = {"name": "LARGE", "value": "x" * 60_000}
    many = [client.post("/secrets", json={**large, "name": f"L{n}"}).json() for n in range(3)]
    code = "import os, time; assert os.environ['QUIET']; print('here', flush=True); time.sleep(30)"
    job = start(client, project_id, ["python", "-c", code])
    logs = f"/jobs/{job['id']}/logs?follow=false"
    smalti.wait(lambda: "here" in client.get(logs).text, 30, "the run")
    assert files_with(smalti.home, value.encode()) == set()
    client.post(f"/jobs/{job['id']}/stop")
    wait_for(client, job["id"], FINAL)
    for one in (made, *many):
        client.delete(f"/secrets/{one['id']}")


def test_the_command_line_takes_it_from_standard_input_only(
    smalti: Instance, lab: tuple[httpx.Client, str], tmp_path: Path
) -> None:
    assert lab[1]
    value = f"piped-{secrets.token_hex(16)}"
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SMALTI_API_URL": smalti.api,
        "SMALTI_TOKEN": smalti.token(),
    }

    def smalti_command(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "smalti", "secrets", *words]
        return subprocess.run(
            command, input=text, capture_output=True, text=True, env=environment, check=False
        )

    for text in (f"{value}\n", f"{value}-2"):
        done = smalti_command("set", "PIPED", "--project", "admin/guarded", text=text)
        assert done.returncode == 0, done.stderr
        assert value not in done.stdout + done.stderr
    listed = smalti_command("list", "--project", "admin/guarded")
    assert "PIPED" in listed.stdout
    assert value not in listed.stdout
    assert smalti_command("set", "PIPED2", value).returncode == 2
    assert smalti_command("set", "PATH", text="x").returncode != 0
    gone = smalti_command("delete", "PIPED", "--project", "admin/guarded")
    assert gone.returncode == 0, gone.stderr
    again = smalti_command("delete", "PIPED", "--project", "admin/guarded")
    assert again.returncode != 0
    assert "no secret" in again.stderr

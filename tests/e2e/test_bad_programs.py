"""Programs that misbehave: each gets its true state and reason, and nobody else notices."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.benchmarks.platform_use import FINAL, make_project, start, wait_for
from tests.e2e.conftest import Person

HOG = "data = []\nwhile True: data.append(bytearray(10 << 20))"
BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
while True: time.sleep(1)
"""
NOISE = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 100)"
ONE_LINE = "import sys\nfor _ in range(100): sys.stdout.write('x' * (1 << 20))"


@pytest.fixture(scope="module")
def project(admin: Person) -> tuple[httpx.Client, str]:
    """A project of its own for them, by the API."""
    client = admin.smalti.client()
    return client, make_project(client, "trials")


def run(project: tuple[httpx.Client, str], code: str, **more: Any) -> Any:
    """Run Python code as a job to its end."""
    client, project_id = project
    job = start(client, project_id, ["python", "-c", code], **more)
    return wait_for(client, job["id"], FINAL, 90)


def test_one_that_eats_memory_is_ended_with_the_reason(project: tuple[httpx.Client, str]) -> None:
    job = run(project, HOG)
    assert job["status"] == "Failed"
    assert "memory" in job["reason"]


def test_a_fork_bomb_is_contained(project: tuple[httpx.Client, str]) -> None:
    client, _ = project
    job = run(project, BOMB, timeout=5)
    assert job["status"] == "Failed"
    began = time.monotonic()
    assert client.get("/me").status_code == 200
    assert time.monotonic() - began < 2


def test_a_time_limit_ends_it(project: tuple[httpx.Client, str]) -> None:
    job = run(project, "import time; time.sleep(600)", timeout=1)
    assert job["status"] == "Failed"
    assert "time limit" in job["reason"]


def test_one_that_ignores_sigterm_is_killed(project: tuple[httpx.Client, str]) -> None:
    client, project_id = project
    job = start(client, project_id, ["python", "-c", STUBBORN])
    wait_for(client, job["id"], {"Running"})
    client.post(f"/jobs/{job['id']}/stop").raise_for_status()
    assert wait_for(client, job["id"], FINAL, 60)["status"] == "Stopped"


def test_noise_is_kept_as_it_was(project: tuple[httpx.Client, str]) -> None:
    client, _ = project
    job = run(project, NOISE)
    answer = client.get(f"/jobs/{job['id']}/logs?follow=false")
    assert answer.content == bytes(range(256)) * 100


def test_a_line_of_100_mb_is_kept_whole(project: tuple[httpx.Client, str]) -> None:
    client, _ = project
    job = run(project, ONE_LINE)
    assert job["status"] == "Succeeded"
    size = 0
    with client.stream("GET", f"/jobs/{job['id']}/logs?follow=false") as answer:
        for piece in answer.iter_bytes():
            assert not piece.strip(b"x")
            size += len(piece)
    assert size == 100 << 20


def test_outputs_are_kept_also_of_one_that_failed(project: tuple[httpx.Client, str]) -> None:
    client, _ = project
    code = "import os; open(os.environ['SMALTI_OUTPUTS'] + '/x.txt', 'w').write('kept'); 1 / 0"
    job = run(project, code)
    assert (job["status"], job["exit_code"]) == ("Failed", 1)
    assert "ZeroDivisionError" in job["last_lines"]
    assert client.get(f"/jobs/{job['id']}/outputs/x.txt").content == b"kept"


def test_a_run_sees_neither_secrets_nor_other_runs(project: tuple[httpx.Client, str]) -> None:
    client, project_id = project
    home = str(client.base_url)
    code = """
import os, pathlib, subprocess
found = []
for folder in ('/root', '/tmp', '/home', '/var'):
    for path, _, names in os.walk(folder):
        found += [os.path.join(path, n) for n in names if n in ('signing.key', 'platform.sqlite')]
print('found', found)
print('processes', len([p for p in os.listdir('/proc') if p.isdigit()]))
print('uid', os.getuid())
"""
    job = run(project, code)
    text = client.get(f"/jobs/{job['id']}/logs?follow=false").text
    assert "found []" in text, (text, home, project_id)
    if job["isolation"] != "none":
        processes = int(text.split("processes ")[1].split()[0])
        assert processes < 10


def test_the_client_works_inside_a_run_without_set_up(project: tuple[httpx.Client, str]) -> None:
    client, _ = project
    code = """
import os, smalti
client = smalti.connect()
print('project', os.environ['SMALTI_PROJECT'])
print('me', client.me().kind)
"""
    job = run(project, code)
    text = client.get(f"/jobs/{job['id']}/logs?follow=false").text
    assert "project admin/trials" in text, text
    assert "me run" in text

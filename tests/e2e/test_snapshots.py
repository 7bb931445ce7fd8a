"""What is worked on in a workspace: saved through kills, run as a job, put back, opened beside."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Person
from tests.e2e.lab import Lab, answers, shims, tools_are_built
from tests.instance import Instance

pytestmark = pytest.mark.timeout(300)
LOST_MOST = 5.0  # seconds of work

# Writes the time into a file, again and again, as somebody does who saves all the time.
WORK = """
import threading, time
from pathlib import Path
def work():
    while True:
        Path('clock.tmp').write_text(repr(time.time()))
        Path('clock.tmp').rename('clock.txt')
        time.sleep(0.1)
threading.Thread(target=work, daemon=True).start()
"""


@pytest.fixture(scope="module")
def lab(smalti: Instance, admin: Person, wine: str) -> Iterator[Lab]:
    """A running workspace of the wine project."""
    tools_are_built(smalti)
    made = admin.json("workspaces", "create", wine, "--name", "desk")
    assert made["status"] == "Running", made
    yield Lab(smalti, "desk")
    admin.run("workspaces", "stop", "desk", "--wait")


def write(name: str, text: str) -> str:
    """Code that writes a file."""
    return f"from pathlib import Path; Path({name!r}).write_text({text!r})"


def read(name: str) -> str:
    """Code that prints a file."""
    return f"from pathlib import Path; print(Path({name!r}).read_text())"


def take(admin: Person) -> dict[str, Any]:
    """Have the files saved; give the snapshot."""
    listed = admin.json("workspaces", "snapshots", "desk", "--take")
    newest: dict[str, Any] = listed[0]
    return newest


async def test_run_as_job_runs_what_is_not_committed(lab: Lab, admin: Person) -> None:
    answers(lab)
    kernel = lab.kernel()
    mark = secrets.token_hex(8)
    await lab.run(kernel, write("mine.py", f"print('it is {mark}')"))
    code = """
import subprocess
words = ["smalti", "jobs", "run", "--json", ".", "--file", "mine.py"]
done = subprocess.run(words, capture_output=True, text=True)
print(done.stdout or done.stderr)
"""
    job = json.loads(await lab.run(kernel, code))
    assert job["ref"].startswith("snapshot "), job
    admin.run("jobs", "wait", f"wine#{job['number']}")
    assert f"it is {mark}" in admin.run("jobs", "logs", f"wine#{job['number']}").stdout
    files = f"/projects/{job['project_id']}/files"
    head = admin.smalti.client().get(files, params={"limit": 200}).json()["items"]
    assert "mine.py" not in [one["name"] for one in head], "the project itself is as it was"
    # From elsewhere too, by the workspace's name.
    job = admin.json("jobs", "run", "wine", "--workspace", "desk", "--file", "mine.py")
    admin.run("jobs", "wait", f"wine#{job['number']}")
    assert f"it is {mark}" in admin.run("jobs", "logs", f"wine#{job['number']}").stdout


def saved_clock(smalti: Instance, workspace_id: str) -> float:
    """What the newest snapshot's clock.txt says, by the platform's own files alone."""
    database = sqlite3.connect(smalti.home / "platform" / "platform.sqlite")
    where = 'SELECT "commit" FROM snapshots WHERE workspace_id = ? ORDER BY number DESC'
    [commit] = database.execute(where, (workspace_id,)).fetchone()
    database.close()
    store = smalti.home / "platform" / "snapshots" / f"{workspace_id}.git"
    command = ["git", f"--git-dir={store}", "show", f"{commit}:clock.txt"]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


async def test_of_what_was_worked_at_most_five_seconds_are_lost(lab: Lab, admin: Person) -> None:
    answers(lab)
    smalti = lab.smalti
    view = admin.json("workspaces", "show", "desk")
    await lab.run(lab.kernel(), WORK)
    smalti.wait(lambda: "clock.txt" in names_of(admin, view), 30, "the clock to be saved")
    before = saved_clock(smalti, view["id"])
    smalti.wait(lambda: saved_clock(smalti, view["id"]) > before + 3, 30, "some more work")
    doomed = [smalti.pid("supervisor"), *smalti.pids().values(), *shims(smalti, view)]
    for pid in dict.fromkeys(doomed):
        os.kill(pid, signal.SIGKILL)
    killed = time.time()
    # As if the plane's disk were lost too: only what the platform has counts.
    lost = killed - saved_clock(smalti, view["id"])
    print(f"{lost:.2f} s of work lost")
    assert lost < LOST_MOST
    smalti.up()
    answers(lab)
    # Here the disk is not lost, and the session was tried again on it.
    assert float(await lab.run(lab.kernel(), read("clock.txt"))) > killed - 1


def names_of(admin: Person, view: dict[str, Any]) -> list[str]:
    """The names of the files of the newest snapshot of a workspace."""
    client = admin.smalti.client()
    path = f"/workspaces/{view['id']}/snapshots"
    newest = client.get(path, params={"limit": 1}).json()["items"][0]
    found = client.get(f"{path}/{newest['number']}/files", params={"limit": 200}).json()
    return [one["name"] for one in found["items"]]


async def test_a_snapshot_is_put_back_once(lab: Lab, admin: Person) -> None:
    answers(lab)
    kernel = lab.kernel()
    await lab.run(kernel, write("train.py", "good") + "; " + write("new.txt", "good"))
    good = take(admin)
    await lab.run(kernel, write("train.py", "bad") + "; " + write("new.txt", "bad"))
    bad = take(admin)
    assert bad["number"] > good["number"]
    refused = admin.run("workspaces", "restore", "desk", str(good["number"]), expect=4)
    assert "stop it first" in refused.stderr
    stopped = admin.run("workspaces", "stop", "desk", "--wait").stderr.splitlines()
    assert sum("Stopped" in line for line in stopped) == 1, stopped
    admin.run("workspaces", "restore", "desk", str(good["number"]))
    admin.run("workspaces", "start", "desk")
    answers(lab)
    both = read("train.py") + "; " + read("new.txt")
    assert await lab.run(lab.kernel(), both) == "good\ngood\n"
    await lab.run(lab.kernel(), write("train.py", "newer"))
    view = admin.json("workspaces", "show", "desk")
    [shim] = shims(lab.smalti, view)
    os.kill(shim, signal.SIGKILL)
    lab.smalti.wait(lambda: list(shims(lab.smalti, view)) not in ([], [shim]), 60, "another try")
    answers(lab)
    assert await lab.run(lab.kernel(), both) == "newer\ngood\n", "not laid over newer work"
    admin.run("workspaces", "stop", "desk", "--wait")
    admin.run("workspaces", "start", "desk")
    answers(lab)
    assert await lab.run(lab.kernel(), both) == "newer\ngood\n"


async def test_a_snapshot_opens_beside(lab: Lab, admin: Person) -> None:
    answers(lab)
    kernel = lab.kernel()
    mark = secrets.token_hex(8)
    await lab.run(kernel, write("idea.txt", mark))
    number = str(take(admin)["number"])
    await lab.run(kernel, write("idea.txt", "something else"))
    admin.run("workspaces", "branch", "desk", number, "idea")
    admin.run("workspaces", "create", "wine", "--name", "beside", "--branch", "idea")
    beside = Lab(lab.smalti, "beside")
    answers(beside)
    assert await beside.run(beside.kernel(), read("idea.txt")) == f"{mark}\n"
    assert await lab.run(kernel, read("idea.txt")) == "something else\n"
    admin.run("workspaces", "stop", "beside", "--wait")

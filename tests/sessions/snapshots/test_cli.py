"""The command line on a real platform: snapshots listed, taken, opened, restored, run as a job."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

from services.core.routing import API
from tests.sessions.snapshots.conftest import Bench


async def smalti(live: Bench, *words: str, code: int = 0, **extra: str) -> Any:
    """Run the command line as the person, with --json; give what it printed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SMALTI_")}
    env = {**kept, "SMALTI_API_URL": live.house.origin + API, "SMALTI_TOKEN": live.token, **extra}
    at = words.index("--") if "--" in words else len(words)
    command = [sys.executable, "-m", "smalti", *words[:at], "--json", *words[at:]]
    done = await asyncio.to_thread(
        subprocess.run, command, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


async def test_snapshots_by_the_command_line(live: Bench) -> None:
    (live.project / "main.py").write_text("print('as it is')\n")
    os.mkfifo(live.project / "pipe")
    listed = await smalti(live, "workspaces", "snapshots", live.workspace_id, "--take")
    assert listed[0]["changed"] is True
    assert listed[0]["unsafe"] == ["pipe: not a file (a pipe, socket or device)"]
    number = str(listed[0]["number"])
    branch = await smalti(live, "workspaces", "branch", live.workspace_id, number, "idea")
    assert branch["commit"] == listed[0]["commit"]
    await smalti(live, "workspaces", "restore", live.workspace_id, number, code=4)
    await live.stop_session()
    asked = await smalti(live, "workspaces", "restore", live.workspace_id, number)
    assert asked["commit"] == listed[0]["commit"]


async def test_a_job_from_inside_a_workspace_runs_its_files(live: Bench) -> None:
    (live.project / "main.py").write_text("print('inside')\n")
    inside = {
        "SMALTI_PROJECT_ID": live.project_id,
        "SMALTI_WORKSPACE_ID": live.workspace_id,
        "SMALTI_RUN_ID": live.run_id,
    }
    job = await smalti(live, "jobs", "run", ".", "--file", "main.py", **inside)
    assert job["commit"] == (await live.snapshots())[0]["commit"]
    assert job["ref"].startswith("snapshot ")
    head = await smalti(live, "jobs", "run", ".", "--ref", live.commit, "--", "true", **inside)
    assert head["commit"] == live.commit
    named = await smalti(
        live, "jobs", "run", "ada/wine", "--workspace", live.workspace_id, "--snapshot", "1",
        "--", "true",
    )  # fmt: skip
    assert named["commit"] == live.commit

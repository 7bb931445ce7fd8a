"""Notebooks as jobs: what they print, what they leave, how they fail, and that they are stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from services.planes.agent.programs import NOTEBOOK_RUNNER
from services.planes.protocol import Outcome
from tests.planes.agent.conftest import make_order
from tests.planes.agent.control import Control
from tests.planes.agent.gitserver import GitServer
from tests.planes.agent.test_agent_process import AgentProcess


def notebook(*cells: str) -> bytes:
    """A notebook of code cells."""
    made: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    for number, source in enumerate(cells):
        made["cells"].append(
            {
                "cell_type": "code",
                "id": f"c{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        )
    return json.dumps(made).encode()


def command(environments: Path, file: str) -> list[str]:
    """The command line that a run of a notebook has."""
    return [str(environments / "default" / "1" / "bin" / "python"), str(NOTEBOOK_RUNNER), file]


def run(environments: Path, folder: Path, content: bytes) -> subprocess.CompletedProcess[str]:
    """Run a notebook as its job does."""
    (folder / "sub").mkdir()
    (folder / "sub" / "n.ipynb").write_bytes(content)
    env = {**os.environ, "SMALTI_OUTPUTS": str(folder / "outputs"), "HOME": str(folder)}
    return subprocess.run(
        command(environments, "sub/n.ipynb"),
        cwd=folder,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_failing_cell_ends_the_notebook_and_what_ran_is_kept(
    environments: Path, tmp_path: Path
) -> None:
    cells = ("print('one')", "import os", "41 + 1", "1 / 0", "print('never')")
    done = run(environments, tmp_path, notebook(*cells))
    assert done.returncode == 1
    lines = done.stdout.split("\n")
    assert lines[:2] == ["[cell 1/5] print('one')", "one"]
    assert lines[2:5] == ["[cell 2/5] import os", "[cell 3/5] 41 + 1", "42"]
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert "\x1b[" not in done.stderr
    assert "never" not in done.stdout
    assert "ZeroDivisionError" in (tmp_path / "outputs" / "n.html").read_text()
    kept = json.loads((tmp_path / "outputs" / "n.ipynb").read_text())
    assert kept["cells"][0]["outputs"][0]["text"] in ("one\n", ["one\n"])


def test_file_that_is_no_notebook(environments: Path, tmp_path: Path) -> None:
    done = run(environments, tmp_path, b"not json")
    assert done.returncode == 1
    assert "is not a notebook" in done.stderr


async def test_stopped_notebook_leaves_what_ran(environments: Path, tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_bytes(
        notebook("print('ready')", "import time; print('waiting', flush=True); time.sleep(60)")
    )
    env = {**os.environ, "SMALTI_OUTPUTS": str(tmp_path / "outputs"), "HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        *command(environments, "n.ipynb"), cwd=tmp_path, env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while await process.stdout.readline() != b"waiting\n":
            pass
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode != 0
    kept = json.loads((tmp_path / "outputs" / "n.ipynb").read_text())
    assert kept["cells"][0]["outputs"]


async def test_notebook_in_a_real_run(
    environments: Path, tmp_path: Path, control: Control, git: GitServer
) -> None:
    (tmp_path / "environments").symlink_to(environments)
    git.create("proj")
    content = notebook("import os\nprint(os.environ['SMALTI_PROJECT'])", "open('data.txt').read()")
    commit = git.commit("proj", {"nb/n.ipynb": content, "nb/data.txt": b"data of mine"})
    process = AgentProcess(tmp_path, control)
    await process.start()
    try:
        await control.run("w1", make_order(commit, file="nb/n.ipynb"))
        final = await control.final("w1", timeout=60)
        assert final.outcome is Outcome.SUCCEEDED, control.log("w1")
        assert b"ada/proj" in control.log("w1")
        assert b"data of mine" in control.log("w1")
        assert set(control.outputs["w1", 1]) == {"n.ipynb", "n.html"}
    finally:
        await process.end(signal.SIGTERM)

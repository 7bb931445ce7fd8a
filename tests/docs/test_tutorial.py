"""The tutorial, followed to the letter from the login on, as a person with a terminal does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import read
from tests.instance import Instance

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.S | re.M)


def environment(smalti: Instance, folder: Path) -> dict[str, str]:
    """A person's terminal: a home of their own, our programs on the path, a name for git."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "SMALTI_HOME": str(smalti.home),
    }


@pytest.mark.timeout(300)
def test_tutorial_does_what_it_says(smalti: Instance, tmp_path: Path) -> None:
    section = read("docs/tutorial/first-job.md").split("## 3. Make a project")[1]
    blocks = BLOCK.findall(section)
    assert len(blocks) >= 6
    log_in = f"echo '{smalti.password}' | smalti login {smalti.url} --user admin --password-stdin"
    name = "git config --global user.name Ada; git config --global user.email ada@example.org"
    script = "\necho '-----'\n".join(["set -euo pipefail", f"{name}\n{log_in}", *blocks])
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment(smalti, tmp_path), check=False,
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    parts = done.stdout.split("-----\n")
    said = dict(zip(["before", "login", "project", "run", "outputs"], parts, strict=False))
    assert "20 of 200 trees, out-of-bag" in said["run"]
    assert "accuracy 0.9" in said["run"]
    for file in ("metrics.json", "confusion.png", "model.skops"):
        assert file in said["outputs"]
    assert "400 of 400 trees" in done.stdout
    with smalti.client() as client:
        project = client.get("/projects", params={"name": "wine"}).json()["items"][0]["id"]
        jobs = client.get("/jobs", params={"project_id": project}).json()["items"]
    found = {job["number"]: job for job in jobs}
    assert found[1]["commit"] == found[3]["commit"] != found[2]["commit"]
    assert found[4]["target"] == "stopped"

"""The API page's own commands, run as they stand there against a real instance."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import read
from tests.instance import Instance


@pytest.mark.timeout(240)
def test_commands_of_the_api_page_do_what_it_says(smalti: Instance, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (apt-get install curl)")
    page = read("docs/reference/api.md")
    section = page.split("## A job from beginning to end")[1].split("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.S | re.M)
    script = "set -euo pipefail\n" + "\necho '-----'\n".join(blocks)
    script, changed = re.subn(r"^API=.*$", f"API={smalti.api}", script, flags=re.M)
    script, given = re.subn(r"^TOKEN=.*$", f"TOKEN={smalti.token()}", script, flags=re.M)
    assert (changed, given) == (1, 1)

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=200,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    _, began, ran, results, stopped, ends = done.stdout.split("-----\n")
    assert json.loads(began)["name"] == "admin"
    assert "event: log" in ran
    assert "event: end" in ran
    assert "\nSucceeded\n" in ran
    assert "200 of 200 trees, out-of-bag" in ran
    assert "model.skops" in results
    assert '"accuracy": 0.9' in results
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert stopped.strip() == "stopped"
    assert len(json.loads('{"items":' + ends.rsplit('{"items":', 1)[1])["items"]) == 2

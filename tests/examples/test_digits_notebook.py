"""The digits notebook, executed for real as a notebook job does it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

EXAMPLE = "digits-notebook"


def execute(
    python: Path, example: Path, environment: dict[str, str], form: str
) -> subprocess.CompletedProcess[str]:
    outputs = environment["SMALTI_OUTPUTS"]
    command = [str(python), "-m", "nbconvert", "--to", form, "--output-dir", outputs]
    command += [f"{outputs}/digits.ipynb"] if form == "html" else ["--execute", "digits.ipynb"]
    return subprocess.run(  # noqa: PLW1510 (the exit code is what is tested)
        command, cwd=example, env=environment, capture_output=True, text=True, timeout=60
    )


def test_notebook_is_kept_without_results(example: Path) -> None:
    notebook: dict[str, Any] = json.loads((example / "digits.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert [cell["id"] for cell in code if "parameters" in cell["metadata"].get("tags", [])] == [
        "parameters"
    ]


def test_executed_notebook_and_page_hold_true_results(
    locked_python: Path, example: Path, run_environment: dict[str, str], tmp_path: Path
) -> None:
    run_environment["DIGITS_TEST_SIZE"] = "0.5"
    done = execute(locked_python, example, run_environment, "notebook")
    assert done.returncode == 0, done.stderr
    outputs = tmp_path / "outputs"
    metrics = json.loads((outputs / "metrics.json").read_text())
    assert metrics["train_rows"] + metrics["test_rows"] == 1797
    assert metrics["test_rows"] == 899
    assert 0.95 < metrics["accuracy"] < 1
    assert metrics["accuracy"] == 1 - metrics["wrong"] / metrics["test_rows"]

    executed = json.loads((outputs / "digits.ipynb").read_text())
    cells = {cell["id"]: cell for cell in executed["cells"]}
    assert f"{metrics['accuracy']:.1%} of the test digits are right" in str(cells["learn"])
    for drawn in ("some-digits", "confusion", "mistakes"):
        assert any("image/png" in output.get("data", {}) for output in cells[drawn]["outputs"])

    done = execute(locked_python, example, run_environment, "html")
    assert done.returncode == 0, done.stderr
    page = (outputs / "digits.html").read_text()
    assert len(re.findall(r"<img[^>]+data:image/png;base64,", page)) == 3


def test_wrong_parameter_stops_the_notebook_with_a_reason(
    locked_python: Path, example: Path, run_environment: dict[str, str], tmp_path: Path
) -> None:
    run_environment["DIGITS_GAMMA"] = "0"
    done = execute(locked_python, example, run_environment, "notebook")
    assert done.returncode == 1
    assert "DIGITS_GAMMA must be between 1e-05 and 1.0, and is 0" in done.stderr
    assert not (tmp_path / "outputs" / "metrics.json").exists()

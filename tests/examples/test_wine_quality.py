"""The wine-quality example, run for real; its results are checked against an own prediction."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

EXAMPLE = "wine-quality"

# Runs in the locked environment: reads the results back and says what it finds.
CHECK = """
import json, sys
import matplotlib.image
import skops.io
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
folder = sys.argv[1]
path = folder + "/model.skops"
types = skops.io.get_untrusted_types(file=path)
model = skops.io.load(path, trusted=["sklearn.tree._tree.Tree"])
wine = load_wine()
_, rows, _, labels = train_test_split(
    wine.data, wine.target, test_size=0.25, random_state=7, stratify=wine.target)
picture = matplotlib.image.imread(folder + "/confusion.png")
colours = {tuple(pixel) for pixel in picture.reshape(-1, picture.shape[2])[::7].tolist()}
print(json.dumps({"types": types, "trees": len(model.estimators_),
    "accuracy": float((model.predict(rows) == labels).mean()),
    "shape": picture.shape, "colours": len(colours)}))
"""


def train(
    python: Path, example: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [str(python), "train.py", *arguments]
    return subprocess.run(  # noqa: PLW1510 (the exit code is what is tested)
        command, cwd=example, env=environment, capture_output=True, text=True, timeout=60
    )


def test_train_leaves_true_results(
    locked_python: Path, example: Path, run_environment: dict[str, str], tmp_path: Path
) -> None:
    done = train(locked_python, example, run_environment, "--trees", "60")
    assert done.returncode == 0, done.stderr
    scores = re.findall(r"^ *(\d+) of 60 trees, out-of-bag (0\.\d+|1\.0+)$", done.stdout, re.M)
    assert [int(size) for size, _ in scores] == [6, 12, 18, 24, 30, 36, 42, 48, 54, 60]

    outputs = tmp_path / "outputs"
    assert sorted(file.name for file in outputs.iterdir()) == [
        "confusion.png",
        "metrics.json",
        "model.skops",
    ]
    metrics = json.loads((outputs / "metrics.json").read_text())
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert (metrics["trees"], metrics["train_rows"], metrics["test_rows"]) == (60, 133, 45)
    assert 0.9 < metrics["accuracy"] <= 1
    assert 0.9 < metrics["out_of_bag_accuracy"] <= 1
    assert f"accuracy {metrics['accuracy']:.3f}" in done.stdout

    checked = subprocess.run(
        [str(locked_python), "-c", CHECK, str(outputs)],
        env=run_environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    found = json.loads(checked.stdout)
    assert found["types"] == ["sklearn.tree._tree.Tree"]
    assert found["trees"] == 60
    assert found["accuracy"] == pytest.approx(metrics["accuracy"])
    assert min(found["shape"][:2]) > 500
    assert found["colours"] > 10


def test_same_arguments_give_same_metrics_and_picture(
    locked_python: Path, example: Path, run_environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("first", "second"):
        run_environment["SMALTI_OUTPUTS"] = str(tmp_path / name)
        assert train(locked_python, example, run_environment, "--trees", "3").returncode == 0
    for file in ("metrics.json", "confusion.png"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_outputs_go_beside_the_program_when_no_folder_is_named(
    locked_python: Path, example: Path, run_environment: dict[str, str]
) -> None:
    del run_environment["SMALTI_OUTPUTS"]
    done = train(locked_python, example, run_environment, "--trees", "1")
    assert done.returncode == 0, done.stderr
    assert (example / "outputs" / "metrics.json").exists()


WRONG = {
    "--trees 0": "argument --trees: 0 is not between 1 and 5000",
    "--trees many": "argument --trees: 'many' is not a whole number",
    "--test-size 1.5": "argument --test-size: 1.5 is not between 0.05 and 0.5",
    "--test-size nan": "argument --test-size: nan is not between 0.05 and 0.5",
    "--seed -1": "argument --seed: -1 is not between 0 and 4294967295",
    "--tree-count 3": "unrecognized arguments: --tree-count 3",
}

# All in one process: most of a run's time goes into its imports.
TRY_EACH = """
import contextlib, io, json, sys, train
found = {}
for line in json.loads(sys.argv[1]):
    sys.argv = ["train.py", *line.split()]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            code = train.main()
        except SystemExit as end:
            code = end.code
    found[line] = [code, said.getvalue()]
print(json.dumps(found))
"""


def test_wrong_argument_ends_with_code_2_and_a_reason(
    locked_python: Path, example: Path, run_environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [str(locked_python), "-c", TRY_EACH, json.dumps(list(WRONG))],
        cwd=example, env=run_environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    for line, (code, said) in json.loads(done.stdout).items():
        assert code == 2, line
        assert WRONG[line] in said
    assert not (tmp_path / "outputs").exists()


def test_wrong_argument_of_the_program_itself_ends_it_with_code_2(
    locked_python: Path, example: Path, run_environment: dict[str, str]
) -> None:
    done = train(locked_python, example, run_environment, "--trees", "0")
    assert done.returncode == 2
    assert done.stderr.endswith("argument --trees: 0 is not between 1 and 5000\n")

"""Train a random forest that tells three wines apart by their chemistry.

Run it by hand or as a job: `python train.py --trees 200`. It leaves `metrics.json`,
`confusion.png` and `model.skops` in the folder that `SMALTI_OUTPUTS` names, or in `./outputs`.
Where `MLFLOW_TRACKING_URI` says where to log, as it does for every job, it also logs parameters,
metrics, the picture and the model there, and registers the model as `wine-quality`.
The same arguments give the same metrics and the same picture. Bad arguments end it with code 2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # a job has no screen

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import skops.io
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss
from sklearn.model_selection import train_test_split

STEPS = 10
MOST_TREES = 5_000
MODEL = "wine-quality"
# What serves the model needs these, at the versions it was made with.
NEEDED = ["mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops"]
# Of what the saved forest is made beyond plain data; whoever reads it must name this type.
TRUSTED = ["sklearn.tree._tree.Tree"]


def whole_number(low: int, high: int) -> type[int]:
    """Make an argparse type that takes whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return parse  # type: ignore[return-value]


def share(text: str) -> float:
    """Read a share between 0.05 and 0.5."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0.05 <= value <= 0.5:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.05 and 0.5")
    return value


def read_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; a wrong value ends the program with code 2."""
    parser = argparse.ArgumentParser(description="Train a random forest on the wine data.")
    parser.add_argument("--trees", type=whole_number(1, MOST_TREES), default=200)
    parser.add_argument("--max-depth", type=whole_number(1, 1000), default=None)
    parser.add_argument("--test-size", type=share, default=0.25)
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=7)
    return parser.parse_args(argv)


def stages(trees: int) -> list[int]:
    """Split the growing of a forest into at most `STEPS` stages: its size after each."""
    return sorted({max(1, round(trees * step / STEPS)) for step in range(1, STEPS + 1)})


def grow(
    forest: RandomForestClassifier, rows: pd.DataFrame, labels: pd.Series, trees: int
) -> Iterator[tuple[int, float]]:
    """Fit the forest in stages; yield its size and its out-of-bag accuracy after each."""
    for size in stages(trees):
        forest.set_params(n_estimators=size)
        with warnings.catch_warnings():
            # With few trees some rows are in every bag; their score then counts as wrong.
            warnings.filterwarnings("ignore", message="Some inputs do not have OOB scores")
            forest.fit(rows, labels)
        yield size, float(forest.oob_score_)


def draw_confusion(counts: np.ndarray, names: list[str], accuracy: float, path: Path) -> None:
    """Draw the confusion matrix as a PNG."""
    figure, axes = plt.subplots(figsize=(5.6, 5.2), dpi=150, layout="constrained")
    axes.imshow(counts, cmap="GnBu", vmin=0, vmax=max(1, counts.max()))
    for row, column in np.ndindex(*counts.shape):
        value = int(counts[row, column])
        dark = value > counts.max() * 0.55
        axes.text(
            column, row, str(value), ha="center", va="center", fontsize=16,
            color="white" if dark else "#9aa5ad" if value == 0 else "#1f2d36",
        )  # fmt: skip
    ticks = range(len(names))
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names, rotation=90, va="center")
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(which="minor", color="white", linewidth=3)
    axes.tick_params(which="both", length=0, colors="#44525c")
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted wine", labelpad=10, color="#44525c")
    axes.set_ylabel("true wine", labelpad=10, color="#44525c")
    title = f"{np.trace(counts)} of {counts.sum()} test wines right ({accuracy:.1%})"
    axes.set_title(title, loc="left", pad=14, fontsize=12, color="#1f2d36")
    figure.savefig(path)
    plt.close(figure)


def log_to_mlflow(
    arguments: argparse.Namespace,
    scores: dict[int, float],
    metrics: dict[str, float],
    forest: RandomForestClassifier,
    rows: pd.DataFrame,
) -> None:
    """Log the run and register the model; where, MLFLOW_* in the environment say."""
    import mlflow
    from mlflow.entities import Metric
    from mlflow.models import infer_signature

    outputs = Path(os.environ.get("SMALTI_OUTPUTS") or "outputs")
    with mlflow.start_run() as run:
        mlflow.log_params(vars(arguments))
        # One request for all of them; one by one, each would wait for the one before.
        now = int(time.time() * 1000)
        history = [Metric("out_of_bag_accuracy", v, now, size) for size, v in scores.items()]
        others = [Metric(k, v, now, 0) for k, v in metrics.items() if k != "out_of_bag_accuracy"]
        mlflow.MlflowClient().log_batch(run.info.run_id, [*history, *others])
        mlflow.log_artifact(str(outputs / "confusion.png"))
        mlflow.sklearn.log_model(
            forest,
            name="model",
            signature=infer_signature(rows, forest.predict(rows)),
            input_example=rows.head(2),
            serialization_format="skops",
            skops_trusted_types=TRUSTED,
            pip_requirements=[f"{name}=={version(name)}" for name in NEEDED],
            registered_model_name=MODEL,
        )


def main() -> int:
    """Train, measure, and leave the results in the outputs folder."""
    arguments = read_arguments()
    outputs = Path(os.environ.get("SMALTI_OUTPUTS") or "outputs")
    outputs.mkdir(parents=True, exist_ok=True)

    wine = load_wine(as_frame=True)
    train_rows, test_rows, train_labels, test_labels = train_test_split(
        wine.data, wine.target,
        test_size=arguments.test_size, random_state=arguments.seed, stratify=wine.target,
    )  # fmt: skip
    print(f"{len(train_rows)} wines to learn from, {len(test_rows)} to test on", flush=True)

    forest = RandomForestClassifier(
        max_depth=arguments.max_depth, random_state=arguments.seed, oob_score=True, warm_start=True
    )
    scores: dict[int, float] = {}
    out_of_bag = 0.0
    for size, out_of_bag in grow(forest, train_rows, train_labels, arguments.trees):
        scores[size] = out_of_bag
        print(f"{size:>6} of {arguments.trees} trees, out-of-bag {out_of_bag:.3f}", flush=True)

    predicted = forest.predict(test_rows)
    metrics = {
        "accuracy": accuracy_score(test_labels, predicted),
        "f1_macro": f1_score(test_labels, predicted, average="macro"),
        "log_loss": log_loss(test_labels, forest.predict_proba(test_rows)),
        "out_of_bag_accuracy": out_of_bag,
        "trees": arguments.trees,
        "train_rows": len(train_rows),
        "test_rows": len(test_rows),
    }
    (outputs / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    names = [str(name).replace("class_", "wine ") for name in wine.target_names]
    counts = confusion_matrix(test_labels, predicted)
    draw_confusion(counts, names, metrics["accuracy"], outputs / "confusion.png")
    # skops rather than pickle or joblib: reading the file back cannot run code hidden in it.
    skops.io.dump(forest, outputs / "model.skops", compression=zipfile.ZIP_DEFLATED)
    if os.environ.get("MLFLOW_TRACKING_URI"):
        log_to_mlflow(arguments, scores, metrics, forest, test_rows)
    print(f"accuracy {metrics['accuracy']:.3f}; the results are in the outputs", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What experiments bring to a platform process: the way to MLflow, and its health."""

from __future__ import annotations

import os

from services.core.health import Health, Status
from services.core.settings import has_experiments
from services.core.work import Context
from services.experiments.runtime import Mlflow


def provide(context: Context) -> None:
    """Put in the way to MLflow; say how it is."""
    mlflow = context.provide(Mlflow, Mlflow(context.settings))
    context.closing.append(mlflow.close)

    async def ask() -> tuple[Status, str]:
        there = await mlflow.health()
        return ("ok", "MLflow") if there else ("failed", "MLflow does not answer")

    if has_experiments(os.environ):
        context.get(Health).add("experiments", ask)

"""`python -m services.experiments.gateway.migrate`: bring MLflow's database to this MLflow.

Run by the supervisor in the set-up part of a start, when another MLflow wrote the database and
no process uses it. The process `experiments` does the same at its own start, for a database that
is new, or that had no set-up (a process started by hand).
"""

from __future__ import annotations

import os
import sys

from services.core.settings import load_settings
from services.experiments.gateway import mlflow_wiring
from services.experiments.gateway.mlflow_wiring import NewerDatabase

EX_CONFIG = 78  # sysexits.h: trying again without a change is of no use


def main() -> int:
    """Migrate; say in one line what is in the way."""
    settings = load_settings()
    os.environ.update(mlflow_wiring.environment(settings))
    try:
        mlflow_wiring.migrate(settings)
    except NewerDatabase as error:
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor passes this line on
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())

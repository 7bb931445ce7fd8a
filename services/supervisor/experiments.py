"""MLflow's database, moved on after an update, before anything starts that uses it.

Called by `up`. Which MLflow wrote the database is read from a file beside it, so that a start
without an update costs nothing: MLflow itself takes seconds to load. A database that is not
there yet is made by the process `experiments`, beside the others: nobody has to wait for it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import metadata

from services.supervisor import records
from services.supervisor.home import Home, SupervisorError, read_json
from services.supervisor.processes import child_environment

SCHEMA = ("experiments", "schema.json")
SECONDS = 1800.0  # a large database may take its time


def bring_up_to_date(home: Home, say: Callable[[str], None]) -> None:
    """Migrate MLflow's database if another MLflow wrote it. Raises SupervisorError."""
    installed = metadata.version("mlflow")
    written = (read_json(home.path(*SCHEMA)) or {}).get("mlflow")
    if written == installed:
        return
    if written is None and not home.path("experiments", "mlflow.sqlite").exists():
        return
    left = records.load(home, "experiments")
    if left is not None and left.alive:
        return  # it is started anew with the new code, and does it then
    say(f"Bringing the experiments' database to MLflow {installed}; a copy goes to backups/")
    done = subprocess.run(
        [sys.executable, "-m", "services.experiments.gateway.migrate"],
        env=child_environment(home), capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        home.log("experiments").write_text(done.stdout + done.stderr)
        lines = done.stderr.strip().splitlines() or ["it did not say why"]
        raise SupervisorError(f"{lines[-1]} (All of it: {home.log('experiments')})")

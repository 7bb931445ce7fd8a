"""A Smalti with MLflow, two people and a project of each; started once for a whole test run.

Used through the fixture `experiments` (tests/conftest.py). `run_client` runs a program with the
unmodified `mlflow` client; `as_` gives plain HTTP for what no client would send.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from services.core.settings import Settings
from services.workloads.tokens import secret_of
from tests.instance import EVERY_PROCESS, Instance

MLFLOW = "/services/mlflow"


class Lab:
    """The instance, and who is in it: ada owns `mine`, bob owns `theirs`."""

    def __init__(self, folder: Path) -> None:
        self.smalti = Instance(folder, processes=EVERY_PROCESS)
        self.smalti.home.mkdir(mode=0o700)
        (self.smalti.home / "smalti_config.py").write_text("c.Settings.auth_cache = 1.0\n")

    def start(self) -> None:
        """Start it and make what is in it."""
        self.smalti.__enter__()
        self.smalti.wait_ready("experiments", seconds=100)
        self.tokens = {name: self.smalti.add_person(name) for name in ("ada", "bob")}
        self.mine = self.project("ada", "wine", example="wine-quality")
        self.theirs = self.project("bob", "secret")

    def project(self, person: str, name: str, **more: str) -> str:
        """Make a project; return its id."""
        with self.smalti.client(person) as client:
            answer = client.post("/projects", json={"name": name, **more})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

    def as_(self, person: str, workspace: str | None = None, **headers: str) -> httpx.Client:
        """Return a client of MLflow's routes that acts for a person."""
        sent = {"Authorization": f"Bearer {self.tokens[person]}", **headers}
        if workspace is not None:
            sent["X-MLFLOW-WORKSPACE"] = workspace
        return httpx.Client(base_url=f"{self.smalti.url}{MLFLOW}", headers=sent, timeout=60)

    def as_run(self, job_id: str, **headers: str) -> httpx.Client:
        """Return a client that acts for a running job, by the job's own token."""
        token = secret_of(Settings(home=str(self.smalti.home)), job_id, 1)
        sent = {"Authorization": f"Bearer {token}", **headers}
        return httpx.Client(base_url=f"{self.smalti.url}{MLFLOW}", headers=sent, timeout=60)

    def start_job(self, person: str, project_id: str, **what: Any) -> str:
        """Start a job; return its id."""
        with self.smalti.client(person) as client:
            answer = client.post("/jobs", json={"project_id": project_id, **what})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

    def wait_for(self, person: str, job_id: str, *statuses: str, seconds: float = 100) -> Any:
        """Wait until a job has one of these states; return it."""
        with self.smalti.client(person) as client:
            seen: dict[str, Any] = {}

            def there() -> bool:
                seen.update(client.get(f"/jobs/{job_id}").json())
                return seen["status"] in statuses

            self.smalti.wait(there, seconds, f"job to be {statuses}")
            return seen

    def new_run(self, person: str, workspace: str, **body: Any) -> tuple[str, str]:
        """Make an experiment's run by HTTP; return the run's and the experiment's id."""
        with self.as_(person, workspace) as client:
            found = client.post("/api/2.0/mlflow/experiments/search", json={"max_results": 10})
            experiment = found.json()["experiments"][0]["experiment_id"]
            made = client.post(
                "/api/2.0/mlflow/runs/create", json={"experiment_id": experiment, **body}
            )
            assert made.status_code == 200, made.text
            return made.json()["run"]["info"]["run_id"], experiment

    def variables(self, token: str, workspace: str | None, name: str = "wine") -> dict[str, str]:
        """What the unmodified client is told."""
        return {
            "MLFLOW_TRACKING_URI": f"{self.smalti.url}{MLFLOW}",
            "MLFLOW_TRACKING_TOKEN": token,
            "MLFLOW_EXPERIMENT_NAME": name,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "9",
            "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
            "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
            "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
            **({"MLFLOW_WORKSPACE": workspace} if workspace else {}),
        }

    def run_client(
        self, program: str, variables: Mapping[str, str], folder: Path, seconds: float = 110
    ) -> Any:
        """Run a program with the client; return the JSON of its last line."""
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG")}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**kept, "HOME": str(folder), **variables},
            cwd=folder, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

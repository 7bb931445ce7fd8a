"""P10: MLflow through the gate, beside bare MLflow of the same version, workers and store.

Both are one process with SQLite and a folder, workspaces on; one client; the calls are made in
turn. The gate's side checks a token and a project at each call and writes provenance.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from services.core.settings import Settings
from services.experiments.gateway import mlflow_wiring
from tests.benchmarks.rows import Row, median_ratio
from tests.instance import EVERY_PROCESS, Instance, free_port

ROUNDS = 7
LEAST = 0.8
ARTIFACT = os.urandom(10 << 20)
MIGRATE = """
import sys
from services.core.settings import Settings
from services.experiments.gateway import mlflow_wiring
mlflow_wiring.migrate(Settings(home=sys.argv[1]))
"""
V2 = "/api/2.0/mlflow"


class Side:
    """One MLflow, with an experiment to log to."""

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self.http = httpx.Client(base_url=base, headers=headers, timeout=60)
        name = f"bench {time.time_ns()}"
        made = self.post("/experiments/create", {"name": name})
        self.experiment = made["experiment_id"]
        self.run_id = self.create_run()
        self.files = 0

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.http.post(V2 + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create_run(self) -> str:
        body = {"experiment_id": self.experiment, "start_time": int(time.time() * 1000)}
        return str(self.post("/runs/create", body)["run"]["info"]["run_id"])

    def log_batch(self) -> None:
        now = int(time.time() * 1000)
        metrics = [{"key": f"m{i}", "value": i, "timestamp": now, "step": now} for i in range(100)]
        self.post("/runs/log-batch", {"run_id": self.run_id, "metrics": metrics})

    def search(self) -> None:
        body = {"experiment_ids": [self.experiment], "max_results": 50}
        self.post("/runs/search", body)

    def artifact(self) -> None:
        self.files += 1
        path = f"/api/2.0/mlflow-artifacts/artifacts/{self.experiment}/{self.run_id}/{self.files}"
        assert self.http.put(path, content=ARTIFACT).status_code == 200
        assert len(self.http.get(path).content) == len(ARTIFACT)


class Bare:
    """MLflow's own application under uvicorn, with the settings that ours has."""

    def __init__(self, folder: Path) -> None:
        (folder / "experiments").mkdir()
        settings = Settings(home=str(folder))
        self.port = free_port()
        told = {**mlflow_wiring.environment(settings), "MLFLOW_SERVER_ALLOWED_HOSTS": "*"}
        (folder / "experiments" / "tmp").mkdir()
        # Its database is made as ours is: also with SQLite's log of writes.
        migrate = [sys.executable, "-c", MIGRATE, str(folder)]
        subprocess.run(migrate, check=True, capture_output=True)
        command = ["uvicorn", "mlflow.server.fastapi_app:app", "--log-level", "warning"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", str(self.port), "--workers", "1"],
            env={**os.environ, **told}, cwd=folder,
        )  # fmt: skip

    def __enter__(self) -> str:
        base = f"http://127.0.0.1:{self.port}"
        end_by = time.monotonic() + 90
        while time.monotonic() < end_by:
            try:
                if httpx.get(f"{base}/health", timeout=2).status_code == 200:
                    return base
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError("bare MLflow did not answer")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(30)


def rate(call: Callable[[], Any], count: int) -> float:
    """Calls a second."""
    began = time.perf_counter()
    for _ in range(count):
        call()
    return count / (time.perf_counter() - began)


def run() -> list[Row]:
    """Measure, in turn, on an instance of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as beside,
        Instance(Path(folder), processes=EVERY_PROCESS) as smalti,
        Bare(Path(beside)) as bare,
    ):
        smalti.wait_ready("experiments", seconds=100)
        with smalti.client() as client:
            project = client.post("/projects", json={"name": "bench"}).json()["id"]
        headers = {**smalti.bearer(), "X-MLFLOW-WORKSPACE": project}
        gate = f"http://127.0.0.1:{smalti.ports()['experiments']}/services/mlflow"
        ours, theirs = Side(gate, headers), Side(bare, {})
        rows = []
        for what, name, count in (
            ("create-run", "create_run", 60),
            ("log-batch of 100 metrics", "log_batch", 40),
            ("search of 50 runs", "search", 20),
            ("artifact of 10 MB, up and down", "artifact", 5),
        ):
            mine, others = [], []
            for _ in range(ROUNDS + 1):
                mine.append(rate(getattr(ours, name), count))
                others.append(rate(getattr(theirs, name), count))
            share = median_ratio(mine[1:], others[1:])  # the first round warms up
            rows.append(
                Row("P10", what, f"{statistics.median(mine[1:]):.1f}/s",
                    f"bare MLflow: {statistics.median(others[1:]):.1f}/s",
                    f"at least {LEAST}: {share:.2f}", share >= LEAST)
            )  # fmt: skip
        return rows

"""The unmodified `mlflow` client against the real process, as a laptop and as a job use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.experiments.lab import Lab

FLOWS = """
import json, pathlib, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn.linear_model import LogisticRegression
client, found = MlflowClient(), {}
rows = pd.DataFrame(np.random.default_rng(1).random((60, 3)), columns=["a", "b", "c"])
labels = (rows["a"] > 0.5).astype(int)

mlflow.sklearn.autolog(log_models=False)
with mlflow.start_run(run_name="auto") as run:
    model = LogisticRegression().fit(rows, labels)
found["autolog"] = sorted(client.get_run(run.info.run_id).data.metrics)[:1]
mlflow.sklearn.autolog(disable=True)

with mlflow.start_run(tags={"smalti.job_id": "forged"}) as run:
    id_ = run.info.run_id
    client.log_batch(id_, [Metric(f"m{i}", i, 0, 0) for i in range(100)], [Param("p", "1")],
                     [RunTag("mine", "1"), RunTag("smalti.commit", "forged")])
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("grüße", "notes/ä b.txt")
    pathlib.Path("big.bin").write_bytes(b"x" * 3_000_000)
    mlflow.log_artifact("big.bin")
    mlflow.log_dict({"a": 1}, "d.json")
    mlflow.log_input(mlflow.data.from_pandas(rows, name="rows"))
    info = mlflow.sklearn.log_model(model, name="model", registered_model_name="tiny",
        serialization_format="cloudpickle", pip_requirements=["scikit-learn"],
        signature=mlflow.models.infer_signature(rows, labels))
data = client.get_run(id_).data
found["tags"] = {k: v for k, v in data.tags.items() if not k.startswith("mlflow.s")}
found["metrics"] = len(data.metrics)
found["history"] = [round(m.value, 2) for m in client.get_metric_history(id_, "loss")]
found["text"] = mlflow.artifacts.load_text(f"runs:/{id_}/notes/ä b.txt")
found["files"] = sorted(f.path for f in client.list_artifacts(id_))
big = mlflow.artifacts.download_artifacts(f"runs:/{id_}/big.bin")
found["size"] = pathlib.Path(big).stat().st_size
client.set_registered_model_alias("tiny", "champion", "1")
client.set_model_version_tag("tiny", "1", "checked", "yes")
version = client.get_model_version_by_alias("tiny", "champion")
found["version"] = [version.version, version.source == info.model_uri, version.run_id == id_]
found["predicted"] = len(mlflow.pyfunc.load_model("models:/tiny@champion").predict(rows))
found["logged"] = len(mlflow.search_logged_models(output_format="list"))
found["runs"] = len(mlflow.search_runs(filter_string="params.p = '1'"))
found["models"] = [m.name for m in client.search_registered_models("name LIKE 'ti%'")]

@mlflow.trace
def add(x):
    return x + 1
add(1)
trace = mlflow.search_traces(return_type="list")[0]
found["trace"] = [trace.info.tags["smalti.person"], len(trace.data.spans)]
mlflow.set_trace_tag(trace.info.trace_id, "good", "yes")
mlflow.log_feedback(trace_id=trace.info.trace_id, name="ok", value=True)
found["experiment"] = mlflow.get_experiment_by_name("wine").name
client.delete_run(id_); client.restore_run(id_)
print(json.dumps(found))
"""


def test_the_whole_client_works_from_a_laptop(experiments: Lab, tmp_path: Path) -> None:
    variables = experiments.variables(experiments.tokens["ada"], experiments.mine)
    found = experiments.run_client(FLOWS, variables, tmp_path)
    assert found["autolog"] == ["training_accuracy_score"]
    assert found["tags"] == {
        "mine": "1", "mlflow.user": "ada", "smalti.person": "ada", "smalti.project": "ada/wine",
        "mlflow.runName": found["tags"]["mlflow.runName"],
    } | {k: v for k, v in found["tags"].items() if k.startswith("mlflow.log")}  # fmt: skip
    assert found["metrics"] == 101
    assert found["history"] == [1.0, 0.5, 0.33]
    assert found["text"] == "grüße"
    assert found["files"] == ["big.bin", "d.json", "notes"]
    assert found["size"] == 3_000_000
    assert found["version"] == ["1", True, True]
    assert found["predicted"] == 60
    assert found["logged"] == found["runs"] == 1
    assert found["models"] == ["tiny"]
    assert found["trace"] == ["ada", 1]
    assert found["experiment"] == "wine"


ONLY = """
import json, mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("m", 1)
print(json.dumps(mlflow.get_run(run.info.run_id).data.tags["smalti.project"]))
"""


def test_without_a_workspace_the_only_project_is_meant(experiments: Lab, tmp_path: Path) -> None:
    variables = experiments.variables(experiments.tokens["bob"], None, "secret")
    assert experiments.run_client(ONLY, variables, tmp_path) == "bob/secret"


LOOP = """
import sys, mlflow
with mlflow.start_run() as run:
    print(run.info.run_id, flush=True)
    for step in range(100000):
        mlflow.log_metric("step", step, step=step)
        print(step, flush=True)
        if step >= 400:
            break
"""


@pytest.mark.timeout(180)
def test_killed_in_the_middle_nothing_acknowledged_is_lost(
    experiments: Lab, tmp_path: Path
) -> None:
    smalti = experiments.smalti
    variables = experiments.variables(experiments.tokens["ada"], experiments.mine)
    client = subprocess.Popen(
        [sys.executable, "-u", "-c", LOOP],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **variables},
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert client.stdout is not None
        run_id = client.stdout.readline().strip()
        for _ in range(30):
            client.stdout.readline()
        old = smalti.kill("experiments")
        with experiments.as_("ada", experiments.mine) as http:
            seen: set[int] = set()

            def back() -> bool:
                answer = http.get("/api/2.0/mlflow/runs/get", params={"run_id": run_id})
                seen.add(answer.status_code)
                if answer.status_code == 503:
                    assert int(answer.headers["Retry-After"]) >= 1
                return answer.status_code == 200

            smalti.wait(back, 60, "MLflow to be back")
            assert seen == {200, 503}
            assert smalti.pid("experiments") != old
            assert client.wait(90) == 0
            acknowledged = [int(line) for line in client.stdout if line.strip().isdigit()]
            history = http.get(
                "/api/2.0/mlflow/metrics/get-history",
                params={"run_id": run_id, "metric_key": "step", "max_results": 25000},
            )
            kept = {int(one["value"]) for one in history.json()["metrics"]}
            assert acknowledged[-1] == 400
            assert kept >= set(acknowledged)
    finally:
        client.kill()
        client.wait()


LOGS = """
import mlflow, time
with mlflow.start_run(run_name="through-it-all"):
    for step in range(60):
        mlflow.log_metric("step", step, step=step)
        print("logged", step, flush=True)
        time.sleep(0.05)
    mlflow.log_text("whole", "words.txt")
"""


@pytest.mark.timeout(300)
def test_a_job_outlives_a_mlflow_that_is_killed_before_and_amid_it(experiments: Lab) -> None:
    smalti = experiments.smalti
    smalti.kill("experiments")  # the job's first question meets nobody
    job_id = experiments.start_job("ada", experiments.mine, command=["python", "-c", LOGS])
    with smalti.client("ada") as client:

        def log() -> str:
            return client.get(f"/jobs/{job_id}/logs", params={"follow": "false"}).text

        smalti.wait(lambda: "logged 5" in log(), 120, "the job to log")
        smalti.kill("experiments")
        job = experiments.wait_for("ada", job_id, "Succeeded", "Failed", "Error", seconds=150)
        assert job["status"] == "Succeeded", log()
        runs = client.get(f"/jobs/{job_id}/experiment-runs").json()["items"]
        assert [run["status"] for run in runs if run["metrics"]] == ["FINISHED"]
        assert runs[0]["metrics"] == {"step": 59}


def test_health_names_experiments(experiments: Lab) -> None:
    with experiments.smalti.client() as client:

        def well() -> bool:
            health = client.get(f"{experiments.smalti.base}/health").json()
            found = {one["name"]: one for one in health["dependencies"]}
            return bool(found["experiments"]["status"] == "ok")

        experiments.smalti.wait(well, 60, "health to know of MLflow")
    rows = {row["name"]: row for row in experiments.smalti.status()["processes"]}
    assert rows["experiments"]["state"] == "running"
    assert "experiments is running" in experiments.smalti.command("doctor").stdout


@pytest.mark.timeout(240)
def test_the_example_job_logs_and_its_model_leads_back(experiments: Lab) -> None:
    job_id = experiments.start_job(
        "ada", experiments.mine, file="train.py", args=["--trees", "10"],
    )  # fmt: skip
    job = experiments.wait_for("ada", job_id, "Succeeded", "Failed", "Error", seconds=200)
    with experiments.smalti.client("ada") as client:
        log = client.get(f"/jobs/{job_id}/logs", params={"follow": "false"}).text
        assert job["status"] == "Succeeded", log
        (run,) = client.get(f"/jobs/{job_id}/experiment-runs").json()["items"]
        assert run["metrics"]["accuracy"] > 0.8
        assert run["params"]["trees"] == "10"
        lineage: dict[str, Any] = run["lineage"]
        assert (lineage["job_id"], lineage["job_number"]) == (job_id, job["number"])
        assert lineage["commit"] == job["commit"]
        assert lineage["person"] == "ada"
        assert lineage["environment"].startswith(f"default/{job['revision']}@")
        models = f"/projects/{experiments.mine}/models"
        assert "wine-quality" in [one["name"] for one in client.get(models).json()["items"]]
        (version,) = client.get(f"{models}/wine-quality/versions").json()["items"]
        assert version["lineage"] == lineage
        alias = f"{models}/wine-quality/aliases/champion"
        assert client.put(alias, json={"version": "1"}).json()["aliases"] == ["champion"]
        (version,) = client.get(f"{models}/wine-quality/versions").json()["items"]
        assert version["aliases"] == ["champion"]
        assert client.put(alias, json={"version": "99"}).status_code == 404
        assert client.get(f"{models}/wine-quality").json()["aliases"] == {"champion": "1"}
        assert client.delete(alias).status_code == 204
        shown = client.get(f"{models}/wine-quality/versions/1").json()
        assert (shown["aliases"], shown["status"]) == ([], "READY")
        files = experiments.as_("ada", experiments.mine).get(
            "/api/2.0/mlflow/artifacts/list", params={"run_id": run["id"]}
        )
        assert [one["path"] for one in files.json()["files"]] == ["confusion.png"]
    with experiments.smalti.client("bob") as stranger:
        for path in (f"/jobs/{job_id}/experiment-runs", models, f"{models}/wine-quality"):
            assert stranger.get(path).status_code == 404
        assert stranger.put(alias, json={"version": "1"}).status_code == 404


def test_a_project_that_has_logged_nothing_has_empty_lists(experiments: Lab) -> None:
    with experiments.smalti.client("ada") as client:
        fresh = client.post("/projects", json={"name": "fresh"}).json()["id"]
        for name in ("models", "experiments", "experiment-runs"):
            answer = client.get(f"/projects/{fresh}/{name}")
            assert (answer.status_code, answer.json()) == (200, {"items": []}), name


def test_a_job_is_told_where_to_log_and_one_that_does_not_has_no_runs(experiments: Lab) -> None:
    code = "import os; print(sorted(k for k in os.environ if k.startswith('MLFLOW')))"
    job_id = experiments.start_job("ada", experiments.mine, command=["python", "-c", code])
    experiments.wait_for("ada", job_id, "Succeeded", seconds=100)
    with experiments.smalti.client("ada") as client:
        log = client.get(f"/jobs/{job_id}/logs", params={"follow": "false"}).text
        names = json.loads(log.strip().replace("'", '"'))
        assert names == [
            "MLFLOW_DISABLE_TELEMETRY", "MLFLOW_EXPERIMENT_NAME",
            "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
            "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER",
            "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_URI", "MLFLOW_WORKSPACE",
        ]  # fmt: skip
        assert client.get(f"/jobs/{job_id}/experiment-runs").json() == {"items": []}


def test_a_project_that_logged_nothing_has_nothing(experiments: Lab) -> None:
    silent = f"/projects/{experiments.project('ada', 'silent')}"
    with experiments.smalti.client("ada") as client:
        for kind in ("experiments", "experiment-runs", "models"):
            answer = client.get(f"{silent}/{kind}")
            assert (answer.status_code, answer.json()) == (200, {"items": []}), kind
        missing = client.get(f"{silent}/models/none")
        assert missing.status_code == 404
        assert "no such experiment, model" in missing.json()["error"]["message"]
        named = client.get(f"/projects/{experiments.mine}/models/none")
        assert named.status_code == 404
        assert "none" in named.json()["error"]["message"]

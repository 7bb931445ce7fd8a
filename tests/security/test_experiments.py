"""MLflow behind the gate, attacked: S1, S4, S5, S6, S8 to S12 and S14 for this surface."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from services.experiments.gateway import table
from services.experiments.gateway.gate import SERVER_INFO
from tests.experiments.lab import MLFLOW, Lab

HTML = b"<html><script>parent.document.title = 'owned'</script></html>"
UNKNOWN = "01a212bf-71d1-7726-969c-5d50911d37dd"


def _example(rule: table.Rule) -> str:
    return re.sub(r"<\w+>", "x", re.sub(r"<\w+\.\.\.>", "a/b", rule.path))


def test_s1_no_route_answers_a_stranger(experiments: Lab) -> None:
    url = f"{experiments.smalti.url}{MLFLOW}"
    paths = {(rule.method, _example(rule)) for rule in table.ALLOWED}
    paths |= {("POST", "/api/2.0/mlflow/webhooks"), ("GET", "/nothing"), ("TRACE", "/version")}
    with httpx.Client(base_url=url, timeout=30) as stranger:
        for method, path in sorted(paths):
            answer = stranger.request(method, path, json={} if method != "GET" else None)
            if path != "/":  # a page: programs at the loopback address are sent to the main host
                assert answer.status_code in (401, 307, 308, 302, 301), (method, path, answer.text)
    inner = f"http://127.0.0.1:{experiments.smalti.ports()['experiments']}{MLFLOW}"
    with httpx.Client(base_url=inner, timeout=30) as stranger:
        for method, path in sorted(paths):
            answer = stranger.request(method, path)
            assert answer.status_code == 302 if path == "/" else answer.status_code == 401, path
        assert stranger.get("/health").text == "OK"
        info = stranger.get("/api/3.0/mlflow/server-info").json()
        assert info == SERVER_INFO  # a constant, and nothing else without a login
        bad = {"Authorization": "Bearer sml_wrong"}
        assert stranger.get("/version", headers=bad).status_code == 401
        assert stranger.get("/version", headers={"Authorization": "Digest x"}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/2.0/mlflow/webhooks"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("POST", "/gateway/x/mlflow/invocations"),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy"),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
        ("GET", "/api/3.0/mlflow/mcp-servers"),
        ("POST", "/ajax-api/3.0/jobs/"),
        ("POST", "/api/3.0/mlflow/workspaces"),
        ("DELETE", "/api/3.0/mlflow/workspaces/default"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/a"),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url"),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact"),
        ("GET", "/graphql"),
        ("GET", "/nothing-of-the-kind"),
    ],
)
def test_s13_what_calls_out_or_runs_code_is_not_there(
    experiments: Lab, method: str, path: str
) -> None:
    port = experiments.smalti.ports()["experiments"]
    headers = {"Authorization": f"Bearer {experiments.tokens['ada']}"}
    answer = httpx.request(
        method, f"http://127.0.0.1:{port}{MLFLOW}{path}",
        headers={**headers, "X-MLFLOW-WORKSPACE": experiments.mine}, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 404
    assert answer.json()["message"] == "There is no such thing here."


@pytest.fixture(scope="module")
def stock(experiments: Lab) -> dict[str, str]:
    """Things of bob's project, each by its id."""
    run_id, experiment_id = experiments.new_run("bob", experiments.theirs)
    with experiments.as_("bob", experiments.theirs) as bob:
        put = bob.put(
            f"/api/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts/s.txt",
            content=b"secret of bob",
        )
        assert put.status_code == 200
        batch = {"run_id": run_id, "metrics": [{"key": "m", "value": 1, "timestamp": 1, "step": 0}]}
        assert bob.post("/api/2.0/mlflow/runs/log-batch", json=batch).status_code == 200
        made = bob.post(
            "/api/2.0/mlflow/logged-models", json={"experiment_id": experiment_id, "name": "lm"}
        )
        model_id = made.json()["model"]["info"]["model_id"]
        bob.post("/api/2.0/mlflow/registered-models/create", json={"name": "bobs"})
        source = {"name": "bobs", "source": f"runs:/{run_id}/m", "run_id": run_id}
        created = bob.post("/api/2.0/mlflow/model-versions/create", json=source)
        assert created.status_code == 200, created.text
        info = {
            "trace_id": "tr-00000000000000000000000000000001",
            "trace_location": {
                "type": "MLFLOW_EXPERIMENT",
                "mlflow_experiment": {"experiment_id": experiment_id},
            },
            "request_time": "2026-01-01T00:00:00Z",
            "state": "OK",
        }
        trace = bob.post("/api/3.0/mlflow/traces", json={"trace": {"trace_info": info}})
        assert trace.status_code == 200, trace.text
    return {
        "run": run_id, "experiment": experiment_id, "model": model_id, "trace": info["trace_id"],
    }  # fmt: skip


def test_s4_another_project_s_ids_are_unknown_everywhere(
    experiments: Lab, stock: dict[str, str]
) -> None:
    """Every read and write by an id of bob's, by ada in her own workspace: nothing, unchanged."""
    run, exp, model, trace = stock["run"], stock["experiment"], stock["model"], stock["trace"]
    v2, v3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"{v2}/runs/get", {"run_id": run}),
        ("GET", f"{v2}/experiments/get", {"experiment_id": exp}),
        ("GET", f"{v2}/artifacts/list", {"run_id": run}),
        ("GET", f"{v2}/metrics/get-history", {"run_id": run, "metric_key": "m"}),
        ("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
         {"run_id": run, "metric_key": "m"}),
        ("GET", f"{v2}/metrics/get-history-bulk-interval", {"run_ids": run, "metric_key": "m"}),
        ("GET", "/get-artifact", {"run_id": run, "path": "s.txt"}),
        ("GET", "/model-versions/get-artifact", {"name": "bobs", "version": "1", "path": "s.txt"}),
        ("GET", f"{v2}/logged-models/{model}", {}),
        ("GET", f"{v2}/logged-models/{model}/artifacts/directories", {}),
        ("GET", f"/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files",
         {"artifact_file_path": "s.txt"}),
        ("GET", f"{v2}/registered-models/get", {"name": "bobs"}),
        ("GET", f"{v2}/model-versions/get", {"name": "bobs", "version": "1"}),
        ("GET", f"{v2}/model-versions/get-download-uri", {"name": "bobs", "version": "1"}),
        ("GET", f"{v3}/traces/{trace}", {}),
        ("GET", f"{v3}/traces/get", {"trace_id": trace}),
        ("GET", "/ajax-api/3.0/mlflow/get-trace-artifact", {"request_id": trace}),
        ("GET", f"/api/2.0/mlflow-artifacts/artifacts/{exp}/{run}/artifacts/s.txt", {}),
        ("GET", f"/api/2.0/mlflow-artifacts/artifacts/workspaces/{experiments.theirs}/{exp}/{run}"
                "/artifacts/s.txt", {}),
        ("POST", f"{v2}/runs/update", {"run_id": run, "run_name": "taken"}),
        ("POST", f"{v2}/runs/delete", {"run_id": run}),
        ("POST", f"{v2}/runs/log-metric",
         {"run_id": run, "key": "x", "value": 1, "timestamp": 1, "step": 0}),
        ("POST", f"{v2}/runs/log-parameter", {"run_id": run, "key": "x", "value": "1"}),
        ("POST", f"{v2}/runs/log-batch",
         {"run_id": run, "params": [{"key": "x", "value": "1"}]}),
        ("POST", f"{v2}/runs/set-tag", {"run_id": run, "key": "x", "value": "1"}),
        ("POST", f"{v2}/runs/create", {"experiment_id": exp}),
        ("POST", f"{v2}/runs/log-inputs", {"run_id": run, "datasets": []}),
        ("POST", f"{v2}/experiments/delete", {"experiment_id": exp}),
        ("POST", f"{v2}/experiments/update", {"experiment_id": exp, "new_name": "taken"}),
        ("POST", f"{v2}/experiments/set-experiment-tag",
         {"experiment_id": exp, "key": "x", "value": "1"}),
        ("POST", f"{v2}/logged-models", {"experiment_id": exp, "name": "mine"}),
        ("PATCH", f"{v2}/logged-models/{model}/tags", {"tags": [{"key": "x", "value": "1"}]}),
        ("DELETE", f"{v2}/logged-models/{model}", {}),
        ("PATCH", f"{v2}/registered-models/update", {"name": "bobs", "description": "taken"}),
        ("POST", f"{v2}/registered-models/alias", {"name": "bobs", "alias": "a", "version": "1"}),
        ("DELETE", f"{v2}/registered-models/delete", {"name": "bobs"}),
        ("DELETE", f"{v2}/model-versions/delete", {"name": "bobs", "version": "1"}),
        ("POST", f"{v2}/model-versions/set-tag",
         {"name": "bobs", "version": "1", "key": "x", "value": "1"}),
        ("PATCH", f"{v3}/traces/{trace}/tags", {"key": "x", "value": "1"}),
        ("POST", f"{v3}/traces/delete-traces",
         {"experiment_id": exp, "request_ids": [trace]}),
        ("POST", f"{v3}/traces/{trace}/assessments",
         {"assessment": {"assessment_name": "x", "feedback": {"value": True}}}),
        ("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/{exp}/{run}/artifacts/s.txt", {}),
    ]  # fmt: skip
    before = _everything(experiments, stock)
    port = experiments.smalti.ports()["experiments"]
    with experiments.as_("ada", experiments.mine) as ada:
        ada.base_url = httpx.URL(f"http://127.0.0.1:{port}{MLFLOW}")
        for method, path, what in calls:
            more: dict[str, Any] = {"params": what} if method == "GET" else {"json": what}
            answer = ada.request(method, path, **more)
            quiet = method == "DELETE" and "mlflow-artifacts" in path  # her own, where nothing is
            assert answer.status_code in ((200, 404) if quiet else (400, 404)) or (
                answer.json() in ({}, {"metrics": []}, {"traces_deleted": 0})
            ), (method, path, answer.status_code, answer.text)
            assert "secret of bob" not in answer.text
        asked = 'query q { mlflowGetRun(input: {runId: "RUN"}) { run { info { runId } } } }'
        query = {"query": asked.replace("RUN", run)}
        assert f'"runId": "{run}"' not in ada.post("/graphql", json=query).text
        for search in ("runs/search", "logged-models/search"):
            found = ada.post(f"{v2}/{search}", json={"experiment_ids": [exp]})
            assert run not in found.text
            assert model not in found.text
        bulk = ada.post(f"{v3}/traces/batchGetInfos", json={"trace_ids": [trace]})
        assert trace not in bulk.text
    assert _everything(experiments, stock) == before


def _everything(experiments: Lab, stock: dict[str, str]) -> list[Any]:
    """All of bob's that the calls could have changed, as bob sees it."""
    v2 = "/api/2.0/mlflow"
    with experiments.as_("bob", experiments.theirs) as bob:
        return [
            bob.get(f"{v2}/runs/get", params={"run_id": stock["run"]}).json(),
            bob.get(f"{v2}/experiments/get", params={"experiment_id": stock["experiment"]}).json(),
            bob.get(f"{v2}/logged-models/{stock['model']}").json(),
            bob.get(f"{v2}/registered-models/get", params={"name": "bobs"}).json(),
            bob.get(f"/api/3.0/mlflow/traces/{stock['trace']}").json(),
            bob.get(f"{v2}/artifacts/list", params={"run_id": stock["run"]}).json(),
        ]


def test_s4_a_workspace_is_believed_from_nobody(experiments: Lab) -> None:
    body: dict[str, Any] = {"max_results": 10}
    for named in (experiments.theirs, UNKNOWN, "default", "../default", "x" * 5000):
        with experiments.as_("ada", named) as ada:
            answer = ada.post("/api/2.0/mlflow/experiments/search", json=body)
            assert answer.status_code == 404, named
            assert answer.json() == {
                "error_code": "RESOURCE_DOES_NOT_EXIST",
                "message": "This workspace (project) does not exist.",
            }
    with experiments.as_("ada") as ada:
        experiments.project("ada", f"second-{len(experiments.tokens)}")
        answer = ada.post("/api/2.0/mlflow/experiments/search", json=body)
        experiments.smalti.wait(
            lambda: ada.post("/api/2.0/mlflow/experiments/search", json=body).status_code == 400
        )
        answer = ada.post("/api/2.0/mlflow/experiments/search", json=body)
        assert "MLFLOW_WORKSPACE" in answer.json()["message"]
        listed = ada.get("/api/3.0/mlflow/workspaces").json()["workspaces"]
        assert experiments.theirs not in {one["name"] for one in listed}
        assert experiments.mine in {one["name"] for one in listed}


def test_s3_a_run_s_token_is_good_for_its_project_and_ends_with_it(experiments: Lab) -> None:
    job_id = experiments.start_job("ada", experiments.mine, command="sleep 100")
    experiments.wait_for("ada", job_id, "Running")
    create = {"experiment_id": _experiment(experiments), "tags": _forged()}
    with experiments.as_run(job_id) as run:
        made = run.post("/api/2.0/mlflow/runs/create", json=create)
        assert made.status_code == 200, made.text
        tags = {tag["key"]: tag["value"] for tag in made.json()["run"]["data"]["tags"]}
        assert tags["smalti.job_id"] == job_id
        assert tags["smalti.person"] == tags["mlflow.user"] == "ada"
        assert re.fullmatch("[0-9a-f]{40}", tags["smalti.commit"])
        assert "smalti.extra" not in tags
    with experiments.as_run(job_id, **{"X-MLFLOW-WORKSPACE": experiments.theirs}) as run:
        assert run.post("/api/2.0/mlflow/runs/create", json=create).status_code == 404
    with experiments.smalti.client("ada") as client:
        client.post(f"/jobs/{job_id}/stop")
    experiments.wait_for("ada", job_id, "Stopped")
    with experiments.as_run(job_id) as run:
        experiments.smalti.wait(lambda: run.get("/version").status_code == 401, 30, "its end")


def _experiment(experiments: Lab) -> str:
    with experiments.as_("ada", experiments.mine) as ada:
        named = ada.get(
            "/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": "wine"}
        )
        return str(named.json()["experiment"]["experiment_id"])


def _forged() -> list[dict[str, str]]:
    return [
        {"key": "smalti.job_id", "value": UNKNOWN},
        {"key": "smalti.person", "value": "root"},
        {"key": "smalti.extra", "value": "1"},
        {"key": "mlflow.user", "value": "root"},
    ]


def test_s14_rights_follow_membership_within_seconds(experiments: Lab) -> None:
    with (
        experiments.smalti.client("ada") as owner,
        experiments.as_("bob", experiments.mine) as bob,
        experiments.smalti.client("bob") as bob_api,
    ):
        me = bob_api.get("/me").json()["id"]
        search = {"max_results": 5}
        create = {"experiment_id": _experiment(experiments)}

        def status(path: str, body: dict[str, Any]) -> int:
            return bob.post(f"/api/2.0/mlflow/{path}", json=body).status_code

        members = f"/projects/{experiments.mine}/members"
        added = owner.post(members, json={"person": "bob", "role": "consumer"})
        assert added.status_code in (200, 201), added.text
        experiments.smalti.wait(lambda: status("experiments/search", search) == 200, 30)
        assert status("runs/create", create) == 403
        changed = owner.put(f"{members}/{me}", json={"role": "contributor"})
        assert changed.status_code == 200, changed.text
        experiments.smalti.wait(lambda: status("runs/create", create) == 200, 30)
        assert owner.delete(f"{members}/{me}").status_code == 204
        experiments.smalti.wait(lambda: status("runs/create", create) == 404, 30)
        assert status("experiments/search", search) == 404

"""Paths and bodies on values alone: what is refused, what is dropped, what is put in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.experiments.gateway import judging
from services.experiments.gateway.judging import Refused
from services.experiments.gateway.paths import MOST_DECODINGS, is_plain, is_plain_artifact
from services.experiments.protocol import AccessAnswer, ProjectAccess, RunFacts

PROJECT = ProjectAccess(id="p", owner="ada", name="wine", writes=True)
RUN = RunFacts(kind="job", id="j1", commit="c" * 40, environment="default/1@d")
WHO = AccessAnswer(known=True, person="ada", run=RUN, project=PROJECT)
CREATE = "/api/2.0/mlflow/runs/create"


@given(
    before=st.text("abc/-_", max_size=6),
    climb=st.sampled_from(["..", "../..", ".\\..", "..\\", "\x00", "a/./b", "．．", "//"]),
    after=st.text("abc/-_", max_size=6),
    depth=st.integers(0, MOST_DECODINGS + 3),
)
def test_nothing_climbs_in_any_encoding(before: str, climb: str, after: str, depth: int) -> None:
    path = f"/{before}/{climb}/{after}"
    for _ in range(depth):
        path = quote(path, safe="")
    assert not is_plain(path)
    assert not is_plain(path.replace("%2e", "%2E"))


def test_dots_alone_encoded_are_seen() -> None:
    for text in ("/a/%2e%2e/b", "/a/.%2e/b", "/a/%252e%252e/b", "/a/..%2fb", "/a/%c0%ae%c0%ae/b"):
        assert not is_plain(text), text


@given(st.lists(st.text("abcXYZ0189 %._-äß", min_size=1, max_size=12), min_size=1, max_size=4))
def test_honest_names_pass_once_encoded(parts: list[str]) -> None:
    if any(part in (".", "..") or "%" in part for part in parts):
        return
    assert is_plain("/" + "/".join(quote(part, safe="") for part in parts))


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "~/x", "file:/etc/passwd", "s3://b/k", "../x", "a/../../x", "a%2f..%2fx"],
)
def test_an_artifact_is_below_its_run(path: str) -> None:
    assert not is_plain_artifact(path)
    assert is_plain_artifact("plots/loss: train.png")


def made(body: Any, path: str = CREATE, who: AccessAnswer = WHO) -> Any:
    return judging.judge(path, judging.parse(json.dumps(body).encode()), who)


def test_forged_provenance_is_replaced_by_the_truth() -> None:
    forged = [
        {"key": "smalti.job_id", "value": "other"},
        {"key": "smalti.new", "value": "x"},
        {"key": "mlflow.user", "value": "root"},
        {"key": "mlflow.source.git.commit", "value": "0" * 40},
        {"key": "mine", "value": "1"},
    ]
    body = made({"experiment_id": "1", "user_id": "root", "tags": forged})
    assert {tag["key"]: tag["value"] for tag in body["tags"]} == {
        "mine": "1",
        "smalti.person": "ada",
        "smalti.project": "ada/wine",
        "smalti.job_id": "j1",
        "smalti.commit": "c" * 40,
        "smalti.environment": "default/1@d",
        "mlflow.user": "ada",
        "mlflow.source.git.commit": "c" * 40,
    }
    assert body["user_id"] == "ada"


def test_a_person_claims_no_job_and_keeps_their_commit() -> None:
    tags = [{"key": "mlflow.source.git.commit", "value": "a" * 40}]
    body = made({"tags": tags}, who=AccessAnswer(known=True, person="ada", project=PROJECT))
    kept = {tag["key"]: tag["value"] for tag in body["tags"]}
    assert kept["mlflow.source.git.commit"] == "a" * 40
    assert "smalti.job_id" not in kept


def test_traces_and_models_say_who_made_them() -> None:
    trace = made(
        {"trace": {"traceInfo": {"tags": {"smalti.person": "x", "mlflow.artifactLocation": "/"}}}},
        "/api/3.0/mlflow/traces",
    )
    tags = trace["trace"]["trace_info"]["tags"]
    assert tags["smalti.person"] == "ada"
    assert "mlflow.artifactLocation" not in tags
    model = made({"name": "m"}, "/api/2.0/mlflow/logged-models")
    assert {"key": "smalti.job_id", "value": "j1"} in model["tags"]


@pytest.mark.parametrize("key", ["smalti.job_id", "mlflow.artifactLocation", "smalti."])
def test_tags_of_ours_cannot_be_set_or_deleted(key: str) -> None:
    for path in ("runs/set-tag", "runs/delete-tag", "registered-models/delete-tag"):
        with pytest.raises(Refused):
            made({"run_id": "r", "key": key}, f"/api/2.0/mlflow/{path}")
    batch = made(
        {"tags": [{"key": key, "value": "x"}, {"key": "ok", "value": "1"}]},
        "/api/2.0/mlflow/runs/log-batch",
    )
    assert batch["tags"] == [{"key": "ok", "value": "1"}]


@pytest.mark.parametrize("name", ["artifact_location", "artifactLocation"])
@pytest.mark.parametrize(
    "where", ["file:///etc", "s3://x/y", "http://x/", "/etc", "mlflow-artifacts:/x"]
)
def test_nobody_chooses_where_artifacts_are(name: str, where: str) -> None:
    with pytest.raises(Refused):
        made({"name": "e", name: where}, "/api/2.0/mlflow/experiments/create")
    with pytest.raises(Refused):  # twice encoded, as old clients do
        made(json.dumps({"name": "e", name: where}), "/api/2.0/mlflow/experiments/create")


@pytest.mark.parametrize(
    "source",
    ["file:///etc/passwd", "/etc/passwd", "s3://b/k", "http://169.254.169.254/", "dbfs:/x", "",
     "runs:/../../x", "mlflow-artifacts://host/x", "mlflow-artifacts:/a/%2e%2e/b", "ftp://x/y",
     "models:/m?x=1", "mlflow-artifacts:/a#/../b", "FILE:///etc/passwd", " file:///x"],
)  # fmt: skip
def test_a_model_comes_from_here(source: str) -> None:
    with pytest.raises(Refused):
        made({"name": "m", "source": source}, "/api/2.0/mlflow/model-versions/create")


@pytest.mark.parametrize(
    "source", ["runs:/abc/model", "models:/m-1", "mlflow-artifacts:/w/1/r/artifacts/m"]
)
def test_a_model_from_here_passes(source: str) -> None:
    body = made({"name": "m", "source": source}, "/api/2.0/mlflow/model-versions/create")
    assert body["source"] == source


@pytest.mark.parametrize(
    "raw", [b"[1]", b"{", b'"[1]"', b"\xff", b"[" * 100_000, b'{"runId":1,"run_id":2}']
)
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        judging.parse(raw)


def test_only_questions_in_graphql() -> None:
    judging.check_graphql({"query": "query a { mlflowGetRun { apiError { message } } }"})
    for query in ("mutation { testMutation(input: {}) { output } }", "query", "", None, "{" * 9000):
        with pytest.raises(Refused):
            judging.check_graphql({"query": query})

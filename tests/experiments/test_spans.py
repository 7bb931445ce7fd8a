"""Spans by OpenTelemetry's protocol: nobody else's word on who sent them, in either form."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services.experiments.gateway import spans
from services.experiments.gateway.judging import Refused
from tests.experiments.lab import Lab

TRACE = "0af7651916cd43dd8448eb211c80319c"
FORGED = {
    "mlflow.traceTag.smalti.person": "bob",
    "mlflow.traceTag.mlflow.artifactLocation": "/etc",
    "mlflow.traceTag.mlflow.trace.spansLocation": "ARCHIVE_REPO",
}


def _attributes(values: dict[str, str]) -> list[Any]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def sent(trace: str = TRACE) -> dict[str, Any]:
    """What a hostile exporter sends."""
    span = {
        "traceId": trace,
        "spanId": "b7ad6b7169203331",
        "name": "root",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001000000000",
        "attributes": _attributes({**FORGED, "mlflow.traceTag.mine": "yes", "x": "1"}),
    }
    resource = {"attributes": _attributes({"smalti.job_id": "forged", "service.name": "tool"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def test_both_forms_mean_the_same_and_forged_tags_are_taken_out() -> None:
    found = spans.read(json.dumps(sent()).encode(), as_json=True)
    again = spans.read(found.SerializeToString(), as_json=False)
    assert found == again
    assert spans.trace_ids(found) == {f"tr-{TRACE}"}
    spans.judge(found)
    (resource,) = found.resource_spans
    assert [one.key for one in resource.resource.attributes] == ["service.name"]
    (span,) = resource.scope_spans[0].spans
    assert [one.key for one in span.attributes] == ["mlflow.traceTag.mine", "x"]


def test_names_in_protobufs_own_spelling_are_judged_as_well() -> None:
    body = json.dumps(sent()).replace("resourceSpans", "resource_spans")
    found = spans.read(body.replace("scopeSpans", "scope_spans").encode(), as_json=True)
    spans.judge(found)
    assert b"smalti" not in found.SerializeToString()
    assert b"artifactLocation" not in found.SerializeToString()


@pytest.mark.parametrize(
    ("body", "as_json"),
    [(b"{", True), (b'{"resourceSpans": 1}', True), (b"[1]", True), (b"\xff\xff\xff", False),
     (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}', True),
     (b"[" * 100_000, True)],
)  # fmt: skip
def test_what_is_no_such_body_is_refused(body: bytes, as_json: bool) -> None:
    with pytest.raises(Refused, match="OpenTelemetry"):
        spans.read(body, as_json)


def test_a_trace_says_who_sent_it_whatever_it_says_itself(experiments: Lab) -> None:
    _, experiment = experiments.new_run("ada", experiments.mine)
    named = {"x-mlflow-experiment-id": experiment}
    with experiments.as_("ada", experiments.mine, **named) as ada:
        as_json = ada.post("/v1/traces", json=sent())
        assert (as_json.status_code, as_json.text) == (200, "{}")
        other = spans.read(json.dumps(copy.deepcopy(sent("1" * 32))).encode(), as_json=True)
        assert isinstance(other, ExportTraceServiceRequest)
        answer = ada.post(
            "/v1/traces",
            content=other.SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
        )
        assert answer.status_code == 200, answer.text
        for trace in (TRACE, "1" * 32):
            shown = ada.get("/api/3.0/mlflow/traces/get", params={"trace_id": f"tr-{trace}"})
            assert shown.status_code == 200, shown.text
            info = ada.get(f"/api/3.0/mlflow/traces/tr-{trace}").json()["trace"]["trace_info"]
            tags = info["tags"]
            assert tags["smalti.person"] == "ada"
            assert tags["smalti.project"] == "ada/wine"
            assert "smalti.job_id" not in tags
            assert tags["mine"] == "yes"
            assert tags.get("mlflow.artifactLocation", "").startswith("mlflow-artifacts:/")

"""Spans that come by OpenTelemetry's protocol: judged like all else, and tagged with who sent them.

Called by `gate` for `/v1/traces`. MLflow makes a trace of its first spans, and tags of attributes
that they carry; so attributes that would become tags of ours, or of places, are taken out, and
our tags are set once MLflow has taken the rest, before the sender is told. Of several who send
spans of one trace the first counts.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services.experiments.gateway import judging, mlflow_wiring
from services.experiments.gateway.answers import Message, Receive, Scope, Send
from services.experiments.gateway.bodies import replay
from services.experiments.gateway.judging import Refused
from services.experiments.protocol import AccessAnswer

TAG = "mlflow.traceTag."  # an attribute of this beginning becomes a tag
_JSON, _PROTOBUF = "application/json", "application/x-protobuf"
_IDS = ("traceId", "spanId", "parentSpanId")


async def pass_on(
    app: Any, call: tuple[Scope, Receive, Send], body: bytes, who: AccessAnswer
) -> None:
    """Have MLflow take the spans, tag their traces, and give its answer. Raises Refused."""
    scope, receive, send = call
    as_json = _header(scope, b"content-type").startswith(_JSON)
    spans = read(body, as_json)
    judge(spans)
    raw = spans.SerializeToString()
    told: list[Message] = []

    async def keep(message: Message) -> None:
        told.append(message)

    await app(_protobuf(scope, len(raw)), replay(raw, receive), keep)
    done = bool(told) and told[0].get("status") == 200
    if done and who.project is not None:
        tags = judging.provenance(who)
        await asyncio.to_thread(mlflow_wiring.tag_traces, who.project.id, trace_ids(spans), tags)
    for message in _as_json(told) if done and as_json else told:
        await send(message)


def read(body: bytes, as_json: bool) -> ExportTraceServiceRequest:
    """Read a body of either of the protocol's two forms. Raises Refused."""
    spans = ExportTraceServiceRequest()
    try:
        if as_json:
            json_format.ParseDict(_with_ids(json.loads(body)), spans, ignore_unknown_fields=True)
        else:
            spans.ParseFromString(body)
    except (DecodeError, json_format.Error, ValueError, TypeError, RecursionError) as error:
        raise Refused("The body is not one of OpenTelemetry's spans, uncompressed.") from error
    return spans


def judge(spans: ExportTraceServiceRequest) -> None:
    """Take out what would become a tag that is not for a client to set."""
    for resource in spans.resource_spans:
        _clean(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                _clean(span.attributes)


def trace_ids(spans: ExportTraceServiceRequest) -> set[str]:
    """Name the traces that there are spans of, as MLflow names them."""
    return {
        f"tr-{span.trace_id.hex()}"
        for resource in spans.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }


def _clean(attributes: Any) -> None:
    kept = [one for one in attributes if not judging.is_reserved(one.key.removeprefix(TAG))]
    if len(kept) != len(attributes):
        del attributes[:]
        attributes.extend(kept)


def _with_ids(value: Any) -> Any:
    """Write ids, which the protocol has in hex, as protobuf's JSON has bytes: in base64."""
    if isinstance(value, list):
        return [_with_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64encode(bytes.fromhex(inner)).decode()
        if name in _IDS and isinstance(inner, str)
        else _with_ids(inner)
        for name, inner in value.items()
    }


def _header(scope: Scope, name: bytes) -> str:
    return bytes(dict(scope["headers"]).get(name, b"")).decode("latin-1").lower()


def _protobuf(scope: Scope, size: int) -> Scope:
    measured = (b"content-type", b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in scope["headers"] if name not in measured]
    told = [(b"content-type", _PROTOBUF.encode()), (b"content-length", str(size).encode())]
    return {**scope, "headers": [*kept, *told]}


def _as_json(told: Iterable[Message]) -> list[Message]:
    """An answer in the form that was sent: of a success nothing is to be said."""
    start = next(iter(told))
    headers = [(b"content-type", _JSON.encode()), (b"content-length", b"2")]
    return [
        {**start, "headers": headers},
        {"type": "http.response.body", "body": b"{}", "more_body": False},
    ]

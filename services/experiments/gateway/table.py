"""The allow-list: every route of MLflow that the gate lets through, and who may use it.

    SIGNED  anybody who is signed in; touches no project
    READ    whoever may see a project's experiments (`experiments:read`)
    WRITE   whoever may change them (`experiments:write`)

What is not in `ALLOWED` is 404, whatever MLflow would answer. `DENIED` lists what was looked at
and refused, with the reason; a test walks all routes of MLflow's application and fails for one
that is in neither, so that a new MLflow's new route is judged by a person. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum


class Need(Enum):
    """What a caller needs for a route."""

    SIGNED = "signed"
    READ = "read"
    WRITE = "write"


class Kind(StrEnum):
    """How the gate treats the bodies of a route."""

    JSON = "json"
    UPLOAD = "upload"  # streamed through, counted
    SPANS = "spans"  # not JSON; tagged afterwards
    FILE = "file"  # the answer is somebody's file: never shown as a page of ours
    GRAPHQL = "graphql"
    PAGE = "page"  # of MLflow's own user interface
    OWN = "own"  # answered by the gate


@dataclass(frozen=True)
class Rule:
    """One method on one path; `<x>` is a segment, `<x...>` the rest."""

    need: Need
    method: str
    path: str
    kind: Kind = Kind.JSON

    @property
    def pattern(self) -> str:
        """The path as a regular expression."""
        text = re.escape(self.path)
        text = re.sub(r"<[a-z_]+\\\.\\\.\\\.>", ".+", text)
        return re.sub(r"<[a-z_]+>", "[^/]+", text)


# Answered under /api (programs) and under /ajax-api (MLflow's pages) alike.
_BOTH = """
READ  GET    2.0/mlflow/experiments/get-by-name
READ  GET    2.0/mlflow/experiments/get
READ  GET    2.0/mlflow/experiments/search
READ  POST   2.0/mlflow/experiments/search
WRITE POST   2.0/mlflow/experiments/create
WRITE POST   2.0/mlflow/experiments/delete
WRITE POST   2.0/mlflow/experiments/restore
WRITE POST   2.0/mlflow/experiments/update
WRITE POST   2.0/mlflow/experiments/set-experiment-tag
WRITE POST   2.0/mlflow/experiments/delete-experiment-tag
READ  GET    2.0/mlflow/runs/get
READ  POST   2.0/mlflow/runs/search
WRITE POST   2.0/mlflow/runs/create
WRITE POST   2.0/mlflow/runs/update
WRITE POST   2.0/mlflow/runs/delete
WRITE POST   2.0/mlflow/runs/restore
WRITE POST   2.0/mlflow/runs/log-metric
WRITE POST   2.0/mlflow/runs/log-parameter
WRITE POST   2.0/mlflow/runs/log-batch
WRITE POST   2.0/mlflow/runs/log-model
WRITE POST   2.0/mlflow/runs/log-inputs
WRITE POST   2.0/mlflow/runs/outputs
WRITE POST   2.0/mlflow/runs/set-tag
WRITE POST   2.0/mlflow/runs/delete-tag
READ  GET    2.0/mlflow/metrics/get-history
READ  GET    2.0/mlflow/metrics/get-history-bulk-interval
READ  GET    2.0/mlflow/artifacts/list
READ  GET    2.0/mlflow-artifacts/artifacts
READ  GET    2.0/mlflow-artifacts/artifacts/<path...> file
WRITE PUT    2.0/mlflow-artifacts/artifacts/<path...> upload
WRITE DELETE 2.0/mlflow-artifacts/artifacts/<path...>
WRITE POST   2.0/mlflow/traces
READ  GET    2.0/mlflow/traces
WRITE PATCH  2.0/mlflow/traces/<id>
READ  GET    2.0/mlflow/traces/<id>/info
WRITE PATCH  2.0/mlflow/traces/<id>/tags
WRITE DELETE 2.0/mlflow/traces/<id>/tags
WRITE POST   2.0/mlflow/traces/link-to-run
WRITE POST   2.0/mlflow/traces/link-prompts
WRITE POST   2.0/mlflow/traces/delete-traces
WRITE POST   3.0/mlflow/traces
READ  GET    3.0/mlflow/traces/get
READ  GET    3.0/mlflow/traces/batchGet
READ  POST   3.0/mlflow/traces/batchGetInfos
READ  POST   3.0/mlflow/traces/search
READ  POST   3.0/mlflow/traces/calculate-filter-correlation
READ  POST   3.0/mlflow/traces/metrics
WRITE POST   3.0/mlflow/traces/delete-traces
READ  GET    3.0/mlflow/traces/<id>
WRITE PATCH  3.0/mlflow/traces/<id>/tags
WRITE DELETE 3.0/mlflow/traces/<id>/tags
WRITE POST   3.0/mlflow/traces/<id>/assessments
READ  GET    3.0/mlflow/traces/<id>/assessments/<item>
WRITE PATCH  3.0/mlflow/traces/<id>/assessments/<item>
WRITE DELETE 3.0/mlflow/traces/<id>/assessments/<item>
WRITE POST   2.0/mlflow/logged-models
READ  POST   2.0/mlflow/logged-models/search
READ  GET    2.0/mlflow/logged-models/<id>
WRITE PATCH  2.0/mlflow/logged-models/<id>
WRITE DELETE 2.0/mlflow/logged-models/<id>
WRITE PATCH  2.0/mlflow/logged-models/<id>/tags
WRITE DELETE 2.0/mlflow/logged-models/<id>/tags/<key>
WRITE POST   2.0/mlflow/logged-models/<id>/params
READ  GET    2.0/mlflow/logged-models/<id>/artifacts/directories
READ  GET    2.0/mlflow/registered-models/get
READ  GET    2.0/mlflow/registered-models/search
READ  GET    2.0/mlflow/registered-models/get-latest-versions
READ  POST   2.0/mlflow/registered-models/get-latest-versions
WRITE POST   2.0/mlflow/registered-models/create
WRITE POST   2.0/mlflow/registered-models/rename
WRITE PATCH  2.0/mlflow/registered-models/update
WRITE DELETE 2.0/mlflow/registered-models/delete
WRITE POST   2.0/mlflow/registered-models/set-tag
WRITE DELETE 2.0/mlflow/registered-models/delete-tag
READ  GET    2.0/mlflow/registered-models/alias
WRITE POST   2.0/mlflow/registered-models/alias
WRITE DELETE 2.0/mlflow/registered-models/alias
READ  GET    2.0/mlflow/model-versions/get
READ  GET    2.0/mlflow/model-versions/search
READ  GET    2.0/mlflow/model-versions/get-download-uri
WRITE POST   2.0/mlflow/model-versions/create
WRITE PATCH  2.0/mlflow/model-versions/update
WRITE POST   2.0/mlflow/model-versions/transition-stage
WRITE DELETE 2.0/mlflow/model-versions/delete
WRITE POST   2.0/mlflow/model-versions/set-tag
WRITE DELETE 2.0/mlflow/model-versions/delete-tag
WRITE POST   3.0/mlflow/datasets/create
READ  GET    3.0/mlflow/datasets/search
READ  POST   3.0/mlflow/datasets/search
READ  GET    3.0/mlflow/datasets/<id>
WRITE DELETE 3.0/mlflow/datasets/<id>
WRITE PATCH  3.0/mlflow/datasets/<id>/tags
WRITE DELETE 3.0/mlflow/datasets/<id>/tags/<key>
READ  GET    3.0/mlflow/datasets/<id>/records
WRITE POST   3.0/mlflow/datasets/<id>/records
WRITE DELETE 3.0/mlflow/datasets/<id>/records
READ  GET    3.0/mlflow/datasets/<id>/experiment-ids
WRITE POST   3.0/mlflow/datasets/<id>/add-experiments
WRITE POST   3.0/mlflow/datasets/<id>/remove-experiments
WRITE POST   3.0/mlflow/issues
READ  POST   3.0/mlflow/issues/search
READ  GET    3.0/mlflow/issues/<id>
WRITE PATCH  3.0/mlflow/issues/<id>
WRITE POST   3.0/mlflow/label-schemas/create
READ  GET    3.0/mlflow/label-schemas/get
READ  GET    3.0/mlflow/label-schemas/get-by-name
READ  GET    3.0/mlflow/label-schemas/list
WRITE PATCH  3.0/mlflow/label-schemas/update
WRITE DELETE 3.0/mlflow/label-schemas/delete
WRITE POST   3.0/mlflow/scorers/register
READ  GET    3.0/mlflow/scorers/list
READ  GET    3.0/mlflow/scorers/versions
READ  GET    3.0/mlflow/scorers/get
WRITE DELETE 3.0/mlflow/scorers/delete
WRITE POST   3.0/mlflow/review-queues/create
WRITE POST   3.0/mlflow/review-queues/get-or-create-user
READ  GET    3.0/mlflow/review-queues/get
READ  GET    3.0/mlflow/review-queues/get-by-name
READ  GET    3.0/mlflow/review-queues/list
WRITE POST   3.0/mlflow/review-queues/update
WRITE POST   3.0/mlflow/review-queues/delete
WRITE POST   3.0/mlflow/review-queues/items/add
WRITE POST   3.0/mlflow/review-queues/items/remove
READ  GET    3.0/mlflow/review-queues/items/list
WRITE POST   3.0/mlflow/review-queues/items/set-status
SIGNED GET   3.0/mlflow/workspaces own
"""

_ELSE = """
READ  GET    /ajax-api/2.0/mlflow/metrics/get-history-bulk
READ  POST   /ajax-api/2.0/mlflow/experiments/search-datasets
READ  GET    /ajax-api/2.0/mlflow/logged-models/<id>/artifacts/files file
READ  GET    /ajax-api/2.0/mlflow/get-trace-artifact file
READ  GET    /ajax-api/3.0/mlflow/get-trace-artifact file
SIGNED GET   /ajax-api/3.0/mlflow/ui-telemetry own
SIGNED GET   /ajax-api/3.0/mlflow/assistant/config own
SIGNED GET   /ajax-api/3.0/mlflow/assistant/providers own
SIGNED GET   /ajax-api/2.0/mlflow/gateway-proxy own
SIGNED GET   /ajax-api/2.0/mlflow/users/current own
SIGNED GET   /ajax-api/3.0/mlflow/users/current/permissions own
SIGNED GET   /ajax-api/3.0/mlflow/users/roles/list own
READ  GET    /get-artifact file
READ  GET    /model-versions/get-artifact file
READ  POST   /graphql graphql
WRITE POST   /v1/traces spans
SIGNED GET   / own
SIGNED GET   /smalti-pages.js own
SIGNED GET   /smalti-pages.css own
SIGNED GET   /static-files/<path...> page
SIGNED GET   /version
"""

# Judged and refused: beginning of the path (after /api or /ajax-api where there is one), why.
DENIED = {
    "/3.0/mlflow/gateway/": "AI gateway: keys of others, calls out",
    "/gateway/": "AI gateway",
    "/2.0/mlflow/gateway-proxy": "AI gateway: forwards to any address",
    "/3.0/mlflow/assistant/": "assistant: runs programs on the server",
    "/3.0/mlflow/mcp-servers": "MCP: addresses that the server calls",
    "/3.0/mlflow/jobs": "runs code in the server",
    "/3.0/jobs": "runs code in the server",
    "/3.0/mlflow/prompt-optimization/": "runs code in the server",
    "/3.0/mlflow/scorer/invoke": "runs code in the server",
    "/3.0/mlflow/scorers/online-config": "runs code in the server",
    "/3.0/mlflow/issues/invoke": "runs code in the server",
    "/3.0/mlflow/genai/evaluate/invoke": "runs code in the server",
    "/2.0/mlflow/runs/create-promptlab-run": "AI gateway",
    "/2.0/mlflow/webhooks": "the server calls an address that a client names",
    "/2.0/mlflow/artifacts/presigned-": "hands out addresses that pass the gate by",
    "/2.0/mlflow-artifacts/presigned/": "hands out addresses that pass the gate by",
    "/2.0/mlflow-artifacts/mpu/": "hands out addresses that pass the gate by",
    "/2.0/mlflow/upload-artifact": "holds the whole file in memory; there is a streaming one",
    "/3.0/mlflow/workspaces": "workspaces are projects: made and listed by the platform",
    "/3.0/mlflow/demo/": "writes made-up data",
    "/3.0/mlflow/ui-telemetry": "telemetry",
    "/2.0mlflow/experiments/search-datasets": "not implemented by MLflow",
    "/2.0/mlflow/unified-traces": "not implemented by MLflow",
    "/2.0/mlflow/get-online-trace-details": "not implemented by MLflow",
    "/build/": "the same files as /static-files",
    "/health": "answered by the gate before anything else",
    "/3.0/mlflow/server-info": "answered by the gate before anything else",
    "/graphql": "only POST, which browsers never send across sites as JSON",
}


def _parse(text: str, prefix: str = "") -> list[Rule]:
    rules = []
    for line in text.strip().splitlines():
        need, method, path, *kind = line.split()
        rules.append(Rule(Need[need], method, prefix + path, Kind(kind[0]) if kind else Kind.JSON))
    return rules


ALLOWED = [*_parse(_BOTH, "/api/"), *_parse(_BOTH, "/ajax-api/"), *_parse(_ELSE)]
_BY_PATH = {(rule.method, rule.path): rule for rule in ALLOWED if "<" not in rule.path}
_PATTERNS = [(r.method, re.compile(r.pattern), r) for r in ALLOWED if "<" in r.path]


def find(method: str, path: str) -> Rule | None:
    """Find the rule of a request; None for what is not let through. HEAD counts as GET."""
    method = "GET" if method == "HEAD" else method
    known = _BY_PATH.get((method, path))
    if known is not None:
        return known
    for wanted, pattern, rule in _PATTERNS:
        if wanted == method and pattern.fullmatch(path):
            return rule
    return None


def reason_denied(path: str) -> str | None:
    """Say why a path was judged and refused; None for one that nobody has looked at."""
    bare = re.sub(r"^/(api|ajax-api)(?=/)", "", path)
    return next((why for start, why in DENIED.items() if bare.startswith(start)), None)

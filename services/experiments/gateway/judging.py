"""What a body may say: tags that are ours, addresses that point outside, operations that write.

Called by `gate` for every JSON body that would change something. What is passed on is written
anew from what was judged here, under MLflow's own spelling of each name: MLflow also takes
`artifactLocation` for `artifact_location`, and a text that holds JSON for JSON. Pure.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from services.experiments.gateway.paths import is_plain, is_plain_artifact
from services.experiments.protocol import AccessAnswer

OURS = "smalti."
# Tags by which MLflow's server finds files: whoever could set them could have it read any file.
_PLACES = frozenset(
    {"mlflow.artifactLocation", "mlflow.trace.archiveLocation", "mlflow.trace.spansLocation"}
)
_SOURCES = frozenset({"runs", "models", "mlflow-artifacts"})
GRAPHQL_LONGEST = 20_000
# On what these create stands who made it.
CREATES = re.compile(
    r"/(api|ajax-api)/(2\.0/mlflow/(runs/create|logged-models|model-versions/create|traces)"
    r"|3\.0/mlflow/traces)"
)

Json = dict[str, Any]


class Refused(Exception):
    """The body asks for what is not let through; the text is for the caller."""


def parse(raw: bytes) -> Json:
    """Read a JSON body as MLflow would, with its names in one spelling. Raises Refused."""
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
        if isinstance(value, str):
            value = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Refused("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise Refused("The body must be a JSON object.")
    body = _spelled(value)
    if isinstance(body.get("trace"), dict):  # deeper, only a trace's own tags are judged
        body["trace"] = _spelled(body["trace"])
    return body


def _spelled(value: Json) -> Json:
    """Write an object's own names with underscores."""
    spelled: Json = {}
    for name, inner in value.items():
        plain = _underscored(name)
        if plain in spelled:
            raise Refused(f"{plain} is given twice.")
        spelled[plain] = inner
    return spelled


@lru_cache(maxsize=1000)
def _underscored(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)


def judge(path: str, body: Json, who: AccessAnswer) -> Json:
    """Return the body to pass on. Raises Refused."""
    creates = CREATES.fullmatch(path) is not None
    _check_key(body.get("key"))
    for name in ("artifact_location", "artifact_uri", "artifact_root", "default_artifact_root"):
        if _holds(body, name):
            raise Refused(f"{name} cannot be chosen: the platform says where artifacts are.")
    if path.endswith("/model-versions/create"):
        _check_source(body.get("source"))
    for name in ("path", "artifact_path"):
        if isinstance(body.get(name), str) and not is_plain_artifact(body[name]):
            raise Refused(f"{name} is not a path below the run's artifacts.")
    made = provenance(who) if creates else {}
    if path.endswith("/runs/create"):
        made |= _of_run(made)
    if path.endswith("/traces"):
        _on_trace(body, made)
    elif "tags" in body or creates:
        body["tags"] = _tags(body.get("tags"), made)
    if path.endswith("/runs/create"):
        body["user_id"] = who.person
    return body


def check_query_key(key: str) -> None:
    """Refuse a tag of ours, or of a place, that a path or query names. Raises Refused."""
    _check_key(key)


def provenance(who: AccessAnswer) -> dict[str, str]:
    """The tags that say where something comes from: of the token's facts, never the client's."""
    found = {"smalti.person": who.person}
    if who.project is not None:
        found["smalti.project"] = who.project.full_name
    if who.run is not None:
        found[f"smalti.{who.run.kind}_id"] = who.run.id
        found["smalti.commit"] = who.run.commit
        found["smalti.environment"] = who.run.environment
    return found


def _of_run(made: dict[str, str]) -> dict[str, str]:
    """MLflow's own names for the same, which its pages show."""
    known = {"mlflow.user": made["smalti.person"]}
    if "smalti.commit" in made:
        known["mlflow.source.git.commit"] = made["smalti.commit"]
    return known


def _check_key(key: Any) -> None:
    if not isinstance(key, str):
        return
    if key.startswith(OURS):
        raise Refused(f"Tags that begin with {OURS} are set by the platform and cannot be changed.")
    if key in _PLACES:
        raise Refused(f"The tag {key} is set by the server and cannot be changed.")


def _tags(tags: Any, made: dict[str, str]) -> Any:
    """Leave out tags that are ours to set, and put ours in; of either of MLflow's two shapes."""
    if isinstance(tags, dict):
        kept = {key: value for key, value in tags.items() if _is_theirs(key, made)}
        return {**kept, **made}
    if tags is not None and not isinstance(tags, list):
        raise Refused("tags must be a list.")
    rows = [tag for tag in tags or [] if not isinstance(tag, dict) or _is_theirs(tag, made)]
    return [*rows, *({"key": key, "value": value} for key, value in made.items())]


def is_reserved(key: str) -> bool:
    """Tell whether a tag is for the platform or the server to set."""
    return key.startswith(OURS) or key in _PLACES


def _is_theirs(tag: Any, made: dict[str, str]) -> bool:
    key = tag.get("key") if isinstance(tag, dict) else tag
    if not isinstance(key, str):
        return True  # MLflow says what is wrong with it
    return not is_reserved(key) and key not in made


def _on_trace(body: Json, made: dict[str, str]) -> None:
    """A trace's tags stand in `trace.trace_info` (3.0) or at the top, as pairs (2.0)."""
    trace = body.get("trace")
    info = trace.get("trace_info") if isinstance(trace, dict) else None
    if isinstance(info, dict):
        info["tags"] = _tags(info.get("tags") or {}, made)
    else:
        body["tags"] = _tags(body.get("tags"), made)


def _holds(body: Json, name: str) -> bool:
    return bool(body.get(name))


def _check_source(source: Any) -> None:
    """A model version comes from a run or a logged model here, or from another version."""
    if not isinstance(source, str) or not source:
        raise Refused("source is missing.")
    try:
        parts = urlsplit(source)
    except ValueError as error:
        raise Refused("source is not an address.") from error
    outside = parts.scheme not in _SOURCES or parts.netloc or parts.query or parts.fragment
    if outside or not is_plain(source.partition(":")[2]):
        raise Refused(
            "source must name a run's or a logged model's artifacts here "
            "(runs:/..., models:/... or mlflow-artifacts:/...)."
        )


def check_graphql(body: Json) -> None:
    """Let questions through and nothing that writes. Raises Refused."""
    from graphql import OperationDefinitionNode, OperationType, parse
    from graphql.error import GraphQLError

    query = body.get("query")
    if not isinstance(query, str) or len(query) > GRAPHQL_LONGEST:
        raise Refused(f"query is missing or longer than {GRAPHQL_LONGEST} characters.")
    try:
        document = parse(query, max_tokens=5000)
    except (GraphQLError, RecursionError) as error:
        raise Refused("query is not GraphQL.") from error
    for part in document.definitions:
        if isinstance(part, OperationDefinitionNode) and part.operation != OperationType.QUERY:
            raise Refused("Only queries are answered.")


def written(body: Json) -> bytes:
    """Write a judged body for MLflow."""
    return json.dumps(body, allow_nan=True).encode()

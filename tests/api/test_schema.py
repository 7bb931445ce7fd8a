"""Every operation of the OpenAPI document, asked at random: no 5xx, no answer off its schema.

As an admin, as a plain person and as nobody. Ids of things that exist are mixed in, so that
the calls reach what lies behind the first 404.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.served import Served, serve

WITHOUT_MLFLOW = (
    "/models", "/models/{name}", "/versions", "/versions/{n}", "/aliases/{alias}",
    "/experiments", "/experiment-runs",
)  # fmt: skip
WITHOUT_HUB = ("/people", "/people/{id}/password")  # what POST asks of it
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
EXAMPLES = 15
ENDLESS = {"/events", "/logs"}  # server-sent streams: their own tests read them


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A platform with some of everything in it."""
    with serve(tmp_path_factory.mktemp("schema")) as platform:
        yield platform


@pytest.fixture(scope="module")
def schema(served: Served) -> Any:
    """The document as it is served."""
    return schemathesis.openapi.from_url(f"{served.origin}/services/smalti/api/openapi.json")


def operations(schema: Any) -> list[Any]:
    """All operations that answer and end."""
    found = [result.ok() for result in schema.get_all_operations()]
    return [one for one in found if not one.path.endswith(tuple(ENDLESS))]


def ids_for(path: str, served: Served) -> list[str]:
    """Ids that exist, for the kind of thing a path is about."""
    for word, kind in (("projects", "project"), ("jobs", "job"), ("people", "person")):
        if f"/{word}/{{" in path:
            return served.known[kind]
    return []


def asks_another(method: str, path: str) -> bool:
    """Tell whether an operation needs a process that is not beside this platform."""
    return path.endswith(WITHOUT_MLFLOW) or (method == "POST" and path.endswith(WITHOUT_HUB))


@pytest.mark.parametrize("caller", ["admin", "person", "nobody"])
@pytest.mark.timeout(400)
def test_every_operation_keeps_to_its_schema(schema: Any, served: Served, caller: str) -> None:
    token = served.tokens.get(caller)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    every = operations(schema)
    assert len(every) > 30
    seen: Counter[int] = Counter()
    for operation in every:
        ids = ids_for(operation.path, served)

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), known=st.sampled_from([None, *ids]))
        def ask(case: Any, known: str | None) -> None:
            if known and "id" in (case.path_parameters or {}):
                case.path_parameters["id"] = known
            if case.method == "DELETE" and known and caller != "nobody":
                return  # what the other calls look at stays
            # A made-up credential is the hub's to judge, and there is no hub here.
            case.headers.pop("Authorization", None)
            answer = case.call(headers=headers, timeout=20)
            seen[answer.status_code] += 1
            if answer.status_code == 503 and asks_another(case.method, case.path):
                assert answer.json()["error"]["code"] == "unavailable"
                return
            case.validate_response(answer, checks=CHECKS)

        ask()
    print(f"{caller}: {dict(sorted(seen.items()))}")
    if caller == "nobody":
        assert seen[401] > len(every) / 2
    else:
        assert {200, 404, 422} <= set(seen), "the calls did not reach what they should"

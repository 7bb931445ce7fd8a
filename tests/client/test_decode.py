"""From JSON to views, tolerantly, and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smalti import decode
from smalti.errors import UnexpectedAnswer
from smalti.views import Comparison, Health, JobView, Metrics, ProjectView

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from([*JobView.__dataclass_fields__, "something_new"])


def test_unknown_fields_are_ignored_and_missing_ones_default() -> None:
    view = decode.read(JobView, {"id": "x", "colour": "blue", "usage": {"energy": 3}})
    assert (view.id, view.number, view.tags) == ("x", 0, ())
    assert view.usage is not None


def test_null_means_the_default() -> None:
    assert decode.read(ProjectView, {"id": "x", "description": None}).description == ""


@pytest.mark.parametrize(
    "fields",
    [{"number": "7"}, {"number": 1.5}, {"number": True}, {"tags": "x"}, {"queued_at": "soon"},
     {"owner": []}, {"status": 3}, {"env": [1]}, {"tags": [1]}, {"timeout": 10**400}],
)  # fmt: skip
def test_value_of_wrong_type_is_refused_with_its_field(fields: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer, match=next(iter(fields))):
        decode.read(JobView, {"id": "x", **fields})


def test_missing_field_without_default_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="lacks a field"):
        decode.read(JobView, {"number": 1})


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(FIELDS, JSON))
def test_any_json_gives_view_or_refusal(fields: dict[str, Any]) -> None:
    try:
        view = decode.read(JobView, {"id": "x", **fields})
    except UnexpectedAnswer:
        return
    json.dumps(decode.plain(view))


def test_views_within_views_are_read_and_written() -> None:
    value = {
        "settings": [{"name": "tier", "left": "a", "right": None}],
        "code": {"commits": ["1", "2"], "files": [{"path": "x"}], "patch": "p"},
        "metrics": [],
        "outputs": [{"path": "y", "left": {"size": 1, "sha256": "0"}, "right": None}],
    }
    read = decode.read(Comparison, value)
    assert read.outputs[0].left is not None
    assert decode.plain(read)["code"]["commits"] == ["1", "2"]
    assert decode.read(Metrics, {"samples": [{"at": "2026-01-01T00:00:00Z"}]}).samples[0].at
    assert decode.read(Health, {"dependencies": [{"name": "hub"}]}).dependencies[0].name == "hub"


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_survive_writing_and_reading(moment: datetime) -> None:
    assert decode.time(decode.plain(moment)) == moment


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("2026-01-02T03:04:05Z", 0),
        ("2026-01-02T03:04:05.1Z", 100_000),
        ("2026-01-02T03:04:05.123456789Z", 123_456),
        ("2026-01-02T05:04:05.5+02:00", 500_000),
        ("2026-01-02T03:04:05", 0),
    ],
)
def test_time_in_any_precision_is_read(text: str, micro: int) -> None:
    expected = datetime(2026, 1, 2, 3, 4, 5, micro, UTC)
    assert decode.time(text) - expected == timedelta(0)

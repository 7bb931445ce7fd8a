"""The event stream's decisions on plain values."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import BadRequest
from services.core.events import TOPICS
from services.events.rules import NEEDED, Event, last_seen, resume, topics_in, written

texts = st.text(max_size=30)


def test_every_topic_has_the_permission_it_needs() -> None:
    assert set(NEEDED) == set(TOPICS)


def test_topics() -> None:
    assert topics_in(None) == frozenset(TOPICS)
    assert topics_in("jobs") == {"jobs"}
    assert topics_in("jobs, projects,jobs") == {"jobs", "projects"}
    for given_ in ("", "jobs,", "nothing", "JOBS", "jobs;projects"):
        with pytest.raises(BadRequest):
            topics_in(given_)


def test_the_header_wins_over_the_query() -> None:
    assert last_seen("", None) is None
    assert last_seen("", 5) == 5
    assert last_seen("7", 5) == 7
    for header in ("x", "-1", "1.0", "7 ", "²", "9" * 19):
        assert last_seen(header, 5) == -1


@given(st.none() | st.integers(-1, 50), st.integers(1, 40), st.integers(0, 10), st.booleans())
def test_nothing_is_missed_without_being_told(
    seen: int | None, oldest: int, kept: int, empty: bool
) -> None:
    newest = 0 if empty else oldest + kept
    start = resume(seen, None if empty else oldest, newest)
    assert 0 <= start.position <= newest
    if seen is None:
        assert not start.lost
        assert start.position == newest
    elif not start.lost:
        assert start.position == seen
        assert empty or seen >= oldest - 1  # the next one is still kept
    else:
        assert start.position == newest


@given(st.dictionaries(texts, texts | st.integers() | st.none()), texts, st.none() | texts)
def test_whatever_an_event_holds_it_is_one_message(
    data: dict[str, object], subject: str, project: str | None
) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    event = Event(7, at, "jobs", "job.changed", project, None, subject, data)
    lines = written(event).decode().split("\n")
    assert lines[:2] == ["id: 7", "event: job.changed"]
    assert lines[3:] == ["", ""]
    found = json.loads(lines[2].removeprefix("data: "))
    assert found["data"] == data
    assert (found["subject_id"], found["project_id"]) == (subject, project)
    assert found["at"] == "2026-03-01T00:00:00Z"

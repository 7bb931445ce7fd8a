"""Logs and events as they come, over cuts and restarts, without gap or repetition."""

from __future__ import annotations

import itertools
import time

import pytest
import smalti
from hypothesis import given
from hypothesis import strategies as st
from smalti import stream
from smalti.stream import Parser, ServerEvent
from smalti.views import LogText, StatusChange

from tests.client.server import Fault, Platform

LINES = st.sampled_from(
    [b"data: a", b"data:b", b"data", b"event: log", b"id: 7", b"id", b": c", b"retry: 5", b"", b"x"]
)


def parse(*pieces: bytes) -> list[ServerEvent]:
    """All events of a stream that comes in pieces."""
    parser = Parser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_events_are_read_by_the_standards_rules() -> None:
    text = b": hi\n\nevent: log\nid: 5\ndata: {\ndata:  1}\n\ndata\n\nid: 6\n\ndata: x\n\ndata: cut"
    assert parse(text) == [
        ServerEvent("log", "{\n 1}", "5"),
        ServerEvent("message", "", "5"),
        ServerEvent("message", "x", "6"),
    ]


@given(st.lists(LINES, max_size=30), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_events_do_not_depend_on_cuts_and_line_ends(
    lines: list[bytes], end: bytes, data: st.DataObject
) -> None:
    text = b"".join(line + end for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    bounds = [0, *cuts, len(text)]
    pieces = [text[start:stop] for start, stop in itertools.pairwise(bounds)]
    assert parse(*pieces) == parse(b"".join(line + b"\n" for line in lines))


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data: bytes) -> None:
    parse(data)


def test_event_without_end_is_refused_and_long_lines_are_cheap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()
    parse(b"data: ", *[b"x" * 1000] * 20_000, b"\n\n")
    assert time.monotonic() - began < 2
    monkeypatch.setattr(stream, "MAX_EVENT", 10_000)
    for endless in (b"data: xxxxxxxxxxx\n", b"xxxxxxxxxxxxxxxxx"):
        with pytest.raises(smalti.UnexpectedAnswer):
            parse(*[endless] * 2000)


def test_log_is_followed_to_its_end(platform: Platform, client: smalti.Client) -> None:
    job = client.jobs.start("wine", "x")
    events = list(job.follow())
    assert events == [
        StatusChange("Running"),
        LogText(4, "one\n"),
        LogText(8, "two\n"),
    ]
    assert "".join(job.logs(follow=True)) == "one\ntwo\n"
    assert "".join(job.logs()) == "one\ntwo\n"
    assert "".join(job.logs(offset=4)) == "two\n"


def test_log_that_breaks_everywhere_is_whole(platform: Platform, client: smalti.Client) -> None:
    platform.next_log = [f"line {n}: ü\n".encode() for n in range(40)]
    job = client.jobs.start("wine", "x")
    # The streams break further and further on, some before their first event is whole.
    platform.faults += [Fault("GET", "/logs$", cut_at=50 + 160 * n) for n in range(12)]
    platform.faults += [Fault("GET", "/logs$", times=3, status=502)]
    assert "".join(job.logs(follow=True)) == b"".join(platform.next_log).decode()
    offsets = [call.headers.get("last-event-id") for call in platform.calls_of("GET", "/logs")]
    assert offsets[0] is None
    assert offsets[-1] is not None


def test_log_already_told_is_not_told_again(platform: Platform, client: smalti.Client) -> None:
    job = client.jobs.start("wine", "x")
    again = b"".join(
        f'id: {end}\nevent: log\ndata: {{"offset": 0, "text": "{text}"}}\n\n'.encode()
        for end, text in [(4, "one"), (4, "one"), (2, "o"), (8, "two")]
    )
    kind = {"Content-Type": "text/event-stream"}
    platform.faults.append(Fault("GET", "/logs$", status=200, body=again, headers=kind))
    assert "".join(job.logs(follow=True)) == "onetwo"


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{}", "application/json"), (b"event: log\ndata: {}\n\n", "text/event-stream"),
     (b"id: 5\nevent: log\ndata: {\n\n", "text/event-stream")],
)  # fmt: skip
def test_stream_that_is_none_is_told(
    platform: Platform, client: smalti.Client, body: bytes, kind: str
) -> None:
    job = client.jobs.start("wine", "x")
    fault = Fault("GET", "/logs$", status=200, body=body, headers={"Content-Type": kind})
    platform.faults.append(fault)
    with pytest.raises(smalti.UnexpectedAnswer):
        list(job.follow())


def test_stream_refused_is_told(platform: Platform, client: smalti.Client) -> None:
    job = client.jobs.start("wine", "x")
    platform.faults.append(Fault("GET", "/logs$", status=403))
    with pytest.raises(smalti.Forbidden):
        list(job.follow())


def test_log_as_bytes_is_exact_over_cuts(platform: Platform, client: smalti.Client) -> None:
    platform.next_log = [bytes(range(256)) * 50]
    job = client.jobs.start("wine", "x")
    platform.faults += [Fault("GET", "/logs$", cut_at=1000), Fault("GET", "/logs$", cut_at=77)]
    assert b"".join(job.log_bytes()) == platform.next_log[0]
    text = "".join(job.logs())
    assert text == platform.next_log[0].decode("utf-8", "replace")


def test_events_go_on_where_they_broke_off(platform: Platform, client: smalti.Client) -> None:
    events = list(itertools.islice(client.events(["jobs", "projects"], after="3"), 6))
    assert [event.data["n"] for event in events] == [4, 5, 6, 7, 8, 9]
    assert platform.calls[0].query["topics"] == "jobs,projects"
    assert events[0].kind == "job.changed"

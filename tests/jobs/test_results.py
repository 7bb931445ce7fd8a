"""Logs as streams and text, outputs, metrics and comparisons, over HTTP."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx

from services.core.routing import API
from services.planes.protocol import Outcome, Phase, SamplePoint
from tests.jobs.conftest import Lab


async def running(lab: Lab) -> str:
    """Have one job running; give its id."""
    job = await lab.started()
    await lab.agent.poll()
    await lab.agent.say(job["id"], Phase.RUNNING)
    return str(job["id"])


class Stream:
    """Reads a job's log as server-sent events."""

    def __init__(self, lab: Lab, job_id: str) -> None:
        self.lab, self.url = lab, f"{API}/jobs/{job_id}/logs"
        self.text, self.position, self.ended = "", 0, False
        self.statuses: list[str] = []

    async def follow(self, until: int | None = None) -> None:
        """Read to the end, or until so many characters are there; resumes where it was."""
        headers = {
            "Authorization": f"Bearer {self.lab.ada}",
            "Last-Event-ID": str(self.position),
        }
        async with self.lab.house.client.stream("GET", self.url, headers=headers) as answer:
            assert answer.status_code == 200
            async for kind, position, data in events_of(answer):
                if kind == "log":
                    self.text += data["text"]
                    self.position = position or self.position
                elif kind == "status":
                    self.statuses.append(data["status"])
                elif kind == "end":
                    self.ended = True
                if until is not None and len(self.text) >= until:
                    return


async def events_of(answer: httpx.Response) -> Any:
    """Yield kind, id and data of each event."""
    kind, position = "", None
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind, position = value, None
        elif name == "id":
            position = int(value)
        elif name == "data":
            yield kind, position, json.loads(value)


async def test_a_log_is_followed_while_it_grows_and_ends_with_its_job(lab: Lab) -> None:
    job_id = await running(lab)
    stream = Stream(lab, job_id)
    following = asyncio.create_task(stream.follow())
    end = 0
    for piece in (b"one\n", b"two\n", "drei \u00e4\n".encode()):
        end = (await lab.agent.put_log(job_id, end, piece)).json()["end"]
    await lab.agent.say(job_id, Phase.FINISHED, outcome=Outcome.SUCCEEDED, exit_code=0)
    await asyncio.wait_for(following, 10)
    assert stream.text == "one\ntwo\ndrei \u00e4\n"
    assert stream.ended
    assert stream.statuses[-1] == "Succeeded"


async def test_a_broken_stream_goes_on_where_it_was_even_within_a_character(lab: Lab) -> None:
    job_id = await running(lab)
    whole = ("\u20ac" * 10).encode()
    await lab.agent.put_log(job_id, 0, whole[:10])  # three characters and a third of one
    stream = Stream(lab, job_id)
    await stream.follow(until=3)
    assert (stream.text, stream.position) == ("\u20ac" * 3, 9)
    await lab.agent.put_log(job_id, 10, whole[10:])
    await lab.agent.say(job_id, Phase.FINISHED, outcome=Outcome.SUCCEEDED, exit_code=0)
    await stream.follow()
    assert stream.text == "\u20ac" * 10


async def test_a_log_that_is_no_utf8_is_text_with_marks_and_bytes_as_they_were(lab: Lab) -> None:
    job_id = await running(lab)
    noise = bytes(range(256)) * 10
    await lab.agent.put_log(job_id, 0, noise)
    plain = await lab.get(f"/jobs/{job_id}/logs?follow=false")
    assert plain.content == noise
    part = await lab.get(f"/jobs/{job_id}/logs?follow=false&offset=256&limit=10")
    assert part.content == noise[:10]
    await lab.agent.say(job_id, Phase.FINISHED, outcome=Outcome.SUCCEEDED, exit_code=0)
    stream = Stream(lab, job_id)
    await stream.follow()
    assert stream.text == noise.decode("utf-8", "replace")


async def test_outputs_are_listed_and_given_as_attachments(lab: Lab) -> None:
    job_id = await running(lab)
    page = b"<script>alert(1)</script>"
    await lab.agent.put_output(job_id, "report/index.html", page)
    listed = (await lab.get(f"/jobs/{job_id}/outputs")).json()["items"]
    assert [(one["path"], one["size"]) for one in listed] == [("report/index.html", len(page))]
    answer = await lab.get(f"/jobs/{job_id}/outputs/report/index.html")
    assert answer.content == page
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await lab.get(f"/jobs/{job_id}/outputs/nothing")).status_code == 404


async def test_metrics_are_the_samples_and_the_numbers_that_were_written(lab: Lab) -> None:
    job_id = await running(lab)
    points = [SamplePoint(at=datetime.now(UTC), cpu=0.5, memory=1 << 20)]
    await lab.agent.say(job_id, Phase.RUNNING, samples=points)
    values = b'{"accuracy": 0.97, "trees": 200, "name": "x", "bad": NaN, "ok": true}'
    await lab.agent.put_output(job_id, "metrics.json", values)
    found = (await lab.get(f"/jobs/{job_id}/metrics")).json()
    assert found["values"] == {"accuracy": 0.97, "trees": 200.0}
    assert [(one["cpu"], one["memory"]) for one in found["samples"]] == [(0.5, 1 << 20)]


async def test_a_metrics_file_that_is_none_gives_no_numbers(lab: Lab) -> None:
    job_id = await running(lab)
    assert (await lab.get(f"/jobs/{job_id}/metrics")).json()["values"] is None
    for text in (b"not json", b"[1, 2]", b"\xff\xfe", b"[" * 100_000):
        await lab.agent.put_output(job_id, "metrics.json", text)
        found = await lab.get(f"/jobs/{job_id}/metrics")
        assert (found.status_code, found.json()["values"]) == (200, None)


async def test_two_jobs_side_by_side(lab: Lab) -> None:
    left = await running(lab)
    await lab.agent.put_output(left, "metrics.json", b'{"accuracy": 0.9}')
    await lab.agent.put_output(left, "same.txt", b"same")
    await lab.commit("main.py", "print('hello')\nprint('more')\n")
    job = await lab.started(env={"DEPTH": "3"})
    right = job["id"]
    await lab.agent.poll()
    await lab.agent.put_output(right, "metrics.json", b'{"accuracy": 0.95, "new": 1}')
    await lab.agent.put_output(right, "same.txt", b"same")
    found = (await lab.get(f"/jobs/compare?left={left}&right={right}")).json()
    names = [one["name"] for one in found["settings"]]
    assert names == ["commit", "env"]
    [file] = found["code"]["files"]
    assert (file["path"], file["additions"], file["deletions"]) == ("main.py", 1, 0)
    assert "+print('more')" in found["code"]["patch"]
    assert found["metrics"] == [
        {"name": "accuracy", "left": 0.9, "right": 0.95},
        {"name": "new", "left": None, "right": 1.0},
    ]
    assert [(one["path"], one["same"]) for one in found["outputs"]] == [
        ("metrics.json", False),
        ("same.txt", True),
    ]

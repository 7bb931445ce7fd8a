"""P8: 100 MB of one job's output: nothing lost, seen at once, and the agent stays small."""

from __future__ import annotations

import hashlib
import json
import time

from tests.benchmarks.cpu import Meter
from tests.benchmarks.platform_use import make_project, pss, settle, start, wait_for
from tests.benchmarks.rows import Row, percentile
from tests.instance import Instance

LINES, WIDTH = 1_000_000, 100
FLOOD = f"""
import hashlib, sys
digest = hashlib.sha256()
for number in range({LINES}):
    line = b'%0{WIDTH - 1}d\\n' % number
    digest.update(line)
    sys.stdout.buffer.write(line)
sys.stdout.buffer.flush()
print(digest.hexdigest())
"""
TICKING = """
import time
for _ in range(40):
    print(time.time(), flush=True)
    time.sleep(0.1)
"""


def flood(smalti: Instance, project_id: str) -> tuple[bool, float, float]:
    """Run the flood; tell whether the log is whole, seconds taken, and MB the agent grew."""
    agent = smalti.pid("agent")
    before = most = pss(agent)
    began = time.monotonic()
    with smalti.client() as client:
        job = start(client, project_id, ["python", "-c", FLOOD])
        while client.get(f"/jobs/{job['id']}").json()["status"] != "Succeeded":
            most = max(most, pss(agent))
            assert time.monotonic() - began < 120
            time.sleep(0.05)
        seconds = time.monotonic() - began
        digest, tail = hashlib.sha256(), b""
        path = f"/jobs/{job['id']}/logs?follow=false"
        with client.stream("GET", path) as answer:
            for piece in answer.iter_bytes():
                tail += piece
                digest.update(tail[:-65])
                tail = tail[-65:]
    return tail.strip().decode() == digest.hexdigest(), seconds, (most - before) / 1e6


def lags(smalti: Instance, project_id: str) -> list[float]:
    """Seconds from a line's printing to its being read from the stream."""
    found = []
    with smalti.client() as client:
        job = start(client, project_id, ["python", "-c", TICKING])
        wait_for(client, job["id"], {"Running"})
        with client.stream("GET", f"/jobs/{job['id']}/logs") as answer:
            kind = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "log":
                    stamps = json.loads(line[6:])["text"].split()
                    found += [time.time() - float(stamp) for stamp in stamps]
                elif kind == "end":
                    break
    assert len(found) == 40, found
    return found


def run(smalti: Instance, _: Meter) -> list[Row]:
    """Measure on a running platform."""
    settle(smalti)
    with smalti.client() as client:
        project_id = make_project(client, "p8")
    whole, seconds, grown = flood(smalti, project_id)
    lag = percentile(lags(smalti, project_id), 0.99)
    return [
        Row("P8", "100 MB of one job's output", f"{100 / seconds:.0f} MB/s", "", "nothing lost",
            whole),
        Row("P8", "the agent grows meanwhile by", f"{grown:.0f} MB", "", "under 50 MB",
            grown < 50),
        Row("P8", "a line is seen after, p99", f"{lag * 1000:.0f} ms", "", "1 s", lag <= 1),
    ]  # fmt: skip

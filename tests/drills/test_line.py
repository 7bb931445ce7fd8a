"""D11: messages between agent and platform lost, doubled, held back, replayed and cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.drills.lossy import Server, bad_line
from tests.drills.observer import Observer
from tests.drills.report import Tell
from tests.instance import Instance


@contextmanager
def between(smalti: Instance, seed: int) -> Iterator[Server]:
    """Put a bad line between agent and platform: the agent reads the port anew as it starts."""
    file = smalti.home / "run" / "ports.json"
    kept = file.read_text()
    ports = json.loads(kept)
    with bad_line(ports["platform"], seed) as server:
        file.write_text(json.dumps({**ports, "platform": server.server_address[1]}))
        smalti.wait_ready("agent", not_pid=smalti.kill("agent"))
        try:
            yield server
        finally:
            file.write_text(kept)
            smalti.wait_ready("agent", not_pid=smalti.kill("agent"))


@pytest.mark.drill("D11", "messages lost, doubled, replayed, cut")
def test_a_bad_line_loses_and_doubles_nothing(smalti: Instance, seed: int, tell: Tell) -> None:
    tell(bad_line_under_work(smalti, seed, 30))


def bad_line_under_work(smalti: Instance, seed: int, jobs: int) -> dict[str, float]:
    """Run jobs over a bad line."""
    with between(smalti, seed) as server:
        observer = Observer(smalti, seed)
        observer.start(jobs, pause=0.05)
        observer.wait_for_the_end(180)
        assert server.done["doubled"], server.done
        assert server.done["unanswered"] + server.done["lost"], server.done
    observer.check()
    return dict(server.done)

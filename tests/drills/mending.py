"""Keeps drills apart: says what one left wrong, keeps the evidence, puts the Smalti right."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.instance import Instance

EVIDENCE = Path(__file__).resolve().parents[2] / "build" / "drills"
UNFINISHED = ("Queued", "Pending", "Preparing", "Running", "Finishing", "Stopping")
PATIENCE = 60.0
FAILED = pytest.StashKey[bool]()


@contextmanager
def tidied(smalti: Instance, drill: pytest.Item) -> Iterator[None]:
    """Hold a drill to leaving a whole Smalti without work; one that fails leaves evidence."""
    try:
        yield
    finally:
        wrong = _left(smalti)
        if wrong or drill.stash.get(FAILED, False):
            print(f"logs and database of {drill.name}: {_keep(smalti, drill.name)}")
        if wrong:
            _mend(smalti)
    assert not wrong, wrong


def _left(smalti: Instance) -> list[str]:
    """Say what is not as it should be, once there was time for it."""
    end_by = time.monotonic() + PATIENCE
    while True:
        wrong = [f"{name} is {state}" for name, state in _states(smalti) if state != "running"]
        wrong = wrong or [f"{job['id']} is {job['status']}" for job in _unfinished(smalti)]
        if not wrong or time.monotonic() > end_by:
            return wrong
        time.sleep(0.5)


def _states(smalti: Instance) -> Iterator[tuple[str, str]]:
    status = smalti.status()
    for row in (status["supervisor"], *status["processes"]):
        yield row["name"], row["state"]


def _unfinished(smalti: Instance) -> list[Any]:
    found = []
    try:
        with smalti.client() as client:
            for state in UNFINISHED:
                answer = client.get("/jobs", params={"status": state, "limit": 200})
                answer.raise_for_status()
                found += answer.json()["items"]
    except httpx.HTTPError as error:
        return [{"id": "the list of jobs", "status": f"not to be had: {error!r}"}]
    return found


def _keep(smalti: Instance, name: str) -> Path:
    kept = EVIDENCE / name
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(smalti.home / "logs", kept / "logs")
    for file in (smalti.home / "platform").glob("platform.sqlite*"):
        shutil.copy(file, kept)
    return kept


def _mend(smalti: Instance) -> None:
    smalti.restart()
    with smalti.client() as client:
        for job in _unfinished(smalti):
            client.post(f"/jobs/{job['id']}/stop")
    smalti.wait(lambda: not _unfinished(smalti), 120, "what a drill left to be stopped")

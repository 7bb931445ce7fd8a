"""D1 once more: the platform killed with -9 while files are edited; every commit is recorded."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from tests.drills.observer import Observer
from tests.drills.report import Tell
from tests.instance import Instance

KILLS = 3


@pytest.mark.drill("D1", "platform killed while files are edited")
def test_every_commit_is_in_the_trail(smalti: Instance, seed: int, tell: Tell) -> None:
    observer = Observer(smalti, seed)
    editing = threading.Event()
    editing.set()
    thread = threading.Thread(target=_edit, args=(observer, editing))
    thread.start()
    try:
        for _ in range(KILLS):
            smalti.wait(lambda: _begun(smalti), 60, "an edit to begin")
            time.sleep(observer.random.uniform(0, 0.1))  # anywhere in it: that is the drill
            pid = smalti.kill("platform")
            smalti.wait_ready("platform", not_pid=pid)
    finally:
        editing.clear()
        thread.join(90)
    assert not thread.is_alive()
    commits = _commits(observer)
    smalti.wait(lambda: set(_recorded(observer)) >= set(commits), 30, "all to be recorded")
    recorded = _recorded(observer)
    assert Counter(recorded) == Counter(commits), "recorded and not so, or more than once"
    late = sum(bool(row["after"].get("recorded_late")) for row in _rows(observer))
    tell({"processes killed": KILLS, "commits": len(commits), "recorded late": late})


def _begun(smalti: Instance) -> bool:
    """Tell whether an edit has come to where git is told to move the branch."""
    for note in (smalti.home / "platform" / "git-intents").glob("*"):
        with suppress(FileNotFoundError):
            if note.stat().st_size:
                return True
    return False


def _edit(observer: Observer, editing: threading.Event) -> None:
    with observer.smalti.client() as client:
        number = 0
        while editing.is_set():
            number += 1
            path = f"/projects/{observer.project_id}/content/file-{number % 5}"
            observer.insist("PUT", path, content=f"{number}".encode(), client=client)


def _commits(observer: Observer) -> list[str]:
    return [one["id"] for one in _all(observer, f"/projects/{observer.project_id}/commits?")]


def _rows(observer: Observer) -> list[Any]:
    rows = _all(observer, f"/audit-events?project_id={observer.project_id}&")
    return [row for row in rows if row["action"] == "file.write"]


def _recorded(observer: Observer) -> list[str]:
    return [row["after"]["commit"] for row in _rows(observer)]


def _all(observer: Observer, path: str) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while True:
        page = observer.insist("GET", f"{path}limit=200{cursor}").json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"

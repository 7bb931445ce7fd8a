"""D14 and D15: no room to write, and a database that somebody else holds."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.platform_use import settle
from tests.drills.mending import tidied
from tests.drills.observer import Observer
from tests.drills.report import Tell
from tests.instance import Instance
from tests.small_disk import MiB, filled, small_disk

WHOLE = 1600 * MiB
LOW = 100 * MiB


@pytest.fixture(scope="module")
def on_small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A Smalti whose state lies on a small disk of its own."""
    with small_disk(tmp_path_factory.mktemp("small"), WHOLE) as folder:
        instance = Instance(folder)
        instance.home.mkdir(mode=0o700)
        (instance.home / "smalti_config.py").write_text(f"c.Settings.low_disk = {LOW}\n")
        with instance:
            settle(instance)
            yield instance


@pytest.fixture
def small(on_small_disk: Instance, request: pytest.FixtureRequest) -> Iterator[Instance]:
    """The same, whole at the beginning of each drill."""
    with tidied(on_small_disk, request.node):
        yield on_small_disk


@pytest.mark.drill("D14", "disk nearly full")
def test_low_disk_stops_admission_and_nothing_else(small: Instance, seed: int, tell: Tell) -> None:
    observer = Observer(small, seed)
    observer.start(10)
    observer.some_running()
    with filled(small.home.parent, LOW // 2):
        small.wait(lambda: _low(small), 30, "low-disk mode")
        before = set(observer.jobs)
        observer.start(5)
        late = set(observer.jobs) - before
        small.wait(lambda: _wait_for_room(observer, late), 30, "the reason to be written")
        tell({"jobs held back": len(late)})
    observer.wait_for_the_end()
    observer.check()


@pytest.mark.drill("D14", "disk full to the last byte")
def test_a_full_disk_loses_nothing_that_was_accepted(
    small: Instance, seed: int, tell: Tell
) -> None:
    observer = Observer(small, seed)
    observer.start(10)
    observer.some_running()
    seconds = observer.random.uniform(1, 5)  # how long there is no room: that is the drill
    with adding(observer, 5) as thread, filled(small.home.parent):
        thread.start()
        time.sleep(seconds)
    tell({"s without room": seconds})
    observer.wait_for_the_end()
    # What ran while there was no room could not write its own file: its failure is true. What
    # was accepted then may have been refused by the plane, which has no room, and tried again.
    observer.check(starved=observer.jobs)
    small.wait(lambda: not _low(small), 30, "normal work again")


def _low(smalti: Instance) -> bool:
    health = httpx.get(f"{smalti.base}/health", timeout=30).json()
    return any("no work is admitted" in one["detail"] for one in health["dependencies"])


def _wait_for_room(observer: Observer, job_ids: Iterable[str]) -> bool:
    """Tell whether all of these jobs are queued and say that it is because of the disk."""
    jobs = [observer.insist("GET", f"/jobs/{job_id}").json() for job_id in job_ids]
    assert {job["status"] for job in jobs} == {"Queued"}, "admitted though the disk is low"
    return all("disk" in (job["reason"] or "") for job in jobs)


@pytest.mark.drill("D15", "database held for 10 s")
def test_a_held_database_is_waited_for(smalti: Instance, seed: int, tell: Tell) -> None:
    tell(hold_database(smalti, seed, 20, seconds=10))


def hold_database(smalti: Instance, seed: int, jobs: int, seconds: float) -> dict[str, float]:
    """Hold the platform's database from outside while jobs are accepted, run and end."""
    observer = Observer(smalti, seed)
    observer.start(jobs // 2)
    observer.some_running()
    asked, worst = 0, 0.0
    database = smalti.home / "platform" / "platform.sqlite"
    waiting = adding(observer, jobs - jobs // 2)
    with smalti.client() as client, waiting as thread, _held(database):
        thread.start()
        end_by = time.monotonic() + seconds
        while time.monotonic() < end_by:
            began = time.monotonic()
            answer = client.get(f"{smalti.base}/health")
            assert answer.status_code == 200, answer.text
            assert client.get("/me").status_code == 200
            asked, worst = asked + 1, max(worst, time.monotonic() - began)
            time.sleep(0.2)
    print(f"slowest answer while it was held: {worst:.2f} s")
    assert worst < 3, f"reading waited {worst:.1f} s for a writer"
    observer.wait_for_the_end()
    observer.check()
    return {"s held": seconds, "looks meanwhile": asked}


@contextmanager
def _held(database: Path) -> Iterator[None]:
    held = sqlite3.connect(database, isolation_level=None)
    try:
        held.execute("PRAGMA busy_timeout=20000")
        held.execute("BEGIN IMMEDIATE")
        yield
    finally:
        held.close()  # and so rolled back


@contextmanager
def adding(observer: Observer, count: int) -> Iterator[threading.Thread]:
    """Give a thread that starts jobs; all are accepted when this ends."""
    failed: list[BaseException] = []

    def start() -> None:
        try:
            observer.start(count)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            failed.append(error)

    thread = threading.Thread(target=start)
    try:
        yield thread
    finally:
        if thread.ident is not None:
            thread.join(90)
    assert not thread.is_alive(), "jobs are still not accepted"
    if failed:
        raise failed[0]

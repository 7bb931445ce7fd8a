"""D14 and D15: no room to write, and a database that somebody else holds."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.platform_use import settle
from tests.drills.observer import Observer
from tests.instance import Instance

MiB = 1 << 20
WHOLE = 1600 * MiB
LOW = 100 * MiB


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A Smalti whose state lies on a small disk of its own."""
    folder = tmp_path_factory.mktemp("small")
    options = f"size={WHOLE},mode=0755"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"a disk of its own needs the right to mount: {done.stderr.strip()}")
    try:
        instance = Instance(folder)
        instance.home.mkdir(mode=0o700)
        (instance.home / "smalti_config.py").write_text(f"c.Settings.low_disk = {LOW}\n")
        with instance:
            settle(instance)
            yield instance
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Take all of a disk's room but some bytes."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave - MiB))
        try:
            while not leave:  # to the last byte, whatever else is written meanwhile
                file.write(b"x" * 4096)
                file.flush()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            file.raw.close()  # what is still buffered has no place
    return ballast


def test_low_disk_stops_admission_and_nothing_else(small: Instance, seed: int) -> None:
    observer = Observer(small, seed)
    observer.start(10)
    observer.some_running()
    ballast = fill(small.home.parent, LOW // 2)
    try:
        small.wait(lambda: _low(small), 30, "low-disk mode")
        observer.start(5)
        small.wait(lambda: _reasons(observer), 30, "the reason to be written")
        assert all("disk" in reason for reason in _reasons(observer))
    finally:
        ballast.unlink()
    observer.wait_for_the_end()
    observer.check()


def test_a_full_disk_loses_nothing_that_was_accepted(small: Instance, seed: int) -> None:
    observer = Observer(small, seed)
    observer.start(10)
    observer.some_running()
    ballast = fill(small.home.parent, 0)
    adding = threading.Thread(target=observer.start, args=(5,))
    adding.start()
    time.sleep(observer.random.uniform(1, 5))  # how long there is no room: that is the drill
    ballast.unlink()
    adding.join(90)
    assert not adding.is_alive()
    observer.wait_for_the_end()
    # What ran while there was no room could not write its own file: its failure is true. What
    # was accepted then may have been refused by the plane, which has no room, and tried again.
    observer.check(starved=observer.jobs)
    small.wait(lambda: not _low(small), 30, "normal work again")


def _low(smalti: Instance) -> bool:
    health = httpx.get(f"{smalti.base}/health", timeout=30).json()
    return any("no work is admitted" in one["detail"] for one in health["dependencies"])


def _reasons(observer: Observer) -> list[str]:
    path = f"/jobs?project_id={observer.project_id}&status=Queued"
    found = [job["reason"] for job in observer.insist("GET", path).json()["items"]]
    return found if any("disk" in reason for reason in found) else []


def test_a_held_database_is_waited_for(smalti: Instance, seed: int) -> None:
    hold_database(smalti, seed, 20, seconds=10)


def hold_database(smalti: Instance, seed: int, jobs: int, seconds: float) -> None:
    """Hold the platform's database from outside while jobs are accepted, run and end."""
    observer = Observer(smalti, seed)
    observer.start(jobs // 2)
    observer.some_running()
    held = sqlite3.connect(smalti.home / "platform" / "platform.sqlite", isolation_level=None)
    held.execute("PRAGMA busy_timeout=20000")
    held.execute("BEGIN IMMEDIATE")
    end_by = time.monotonic() + seconds
    adding = threading.Thread(target=observer.start, args=(jobs - jobs // 2,))
    adding.start()
    worst = 0.0
    with smalti.client() as client:
        while time.monotonic() < end_by:
            began = time.monotonic()
            answer = client.get(f"{smalti.base}/health")
            assert answer.status_code == 200, answer.text
            assert client.get("/me").status_code == 200
            worst = max(worst, time.monotonic() - began)
            time.sleep(0.2)
    held.execute("ROLLBACK")
    held.close()
    adding.join(90)
    assert not adding.is_alive()
    print(f"slowest answer while it was held: {worst:.2f} s")
    assert worst < 3, f"reading waited {worst:.1f} s for a writer"
    observer.wait_for_the_end()
    observer.check()

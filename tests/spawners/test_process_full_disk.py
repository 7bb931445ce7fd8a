"""A run's log on a disk without room: the program waits, and nothing it wrote is lost.

Each test fills a small disk of its own, which takes the right to mount one.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from spawners.runtime import RunEnd, RunPhase, RunSpec
from spawners.shim import files, processes
from spawners.shim.log import LogPump
from tests.spawners.yard import LIMITS, Yard, until

MiB = 1 << 20
DISK = 16 * MiB
WRITER = """
import sys
for number in range(200_000):
    sys.stdout.write(f"line {number}\\n")
sys.stdout.flush()
sys.exit(4)
"""
WRITTEN = b"".join(b"line %d\n" % number for number in range(200_000))
TALKER = "trap '' TERM; while :; do echo some more words; done"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk; skipped where nothing can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a disk of its own needs the right to mount: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
async def small(disk: Path) -> AsyncIterator[Yard]:
    """A yard on the small disk."""
    yard = await Yard(disk / "yard").open()
    yield yard
    (disk / "ballast").unlink(missing_ok=True)
    await yard.clear()


def fill(disk: Path, leave: int = 0) -> None:
    """Take all of a disk's room but some bytes."""
    handle = os.open(disk / "ballast", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        room = os.statvfs(disk)
        os.posix_fallocate(handle, 0, room.f_bavail * room.f_frsize - leave)
    finally:
        os.close(handle)


def free(disk: Path) -> None:
    """Give the room back."""
    (disk / "ballast").unlink()


def is_full(disk: Path) -> bool:
    return os.statvfs(disk).f_bavail == 0


async def started(yard: Yard, code: str, **fields: Any) -> RunSpec:
    """A run that waits in front of its work until the file `go` is there."""
    wait = "echo up; while [ ! -e go ]; do sleep 0.02; done; "
    spec = yard.spec("sh", "-c", wait + code, **fields)
    await yard.runtime.start(spec)
    await yard.wrote(spec.key, b"up\n")
    return spec


async def starving(yard: Yard, disk: Path, code: str, **fields: Any) -> RunSpec:
    """A run whose log has just run out of room while it writes."""
    spec = await started(yard, code, **fields)
    (spec.workdir / "go").touch()
    fill(disk, 64 << 10)
    await until(lambda: is_full(disk), "the log to take the last room")
    return spec


async def test_run_waits_for_room_and_nothing_is_lost(small: Yard, disk: Path) -> None:
    (small.spec().workdir / "writer.py").write_text(WRITER)
    spec = await starving(small, disk, "exec python writer.py")
    before = len(await small.log(spec.key))
    await asyncio.sleep(1.5)  # several tries without room: that is the test
    # The last page may not have been full yet: the file system counts whole ones.
    assert len(await small.log(spec.key)) - before < os.sysconf("SC_PAGE_SIZE"), "there was room"
    state = small.runtime.state(spec.key)
    assert state is not None
    assert state.phase is RunPhase.RUNNING, "it waits"
    free(disk)
    state = await small.over(spec.key)
    log = await small.log(spec.key)
    assert (len(log), hashlib.sha256(log).digest()) == (
        len(WRITTEN) + 3,
        hashlib.sha256(b"up\n" + WRITTEN).digest(),
    )
    assert (state.exit_code, state.end, state.reason) == (4, None, None)
    assert state.log_size == len(log)


async def test_room_that_comes_and_goes_costs_no_byte(small: Yard, disk: Path) -> None:
    (small.spec().workdir / "writer.py").write_text(WRITER)
    spec = await starving(small, disk, "exec python writer.py")
    for _ in range(2):
        free(disk)
        fill(disk, 200_000)
        await until(lambda: is_full(disk), "the room to be taken again")
    free(disk)
    await small.over(spec.key)
    assert await small.log(spec.key) == b"up\n" + WRITTEN


async def test_last_output_is_stored_when_room_comes_after_the_end(small: Yard, disk: Path) -> None:
    spec = await started(small, "printf '%09000d' 7; exit 5")
    fill(disk)
    (spec.workdir / "go").touch()
    going = small.runtime.state(spec.key)
    assert going is not None
    assert going.pid is not None
    await until(lambda: processes.start_time(going.pid or 0) is None, "the program to end")
    await asyncio.sleep(1.0)  # no room for some tries: that is the test
    free(disk)
    state = await small.over(spec.key)
    assert (state.exit_code, state.reason) == (5, None)
    assert await small.log(spec.key) == b"up\n" + b"7".rjust(9000, b"0")


async def test_end_without_room_says_what_was_lost(small: Yard, disk: Path) -> None:
    spec = await starving(small, disk, "yes | head -c 600000; exit 0")
    state = await small.over(spec.key)
    stored = len(await small.log(spec.key))
    lost = 600_003 - stored
    assert lost > 0
    assert (state.exit_code, state.end) == (0, None)
    assert state.reason == f"{lost} bytes of output could not be stored: the disk was full"


def ask_to_stop(yard: Yard, spec: RunSpec, wish: Path) -> None:
    """Stop a run whose own disk has no room for the wish."""
    wish.write_text(json.dumps({"end": "stopped", "grace": 0.5, "reason": "stopped"}))
    folder = yard.settings.state / "runs" / str(spec.key)
    (folder / files.STOP).symlink_to(wish)
    record = files.record(str(folder))
    assert record is not None
    os.kill(record["shim"], signal.SIGTERM)


async def test_time_limit_and_stop_hold_while_there_is_no_room(small: Yard, disk: Path) -> None:
    other = await started(small, TALKER, name="other")
    began = time.monotonic()
    spec = await starving(small, disk, TALKER, timeout=3.0, grace=0.5)
    (other.workdir / "go").touch()
    await small.wrote(other.key, b"words\n")  # into the room its log still had
    ask_to_stop(small, other, disk.with_name("wish"))
    state = await small.over(spec.key)
    assert 3.0 <= time.monotonic() - began < 3.0 + 0.5 + 10.0 + 3.0
    stopped = await small.over(other.key)
    assert (state.end, stopped.end) == (RunEnd.TIME_LIMIT, RunEnd.STOPPED)
    for one in (state, stopped):
        assert "could not be stored: the disk was full" in (one.reason or "")


def make_pump(disk: Path, limit: int, spliced: bool) -> LogPump:
    pump = LogPump(str(disk / "log"), limit, b"notice")
    if not spliced:  # the kernel refuses to splice to a file that is appended to
        fcntl.fcntl(pump._log, fcntl.F_SETFL, os.O_APPEND)
    return pump


@pytest.mark.parametrize("spliced", [True, False])
@pytest.mark.parametrize("limit", [LIMITS.log, 8192, 50_000])
def test_pump_goes_on_where_it_had_to_wait(disk: Path, spliced: bool, limit: int) -> None:
    pump = make_pump(disk, limit, spliced)
    written = os.urandom(100_000)
    fill(disk, 8192)
    os.write(pump.writer, written)
    pump.started()
    while pump.retry_at is None:
        pump.move()
    for _ in range(3):
        pump.move()
        assert pump.retry_at is not None
        assert not pump.ended
    assert (disk / "log").read_bytes() == written[:8192]
    free(disk)
    while not pump.ended:
        pump.move()
        assert pump.retry_at is None
    whole = written if limit > len(written) else written[:limit] + b"notice"
    assert (disk / "log").read_bytes() == whole
    assert pump.size == len(whole)
    assert pump.give_up() is None


@pytest.mark.parametrize("spliced", [True, False])
def test_what_cannot_be_stored_is_noticed_in_the_log(disk: Path, spliced: bool) -> None:
    pump = make_pump(disk, LIMITS.log, spliced)
    fill(disk)
    os.write(pump.writer, b"x" * 100_000)
    pump.started()
    pump.move()
    assert pump.retry_at is not None
    free(disk)
    sentence = "100000 bytes of output could not be stored: the disk was full"
    assert pump.give_up() == sentence
    said = f"\n[smalti] {sentence}\n".encode()
    assert (disk / "log").read_bytes() == said
    assert pump.size == len(said)

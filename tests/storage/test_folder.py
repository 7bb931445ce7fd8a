"""What holds for the folder store alone: crashes, a full disk, a cheap and free event loop."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.core.errors import StorageFull
from services.storage.disk import Disk
from services.storage.folder import FolderStore
from services.storage.signing import Signer
from tests.storage.stores import folder_store, pieces

WRITER = """
import asyncio, sys
from pathlib import Path
from tests.storage.stores import folder_store

async def main():
    store = folder_store(Path(sys.argv[1]))
    for number in range(10**6):
        await store.put_bytes(f"logs/w1/0/{number:016d}", b"%d\\n" % number * 100)
        print(number, flush=True)

asyncio.run(main())
"""


async def test_kill_9_loses_no_piece_that_was_taken(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 200:
                os.kill(writer.pid, signal.SIGKILL)
                break
        last = max([200, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    store = folder_store(tmp_path)
    found = [stat async for stat in store.list("logs/w1/0")]
    assert len(found) in (last + 1, last + 2)  # the last one may not have been told of
    for number, stat in enumerate(found):
        assert await store.get_bytes(stat.key) == b"%d\n" % number * 100


def test_what_a_killed_process_left_half_written_is_swept_at_start(tmp_path: Path) -> None:
    incoming = tmp_path / "objects" / ".incoming"
    incoming.mkdir(parents=True)
    (incoming / "fresh").write_text("another process may be writing it")
    (incoming / "old").write_text("x")
    os.utime(incoming / "old", (0, 0))
    folder_store(tmp_path)
    assert [file.name for file in incoming.iterdir()] == ["fresh"]


async def test_a_put_that_ends_early_leaves_no_file(tmp_path: Path) -> None:
    store = folder_store(tmp_path)

    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put("outputs/w1/0/1", broken())
    store._threads.shutdown(wait=True)
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
async def test_a_disk_that_is_full_while_writing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"mount: {mounted.stderr.decode().strip()}")
    try:
        store = folder_store(small)
        await store.put_bytes("logs/w1/0/0", b"kept")
        with pytest.raises(StorageFull):
            await store.put("outputs/w1/0/0", pieces(*[b"x" * 1_000_000] * 20))
        store._threads.shutdown(wait=True)
        again = folder_store(small)
        assert await again.get_bytes("logs/w1/0/0") == b"kept"
        assert [stat.key async for stat in again.list("outputs")] == []
        assert (await again.put("outputs/w1/0/0", pieces(b"x" * 1_000_000))).size == 1_000_000
        again._threads.shutdown(wait=True)
    finally:
        subprocess.run(["umount", small], check=True)


async def test_settling_syncs_what_is_there_and_passes_over_what_is_gone(tmp_path: Path) -> None:
    store = folder_store(tmp_path)
    for number in range(20):
        await store.put_bytes(f"logs/w{number % 2}/0/{number}", b"x")
    assert len(store._unsettled) == 20
    await store.delete_prefix("logs/w1")
    await store.settle()
    assert not store._unsettled
    await store.settle()


async def test_the_event_loop_stays_free_and_memory_flat(tmp_path: Path) -> None:
    store = folder_store(tmp_path)
    latest = 0.0

    async def watch() -> None:
        nonlocal latest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            latest = max(latest, time.perf_counter() - before - 0.005)

    async def many() -> AsyncIterator[bytes]:
        piece = os.urandom(1 << 20)
        for _ in range(96):
            yield piece

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    watcher = asyncio.create_task(watch())
    await store.put("outputs/w1/0/0", many())
    size = 0
    async for piece in store.get("outputs/w1/0/0"):
        size += len(piece)
    watcher.cancel()
    assert size == 96 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 24 << 10  # KiB
    assert latest < 0.25  # machines that test are busy; on an idle one it is under 10 ms


async def test_a_small_piece_costs_about_a_millisecond(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects", Disk(tmp_path, 0), Signer("k" * 64))
    taken = []
    for number in range(300):
        before = time.perf_counter()
        await store.put_bytes(f"logs/w1/0/{number:016d}", b"x" * 2000)
        taken.append(time.perf_counter() - before)
    assert sorted(taken)[150] < 0.003

"""Old snapshots go, and what only they needed is freed; large files and full shelves."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text, update

from services.core.database import Transaction
from services.core.work import Work
from services.sessions.snapshots import thinning
from services.sessions.snapshots.tables import snapshots
from tests.house import House
from tests.sessions.snapshots.conftest import Bench, git


def aged(tx: Transaction, days: float) -> None:
    """Make all snapshots but the newest older."""
    for row in tx.all(snapshots.select()):
        at = row.taken_at - timedelta(days=days)
        mine = snapshots.c.number == row.number
        tx.execute(update(snapshots).where(mine).values(taken_at=at))


async def test_what_is_too_old_goes_and_frees_its_room(live: Bench) -> None:
    noise = os.urandom(2 << 20)
    (live.project / "noise.bin").write_bytes(noise)
    with_noise = await live.safe("noise.bin", noise)
    (live.project / "noise.bin").unlink()
    last = await live.snapshot(lambda one: one["files"] == 2, after=with_noise)
    work = Work(live.house.context)
    assert await thinning.thin(work, live.workspace_id, prune=True) == 0
    await work.write(aged, 40)
    store = live.house.home / "platform" / "snapshots" / f"{live.workspace_id}.git"
    for pack in (store / "objects" / "pack").iterdir():  # sent more than an hour ago
        os.utime(pack, (1, 1))
    assert await thinning.thin(work, live.workspace_id, prune=True) == last["number"] - 1
    assert [one["number"] for one in await live.snapshots()] == [last["number"]]
    size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    assert size < 1 << 20
    assert await live.content(last["number"], "main.py") == b"print(1)\n"
    (live.project / "noise.bin").write_bytes(noise)  # what was let go is sent again
    await live.safe("noise.bin", noise)
    git(store, "fsck", "--strict", "--no-dangling")


async def test_many_packs_become_few(live: Bench) -> None:
    for turn in range(25):
        (live.project / "main.py").write_text(f"print({turn})\n")
        await live.safe("main.py", f"print({turn})\n".encode())
    store = live.house.home / "platform" / "snapshots" / f"{live.workspace_id}.git"
    count = len(list((store / "objects" / "pack").glob("*.pack")))
    await thinning.turn(Work(live.house.context))
    assert len(list((store / "objects" / "pack").glob("*.pack"))) < count / 4
    assert await live.content(5, "main.py") is not None
    git(store, "fsck", "--strict", "--no-dangling")


async def test_a_deleted_projects_snapshots_go(live: Bench) -> None:
    await live.stop_session()
    await live.call("DELETE", f"/projects/{live.project_id}")
    work = Work(live.house.context)
    folder = live.house.home / "platform" / "snapshots"
    await thinning.clean(work)
    assert list(folder.glob("*.git"))  # kept for as long as the project's own files

    def long_ago(tx: Transaction) -> None:
        tx.execute(text("UPDATE projects SET deleted_at = '2020-01-01 00:00:00.000000'"))

    await work.write(long_ago)
    await thinning.clean(work)
    assert not list(folder.glob("*.git"))


async def test_a_large_file_comes_in_the_background(tmp_path: Path) -> None:
    async with House(tmp_path, snapshot_prompt=1 << 20, snapshot_file_max=8 << 20) as house:
        live = Bench(house, tmp_path / "agent")
        await live.set_up()
        live.start_agent()
        await live.start_session()
        await live.snapshot()
        large = os.urandom(5 << 20)
        (live.project / "large.bin").write_bytes(large)
        (live.project / "huge.bin").write_bytes(bytes(9 << 20))
        named = await live.snapshot(lambda one: len(one["unsafe"]) == 2)
        assert any("not yet sent" in text for text in named["unsafe"])
        (live.project / "small.txt").write_text("does not wait")
        await live.safe("small.txt", b"does not wait")
        number = await live.safe("large.bin", large)
        newest = await live.snapshot(lambda one: len(one["unsafe"]) == 1, after=number - 1)
        assert newest["unsafe"] == ["huge.bin: 9 MiB, larger than the limit of 8 MiB"]
        await live.end_agent()


async def test_a_full_shelf_is_shown_and_the_newest_kept(tmp_path: Path) -> None:
    async with House(tmp_path, snapshot_disk_max=1 << 20) as house:
        live = Bench(house, tmp_path / "agent")
        await live.set_up()
        live.start_agent()
        await live.start_session()
        await live.snapshot()
        for turn in range(3):
            (live.project / f"f{turn}").write_bytes(os.urandom(1 << 20))
            await asyncio.sleep(0.3)
        full = await live.snapshot(lambda one: any("room" in text for text in one["unsafe"]))
        assert await live.content(full["number"], "main.py") == b"print(1)\n"
        await live.end_agent()

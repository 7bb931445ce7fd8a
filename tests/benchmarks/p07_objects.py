"""P7: 1 GiB up and down: the store on S3 beside boto3 straight, the folder store beside cp."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx

from services.storage import ObjectStore
from services.storage.s3 import S3Store
from services.storage.signing import Signer
from tests.benchmarks.rows import Row
from tests.storage.seaweed import seaweed
from tests.storage.stores import folder_store

SIZE = int(os.environ.get("SMALTI_BENCH_OBJECT", str(1 << 30)))
PIECE = 1 << 20
ARRIVING = 64 << 10  # what the platform's web server hands on at once
ROUNDS = 3
KEY = "outputs/w1/0/1"


async def pieces(file: Path) -> AsyncIterator[bytes]:
    """Give a file as an upload arrives: in pieces, when the event loop has time for them."""
    with file.open("rb", buffering=0) as source:
        while piece := source.read(ARRIVING):
            yield piece
            await asyncio.sleep(0)


async def down(store: ObjectStore, target: Path) -> None:
    """Fetch the object into a file."""
    with target.open("wb") as file:
        async for piece in store.get(KEY):
            await asyncio.to_thread(file.write, piece)


def presigned(address: str, target: Path) -> None:
    """Fetch a presigned address into a file."""
    with httpx.stream("GET", address, timeout=60) as answer, target.open("wb") as file:
        answer.raise_for_status()
        for piece in answer.iter_raw(PIECE):
            file.write(piece)


async def seconds(act: Callable[[], Awaitable[object]]) -> float:
    """Time one."""
    began = time.monotonic()
    await act()
    return time.monotonic() - began


async def beside(
    ours: Callable[[], Awaitable[object]], theirs: Callable[[], Awaitable[object]]
) -> tuple[float, float]:
    """Time both in turns; medians of ours and theirs."""
    mine, other = [], []
    for _ in range(ROUNDS):
        other.append(await seconds(theirs))
        mine.append(await seconds(ours))
    return statistics.median(mine), statistics.median(other)


def row(what: str, ours: float, theirs: float, peer: str, least: float) -> Row:
    """Make a row of the table."""
    speed = f"{SIZE / ours / 1e6:.0f} MB/s"
    ratio = theirs / ours
    return Row("P7", f"{SIZE >> 20} MiB {what}", speed, f"{peer}: {SIZE / theirs / 1e6:.0f} MB/s",
               f"{least:g} of it (is {ratio:.2f})", ratio >= least)  # fmt: skip


async def _s3(folder: Path, source: Path) -> list[Row]:
    with seaweed(folder, volumes=60) as server:
        client = server.client()
        client.create_bucket(Bucket="bench")
        store = S3Store(client, "bench", "", Signer("k" * 64))
        target = folder / "target"

        async def boto_up() -> None:
            await asyncio.to_thread(client.upload_file, str(source), "bench", "straight")

        async def boto_down() -> None:
            await asyncio.to_thread(client.download_file, "bench", "straight", str(target))

        async def signed_down() -> None:
            await asyncio.to_thread(presigned, store.sign_get(KEY, filename="x"), target)

        up = await beside(lambda: store.put(KEY, pieces(source)), boto_up)
        through = await beside(lambda: down(store, target), boto_down)
        signed = await beside(signed_down, boto_down)
        await store.close()
    return [
        row("up to S3", *up, "boto3", 0.9),
        row("down from S3, through the platform", *through, "boto3", 0.9),
        row("down from S3, presigned", *signed, "boto3", 0.9),
    ]


async def _folder(folder: Path, source: Path) -> list[Row]:
    store = folder_store(folder)
    target = folder / "target"

    async def copy() -> None:
        command = ["sh", "-c", f"cp {source} {target} && sync {target}"]
        await asyncio.to_thread(subprocess.run, command, check=True)

    up = await beside(lambda: store.put(KEY, pieces(source)), copy)
    through = await beside(lambda: down(store, target), copy)
    return [
        row("into the folder store", *up, "cp and sync", 0.5),
        row("out of the folder store", *through, "cp and sync", 0.5),
    ]


def run() -> list[Row]:
    """Measure with servers of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        with source.open("wb") as file:
            for _ in range(SIZE // PIECE):
                file.write(os.urandom(PIECE))
        (folder / "s3").mkdir()
        rows = asyncio.run(_s3(folder / "s3", source))
        return rows + asyncio.run(_folder(folder, source))

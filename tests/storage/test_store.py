"""What holds for every object store."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.core.errors import NotFound, StorageFull, TooLarge
from services.storage import ObjectStore
from services.storage.folder import FolderStore
from tests.storage.stores import folder_store, pieces

KEY = "outputs/w1/0/1"


async def whole(store: ObjectStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.get(key, start, end)])


async def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [stat.key async for stat in store.list(prefix)]


async def test_what_is_put_comes_back_with_its_size_and_hash(store: ObjectStore) -> None:
    content = bytes(range(256)) * 4000
    stored = await store.put(KEY, pieces(content[:5], b"", content[5:]))
    assert (stored.size, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await whole(store, KEY) == content == await store.get_bytes(KEY)
    assert (await store.stat(KEY)).size == len(content)


async def test_nothing_is_an_object_too(store: ObjectStore) -> None:
    assert (await store.put(KEY, pieces())).size == 0
    assert await whole(store, KEY) == b""


async def test_ranges(store: ObjectStore) -> None:
    await store.put_bytes(KEY, b"0123456789")
    for start, end in [(0, 0), (0, 4), (3, 7), (9, 100), (10, 20), (50, None), (4, None), (5, 2)]:
        expected = b"0123456789"[start:end]
        assert await whole(store, KEY, start, end) == expected, (start, end)
        assert await store.get_bytes(KEY, start, end) == expected, (start, end)


async def test_what_is_not_there_is_not_found(store: ObjectStore) -> None:
    for attempt in (store.stat(KEY), store.get_bytes(KEY), whole(store, KEY)):
        with pytest.raises(NotFound):
            await attempt
    await store.delete(KEY)
    await store.delete_prefix("outputs/w1")
    assert await keys(store, "outputs") == []


async def test_putting_again_replaces_and_disturbs_no_reader(store: ObjectStore) -> None:
    before = b"a" * 3_000_000
    await store.put(KEY, pieces(before))
    reading = store.get(KEY)
    first = await anext(reading)
    await store.put(KEY, pieces(b"new"))
    assert first + b"".join([piece async for piece in reading]) == before
    assert await whole(store, KEY) == b"new"


async def test_nothing_is_kept_of_what_failed_or_was_too_large(
    store: ObjectStore,
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(KEY, broken())
    with pytest.raises(TooLarge):
        await store.put(KEY, pieces(b"12345", b"6"), most=5)
    assert (await store.put("outputs/w1/0/2", pieces(b"12345"), most=5)).size == 5
    assert await keys(store, "outputs") == ["outputs/w1/0/2"]


async def test_a_cancelled_put_leaves_nothing(store: ObjectStore) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000
            begun.set()

    task = asyncio.create_task(store.put(KEY, endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(NotFound):
        await store.stat(KEY)


async def test_lists_in_the_order_of_keys(store: ObjectStore) -> None:
    made = ["a/b", "a/b-1", "a/b/c", "a/b/c/d", "a/b/c0", "a/bc/1", "a/x", "ab/c/d"]
    for key in reversed(made):
        await store.put_bytes(key, key.encode())
    # SeaweedFS sorts folder by folder; S3 itself and the folder store by the whole key.
    mine = sorted(key for key in made if key.startswith("a/"))
    by_folder = sorted(mine, key=lambda key: key.split("/"))
    assert await keys(store, "a") in (
        [mine] if isinstance(store, FolderStore) else [mine, by_folder]
    )
    assert await keys(store, "a/b") == ["a/b/c", "a/b/c/d", "a/b/c0"]
    assert await keys(store, "nothing/here") == []
    assert await whole(store, "a/b") == b"a/b"


async def test_many_pieces_of_a_log_are_listed_by_offset(store: ObjectStore) -> None:
    offsets = [number * 1000 for number in range(1200)]
    for offset in offsets:
        await store.put_bytes(f"logs/w1/0/{offset:016d}", b".")
    found = await keys(store, "logs/w1/0")
    assert [int(key.rpartition("/")[2]) for key in found] == offsets


async def test_a_prefix_goes_and_its_neighbours_stay(store: ObjectStore) -> None:
    for key in ("logs/w1/0/1", "logs/w1/1/1", "logs/w10/0/1", "outputs/w1/0/1"):
        await store.put_bytes(key, b"x")
    await store.delete_prefix("logs/w1")
    assert await keys(store, "logs") == ["logs/w10/0/1"]
    assert await keys(store, "outputs") == ["outputs/w1/0/1"]
    with pytest.raises(ValueError):
        await store.delete_prefix("logs")


@pytest.mark.parametrize("key", ["../x", "logs/../../x", "/etc/passwd", "logs", "a/b.o", "a//b"])
async def test_no_method_takes_what_is_no_key(store: ObjectStore, key: str) -> None:
    for attempt in (
        store.put(key, pieces(b"x")),
        store.put_bytes(key, b"x"),
        store.get_bytes(key),
        whole(store, key),
        store.stat(key),
        store.delete(key),
        store.delete_prefix(key),
    ):
        with pytest.raises(ValueError):
            await attempt
    with pytest.raises(ValueError):
        store.sign_get(key, filename="x")
    with pytest.raises(ValueError):
        store.sign_put(key, most=1)


async def test_without_room_nothing_is_taken(tmp_path: Path) -> None:
    store = folder_store(tmp_path, low=1 << 60)
    with pytest.raises(StorageFull):
        await store.put(KEY, pieces(b"x"))
    with pytest.raises(StorageFull):
        await store.put_bytes(KEY, b"x", vital=True)
    assert await keys(store, "outputs") == []

"""Stores to test: what holds for every `ObjectStore` is tested on each that is listed here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from services.storage.disk import Disk
from services.storage.folder import FolderStore
from services.storage.signing import Signer


def folder_store(folder: Path, *, low: int = 0) -> FolderStore:
    """A folder store below `folder` that keeps `low` bytes free."""
    return FolderStore(folder / "objects", Disk(folder, low), Signer("k" * 64))


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    """Give these, one after the other."""
    for piece in given:
        yield piece

"""Walking the folder store's files in the order of their keys. Used by `folder`, in its threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from services.storage.objects import Stat

ENDING = ".o"  # keeps the object `a/b` apart from the folder of `a/b/c`


def below(folder: Path, prefix: str) -> Iterator[Stat]:
    """Yield the objects below a folder, whose keys begin with `prefix/`."""
    yield from _each(_entries(folder), prefix)


def below_fans(folder: Path, prefix: str) -> Iterator[Stat]:
    """Yield the objects below a folder whose entries are spread over folders of their own."""
    fans = _entries(folder)
    yield from _each([entry for fan in fans for entry in _entries(Path(fan.path))], prefix)


def describe(key: str, found: os.stat_result) -> Stat:
    """Make the description of an object from its file's."""
    return Stat(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _each(entries: list[os.DirEntry[str]], prefix: str) -> Iterator[Stat]:
    for entry in sorted(entries, key=_order):
        if entry.is_dir():
            yield from below(Path(entry.path), f"{prefix}/{entry.name}")
            continue
        try:
            found = entry.stat()
        except FileNotFoundError:  # deleted while we walk
            continue
        yield describe(f"{prefix}/{entry.name.removesuffix(ENDING)}", found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _order(entry: os.DirEntry[str]) -> str:
    return f"{entry.name}/" if entry.is_dir() else entry.name.removesuffix(ENDING)

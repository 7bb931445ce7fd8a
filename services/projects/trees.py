"""What is in a commit: folders listed, files read. Links and modules are shown, never followed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.core.errors import NotFound, Unavailable
from services.core.settings import MiB
from services.projects.runtime import PIECE, GitFailed, OutputTooLarge, Repository

LISTING_MOST = 64 * MiB
KINDS = {"040000": "directory", "120000": "symlink", "160000": "submodule"}

_ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40}) +(-|\d+)\t(.*)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """One entry of a tree. `size` in bytes, None of what has no content of its own."""

    path: str
    mode: str
    object: str
    size: int | None

    @property
    def kind(self) -> str:
        """file, directory, symlink or submodule."""
        return KINDS.get(self.mode, "file")


async def entry(repository: Repository, commit: str, path: str) -> Entry | None:
    """Find what is at a path of a commit; None when nothing is there."""
    found = await on_the_way(repository, commit, path)
    return next((one for one in found if one.path == path), None)


async def entries(repository: Repository, commit: str, path: str) -> list[Entry]:
    """List a folder of a commit ("" is the uppermost), sorted. NotFound when there is none."""
    if path:
        there = await entry(repository, commit, path)
        if there is None or there.kind != "directory":
            raise NotFound("there is no such folder in this commit")
    listed = await _list(repository, commit, [f"{path}/"] if path else [])
    return sorted(listed, key=_by_path)


async def on_the_way(repository: Repository, commit: str, path: str) -> list[Entry]:
    """List what is at a path and at every folder above it, as far as it is there."""
    parts = path.split("/")
    paths = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    found = await _list(repository, commit, paths, "-t")
    return [one for one in found if one.path in paths]


async def _list(
    repository: Repository, commit: str, paths: list[str], *options: str
) -> list[Entry]:
    command = ["--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", *options]
    try:
        output = await repository.run(*command, commit, "--", *paths, most=LISTING_MOST)
    except OutputTooLarge as error:
        raise Unavailable("this folder is too large to be listed", code="too_many_files") from error
    except GitFailed as error:
        raise NotFound("there is no such folder in this commit") from error
    lines = (_ENTRY.fullmatch(line) for line in output.split(b"\0") if line)
    return [
        Entry(
            line[5].decode(errors="replace"),
            line[1].decode(),
            line[3].decode(),
            None if line[4] == b"-" else int(line[4]),
        )
        for line in lines
        if line is not None
    ]


@asynccontextmanager
async def reading(repository: Repository, blob: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """Open a file's content by its blob id, to be read piece by piece."""
    async with repository.open("cat-file", "blob", blob) as process:
        assert process.stdout is not None
        yield _pieces(process.stdout)


async def _pieces(stream: object) -> AsyncIterator[bytes]:
    while piece := await stream.read(PIECE):  # type: ignore[attr-defined]
        yield piece


def _by_path(one: Entry) -> str:
    return one.path

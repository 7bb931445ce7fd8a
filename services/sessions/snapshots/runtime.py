"""Snapshots' repositories: one per workspace, beside the projects' and apart from them.

Owns `platform/snapshots/<workspace>.git`. It borrows objects from the project's repository and
never lends any: whoever may read the project cannot name a commit in here. What a person opens
for others (a job of a snapshot, a branch) is copied into the project's, with all it needs.

Why not refs in the project's repository: every member may read any commit of that by its id,
and nothing there is ever pruned, so that each half-written file would be kept for good.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress

from services.core.errors import BadRequest, StorageFull, Unprocessable
from services.core.ids import is_id
from services.core.settings import Settings
from services.core.work import Context
from services.projects import GitFailed, Repositories, Repository, make_bare

FOLDER = "snapshots"
PIECE = 256 << 10
PATIENCE = 300.0
PACKS_MOST = 20
_YOUNG = "1.hour.ago"  # what was sent and is not in a snapshot yet


class Shelves:
    """Where workspaces' repositories lie."""

    def __init__(self, settings: Settings, projects: Repositories) -> None:
        self.folder = settings.platform_folder / FOLDER
        self._projects = projects

    def of(self, workspace_id: str) -> Repository:
        """Give a workspace's repository. ValueError for what is no id."""
        if not is_id(workspace_id):
            raise ValueError("a repository of snapshots is named by a workspace's id")
        return Repository(self.folder / f"{workspace_id}.git", self._projects.git)

    def make(self, workspace_id: str, project_id: str) -> Repository:
        """Give a workspace's repository, made when it is not there."""
        repository = self.of(workspace_id)
        if not (repository.path / "objects" / "info" / "alternates").exists():
            objects = self._projects.of(project_id).path / "objects"
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = make_bare(self.folder / f".new-{workspace_id}", "none")
            (fresh / "objects" / "info" / "alternates").write_text(f"{objects}\n")
            shutil.rmtree(repository.path, ignore_errors=True)
            fresh.rename(repository.path)
        return repository

    def remove(self, workspace_id: str) -> None:
        """Take a workspace's repository away, if it is there."""
        shutil.rmtree(self.of(workspace_id).path, ignore_errors=True)


def shelf(context: Context, workspace_id: str) -> Repository:
    """Give the repository of a workspace that has snapshots."""
    return context.get(Shelves).of(workspace_id)


def size_of(repository: Repository) -> int:
    """Add up the bytes of a repository's packs and loose objects."""
    total = 0
    for folder, _, files in os.walk(repository.path / "objects"):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


async def take_pack(repository: Repository, pieces: AsyncIterator[bytes], most: int) -> None:
    """Keep a pack. Raises BadRequest for what is none, StorageFull beyond `most` bytes in all."""
    if await asyncio.to_thread(size_of, repository) > most:
        raise StorageFull("the snapshots of this workspace take all the room they may have")
    arguments = ("index-pack", "--stdin", "--fix-thin", "--threads=1")
    async with repository.open(*arguments, data=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async for piece in pieces:
                process.stdin.write(piece)
                await process.stdin.drain()
            process.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            async for _ in pieces:  # so that the caller gets to the answer
                pass
        await process.stdout.read()
        code = await process.wait()
    if code != 0:
        raise BadRequest("this is not a pack of git objects", code="bad_pack")


async def is_whole(repository: Repository, commit: str) -> bool:
    """Tell whether a commit is here with all that it needs."""
    question = ["rev-list", "--objects", "--quiet", commit, "--not", "--all", "--alternate-refs"]
    try:
        await repository.run(*question, seconds=PATIENCE)
    except GitFailed:
        return False
    return True


async def describe(repository: Repository, commit: str) -> tuple[str, str | None, str | None]:
    """Give a snapshot's tree, its parent and the parent's tree."""
    out = await repository.run("log", "-1", "--no-show-signature", "--format=%T %P", commit)
    tree, _, parents = out.decode().strip().partition(" ")
    parent = parents.split(" ")[0] or None
    if parent is None:
        return tree, None, None
    out = await repository.run("log", "-1", "--no-show-signature", "--format=%T", parent)
    return tree, parent, out.decode().strip()


async def objects_of(repository: Repository, commit: str) -> list[str]:
    """List the ids of a commit's trees and blobs; none when the commit is not here."""
    try:
        out = await repository.run(
            "ls-tree", "-r", "-t", "-z", "--full-tree", "--format=%(objectname)", commit,
            most=64 << 20,
        )  # fmt: skip
    except GitFailed:
        return []
    return sorted({line.decode() for line in out.split(b"\0") if line})


async def hold(repository: Repository, commit: str) -> None:
    """Keep a commit for as long as it is a snapshot."""
    await repository.run("update-ref", f"refs/snapshots/{commit}", commit)


async def release(repository: Repository, commits: list[str]) -> None:
    """Let commits go that are snapshots no more."""
    lines = "".join(f"delete refs/snapshots/{commit}\n" for commit in commits)
    if repository.path.is_dir() and lines:
        await repository.run("update-ref", "--stdin", data=lines.encode())


async def tidy(repository: Repository, *, prune: bool) -> None:
    """Put small packs together; with `prune` free what no snapshot needs any more."""
    if not await asyncio.to_thread(repository.path.is_dir):
        return
    names = os.listdir(repository.path / "objects" / "pack")
    if prune:
        await repository.run("pack-refs", "--all")
        await repository.run(
            "repack", "-A", "-d", "-l", "-q", f"--unpack-unreachable={_YOUNG}", seconds=1800.0
        )
        await repository.run("prune", f"--expire={_YOUNG}", seconds=1800.0)
    elif sum(name.endswith(".pack") for name in names) > PACKS_MOST:
        await repository.run("repack", "--geometric=2", "-d", "-l", "-q", seconds=1800.0)


async def publish(source: Repository, project: Repository, commit: str, ref: str) -> None:
    """Copy a snapshot into the project's repository, with all that leads to it, under a ref.

    Raises Unprocessable when git would not take it from anybody else either.
    """
    heads = await project.run(
        "for-each-ref", "--count=500", "--format=^%(objectname)", "refs/heads"
    )
    wanted = f"{commit}\n".encode() + heads
    packing = ("pack-objects", "--revs", "--local", "--stdout", "-q", "--threads=1")
    taking = ("index-pack", "--stdin", "--strict", "--threads=1")
    # One place among the git processes for both: waiting for a second one while holding the
    # first could be for ever.
    taker_command = [project.git.program, f"--git-dir={project.path}", *taking]
    async with (
        source.open(*packing, data=True) as pack,
        project.git.process(taker_command, data=True) as taker,
    ):
        assert pack.stdin is not None
        assert pack.stdout is not None
        assert taker.stdin is not None
        assert taker.stdout is not None
        pack.stdin.write(wanted)
        pack.stdin.close()
        with suppress(BrokenPipeError, ConnectionResetError):
            while piece := await pack.stdout.read(PIECE):
                taker.stdin.write(piece)
                await taker.stdin.drain()
        taker.stdin.close()
        await taker.stdout.read()
        codes = (await pack.wait(), await taker.wait())
    if any(codes):
        text = "git does not take this snapshot into the project: a file or commit in it is unsound"
        raise Unprocessable(text, code="unsound_snapshot")
    await project.run("update-ref", ref, commit)

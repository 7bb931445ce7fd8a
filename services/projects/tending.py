"""Keeping the repositories' folder in order: packing, leftovers, names that are free again.

Packing keeps what no branch reaches any more: a job remembers its commit, and that commit must
be there when the job is run again, whatever was force-pushed since. So nothing is ever pruned.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from services.core.database import Transaction
from services.core.ids import is_id
from services.core.work import Work
from services.projects import store
from services.projects.runtime import Repositories, Repository

log = logging.getLogger("smalti.tending")

LOOSE, PACKS = 1000, 20  # beyond these a repository is packed
OLD = 24 * 3600.0
YOUNG = 3600.0  # a repository without a project may be one that is just being made
SLOW = 1800.0
MOST = 50
LEFTOVERS = (".new-", ".gone-", ".import-")


async def turn(work: Work) -> None:
    """Do one round: leftovers, then repositories that changed since they were last looked at."""
    repositories = work.context.get(Repositories)
    await asyncio.to_thread(repositories.folder.mkdir, 0o700, True, True)
    await work.write(_names)
    await sweep(work, repositories)
    for project_id in await work.read(store.untended, MOST):
        began = await work.read(_now)
        await tend(repositories.of(project_id))
        await work.write(_tended, project_id, began)


def _names(tx: Transaction) -> None:
    store.forget_names(tx)
    for row in store.outdated_names(tx, 100):
        store.follow_owner(tx, row)


def _now(tx: Transaction) -> float:
    return tx.now.timestamp()


def _tended(tx: Transaction, project_id: str, began: float) -> None:
    store.tended(tx, project_id, began)


async def sweep(work: Work, repositories: Repositories) -> None:
    """Remove folders that no project has (any more) and what broken-off work has left."""
    now = time.time()
    for path in await asyncio.to_thread(_older_than, repositories.folder, now - YOUNG):
        if path.name.startswith(LEFTOVERS):
            await asyncio.to_thread(shutil.rmtree, path, True)
    names = await asyncio.to_thread(_older_than, repositories.folder, now - YOUNG)
    ids = [path.name.removesuffix(".git") for path in names if path.name.endswith(".git")]
    ids = [one for one in ids if is_id(one)]
    for project_id in set(ids) - await work.read(store.known, ids):
        await asyncio.to_thread(repositories.remove, project_id)


def _older_than(folder: Path, moment: float) -> list[Path]:
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < moment:
                found.append(path)
    return found


async def tend(repository: Repository) -> None:
    """Pack a repository if it needs it, at the lowest priority."""
    if not await asyncio.to_thread(repository.path.is_dir):
        return
    await asyncio.to_thread(_remove_broken_off, repository.path)
    if not await asyncio.to_thread(needs_packing, repository.path):
        return
    await _quietly(repository, "pack-refs", "--all")
    # -k keeps what nothing reaches (see above), but takes it into the pack only where one is
    # there already: so first the rest, then everything.
    await _quietly(repository, "repack", "-d", "-q")
    await _quietly(repository, "repack", "-a", "-d", "-k", "-q")
    await _quietly(repository, "commit-graph", "write", "--reachable")


async def _quietly(repository: Repository, *arguments: str) -> None:
    """Run git behind everything else that wants the processor."""
    said = b"took too long"
    with suppress(TimeoutError):
        async with asyncio.timeout(SLOW), repository.open(*arguments) as process:
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PGRP, process.pid, 15)
            _, said = await process.communicate()
    if process.returncode:
        log.warning("git %s: %s", arguments[0], said.decode(errors="replace")[:500])


def needs_packing(path: Path) -> bool:
    """Tell whether there are many loose objects or many packs."""
    packs = sum(1 for name in os.listdir(path / "objects" / "pack") if name.endswith(".pack"))
    if packs > PACKS:
        return True
    loose = 0
    for name in os.listdir(path / "objects"):
        if len(name) == 2:
            loose += len(os.listdir(path / "objects" / name))
    return loose > LOOSE


def _remove_broken_off(path: Path) -> None:
    """Remove what interrupted pushes and edits have left, once it is old."""
    before = time.time() - OLD
    for folder, signs in (
        (path / "objects", ("tmp_", "incoming-")),
        (path / "objects" / "pack", ("tmp_", ".tmp-")),
        (path, ("index.",)),
    ):
        for name in os.listdir(folder):
            item = folder / name
            with suppress(FileNotFoundError):
                if name.startswith(signs) and item.stat().st_mtime < before:
                    shutil.rmtree(item) if item.is_dir() else item.unlink()

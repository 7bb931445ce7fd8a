"""Keeping the agent's caches within their size.

Owns when a prepared tree or a project's repository is thrown away: the longest unused first,
none that a run needs. Called by the agent's clock. Must never touch `runs/` or `desired/`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from services.planes.agent.git import GitError, Repositories, git
from services.planes.agent.trash import Trash
from services.planes.agent.trees import Trees

log = logging.getLogger(__name__)

OBJECTS_MAX = 2000  # loose objects in a repository above which it is packed


@dataclass(frozen=True)
class Cached:
    """A folder of a cache: how large, and when it was last used."""

    path: Path
    project_id: str
    commit: str | None  # None: the project's repository
    size: int
    used_at: float


def to_evict(cached: list[Cached], maximum: int, in_use: set[str]) -> list[Cached]:
    """Choose what to throw away so that the rest fits; projects in use keep their repository."""
    total = sum(one.size for one in cached)
    chosen: list[Cached] = []
    # Trees before repositories: a tree is made again without the network.
    for one in sorted(cached, key=lambda one: (one.commit is None, one.used_at)):
        if total <= maximum:
            break
        if one.commit is None and one.project_id in in_use:
            continue
        chosen.append(one)
        total -= one.size
    return chosen


class Cleaner:
    """Cleans both caches when something was added to them."""

    def __init__(
        self, trees: Trees, repositories: Repositories, trash: Trash, maximum: int
    ) -> None:
        self._trees = trees
        self._repositories = repositories
        self._trash = trash
        self._maximum = maximum
        self._seen = -1

    async def clean(self, in_use: set[str]) -> None:
        """Look through the caches, if there is anything new. `in_use`: projects with runs."""
        if self._seen == self._trees.made:
            return
        self._seen = self._trees.made
        cached = await asyncio.to_thread(self._survey)
        for one in to_evict(cached, self._maximum, in_use):
            if one.commit is None:
                # Trees borrow from it: without it they are of no use.
                for tree in cached:
                    if tree.project_id == one.project_id and tree.commit is not None:
                        self._throw_tree(tree)
                self._trash.throw(one.path)
            else:
                self._throw_tree(one)
            log.info("cache cleaned", extra={"project": one.project_id, "bytes": one.size})
        await self._pack()

    def _throw_tree(self, one: Cached) -> None:
        if one.commit is not None and not self._trees.copying(one.project_id, one.commit):
            self._trees.forget(one.project_id, one.commit)
            self._trash.throw(one.path)

    def _survey(self) -> list[Cached]:
        found = []
        for project in _folders(self._trees.folder):
            for tree in _folders(project):
                if not tree.name.startswith("."):
                    found.append(_measure(tree, project.name, tree.name))
        for bare in _folders(self._repositories.folder):
            found.append(_measure(bare, bare.name.removesuffix(".git"), None))
        return found

    async def _pack(self) -> None:
        for bare in await asyncio.to_thread(_folders, self._repositories.folder):
            try:
                await git(f"--git-dir={bare}", "-c", f"gc.auto={OBJECTS_MAX}", "gc", "--auto")
            except GitError as error:
                log.warning("repository not packed", extra={"path": bare.name, "why": str(error)})


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False)]


def _measure(folder: Path, project_id: str, commit: str | None) -> Cached:
    size = 0
    for at, _, files in os.walk(folder):
        for name in files:
            try:
                size += os.lstat(os.path.join(at, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return Cached(folder, project_id, commit, size, folder.stat().st_mtime)

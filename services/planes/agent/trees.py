"""Checkouts: a prepared tree per commit, copied for each run.

Owns `cache/trees/<project>/<commit>/` in the agent's home. Called when a run is prepared.
A run gets a copy that is its own; its `.git` borrows objects from the project's repository,
which the run can read and not write. Must never give a run anything that it could change for
others: no hard links.

Why a copy of files and not `git clone --shared` or `git worktree`: those cost 12 ms of cpu and
a lock per run; writing a few small files from memory costs a tenth of a millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import stat
import uuid
from collections import Counter, OrderedDict
from dataclasses import dataclass
from pathlib import Path

from services.planes.agent.git import GitError, Repositories, git
from services.planes.agent.programs import CannotPrepare
from services.planes.protocol import RunOrder

log = logging.getLogger(__name__)

SMALL_FILES = 40
SMALL_BYTES = 1 << 20
REMEMBERED_BYTES = 32 << 20


@dataclass(frozen=True)
class Entry:
    """One thing in a prepared tree. `content` is kept for small trees, and for symlinks."""

    path: str
    mode: int
    content: bytes | None

    @property
    def is_folder(self) -> bool:
        """Tell whether it is a folder."""
        return stat.S_ISDIR(self.mode)


@dataclass(frozen=True)
class Tree:
    """A prepared tree: where it is and what is in it, parents before children."""

    root: str
    entries: tuple[Entry, ...]
    size: int

    @property
    def small(self) -> bool:
        """Tell whether it is copied from memory, without a thread."""
        return self.size <= SMALL_BYTES and len(self.entries) <= SMALL_FILES


class Trees:
    """Prepared trees by project and commit."""

    def __init__(self, folder: Path, repositories: Repositories) -> None:
        self.folder = folder
        self._repositories = repositories
        self._known: OrderedDict[tuple[str, str], Tree] = OrderedDict()
        self._remembered = 0
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._copies: Counter[tuple[str, str]] = Counter()
        self.made = 0  # counts preparations, so that cleaning knows when there is something new
        folder.mkdir(parents=True, exist_ok=True)

    def objects(self, project_id: str) -> Path:
        """The folder that checkouts of a project borrow from; runs must be able to read it."""
        return self._repositories.path(project_id) / "objects"

    def ready(self, order: RunOrder) -> bool:
        """Tell whether a checkout needs nothing from the network."""
        return self._place(order).is_dir()

    async def checkout(self, order: RunOrder, url: str, target: Path) -> None:
        """Fill `target`, which must not exist, with the order's commit.

        Raises CannotPrepare, `git.Unreachable`, OSError.
        """
        key = (order.project_id, order.commit)
        tree = self._known.get(key) or await self._get(order, url)
        self._known.move_to_end(key)
        if tree.small:
            copy(tree, str(target))
            return
        self._copies[key] += 1
        try:
            os.utime(tree.root)  # what was used last is thrown away last
            await asyncio.to_thread(copy, tree, str(target))
        finally:
            self._copies[key] -= 1

    def copying(self, project_id: str, commit: str) -> bool:
        """Tell whether a tree is being copied now."""
        return self._copies[project_id, commit] > 0

    def forget(self, project_id: str, commit: str) -> None:
        """Drop what is remembered of a tree that is to be removed."""
        tree = self._known.pop((project_id, commit), None)
        if tree is not None and tree.small:
            self._remembered -= tree.size

    def _place(self, order: RunOrder) -> Path:
        self._repositories.path(order.project_id)  # refuses an id that is none
        return self.folder / order.project_id / order.commit

    async def _get(self, order: RunOrder, url: str) -> Tree:
        key = (order.project_id, order.commit)
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._known:
                place = self._place(order)
                if not place.is_dir() or not self.objects(order.project_id).is_dir():
                    await self._make(order, url, place)
                os.utime(place)
                self._remember(key, await asyncio.to_thread(read, str(place)))
        self._locks.pop(key, None)
        return self._known[key]

    def _remember(self, key: tuple[str, str], tree: Tree) -> None:
        self._known[key] = tree
        self._remembered += tree.size if tree.small else 0
        while self._remembered > REMEMBERED_BYTES or len(self._known) > 1000:
            self.forget(*next(iter(self._known)))

    async def _make(self, order: RunOrder, url: str, place: Path) -> None:
        self.made += 1
        try:
            await self._prepare(order, url, place)
        except GitError as error:
            # The cache may be damaged; what it holds can be fetched again, so once from scratch.
            fields = {"project": order.project_id, "why": str(error)}
            log.warning("repository fetched anew", extra=fields)
            await self._repositories.drop(order.project_id)
            try:
                await self._prepare(order, url, place)
            except GitError as again:
                text = f"git could not check the commit out: {again}"
                raise CannotPrepare(text[:500], retryable=True) from again

    async def _prepare(self, order: RunOrder, url: str, place: Path) -> None:
        bare = await self._repositories.ensure(order.project_id, order.commit, url, order.token)
        temporary = place.with_name(f".{uuid.uuid4().hex}")
        try:
            await asyncio.to_thread(_begin, temporary, bare / "objects", order.commit)
            # In the folder of the tree, so that the index is made there and copied with it.
            where = (f"--git-dir={temporary}/.git", f"--work-tree={temporary}")
            await git(*where, "reset", "--hard", "--quiet", order.commit)
            await asyncio.to_thread(shutil.rmtree, place, True)
            with contextlib.suppress(FileExistsError):
                temporary.rename(place)
        finally:
            if temporary.exists():
                await asyncio.to_thread(shutil.rmtree, temporary, True)


def _begin(root: Path, objects: Path, commit: str) -> None:
    """Write the least `.git` that git takes for a repository: every file costs each run."""
    for folder in (".git/objects/info", ".git/refs"):
        (root / folder).mkdir(parents=True)
    (root / ".git" / "HEAD").write_text(f"{commit}\n")
    (root / ".git" / "objects" / "info" / "alternates").write_text(f"{objects}\n")


def read(root: str) -> Tree:
    """List a prepared tree; contents too when it is small."""
    entries: list[Entry] = []
    size = 0
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            found = os.lstat(path)
            link = os.readlink(os.fsencode(path)) if stat.S_ISLNK(found.st_mode) else None
            entries.append(Entry(os.path.relpath(path, root), found.st_mode, link))
            size += found.st_size if stat.S_ISREG(found.st_mode) else 0
    tree = Tree(root, tuple(entries), size)
    if not tree.small:
        return tree
    return Tree(root, tuple(_with_content(root, entry) for entry in entries), size)


def _with_content(root: str, entry: Entry) -> Entry:
    if not stat.S_ISREG(entry.mode):
        return entry
    return Entry(entry.path, entry.mode, Path(root, entry.path).read_bytes())


def copy(tree: Tree, target: str) -> None:
    """Write a tree into a new folder. OSError."""
    os.mkdir(target)
    for entry in tree.entries:
        path = f"{target}/{entry.path}"
        if entry.is_folder:
            os.mkdir(path)
        elif stat.S_ISLNK(entry.mode):
            os.symlink(entry.content or b"", path)
        elif entry.content is None:
            shutil.copyfile(f"{tree.root}/{entry.path}", path, follow_symlinks=False)
            if entry.mode & 0o111:
                os.chmod(path, 0o755)  # noqa: S103 - a program in a person's checkout
        else:
            _write(path, 0o755 if entry.mode & 0o111 else 0o644, entry.content)


def _write(path: str, mode: int, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)

"""Folders that outlive runs: the checkout and the home folder of each workspace.

Owns `volumes/<id>/{project,home}` in the agent's home. Called when a session is prepared and by
the agent's clock. A volume appears whole, by a rename; from then on it is the person's, and
nothing here reads or runs git in it: what a person wrote there must never run with our rights.
Must never throw one away that the control plane names, that a run uses, or that is new.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from services.planes.agent.git import GitError, git, header, told
from services.planes.agent.programs import CannotPrepare
from services.planes.agent.rules import is_name
from services.planes.agent.trash import Trash
from services.planes.protocol import RunOrder

log = logging.getLogger(__name__)

YOUNG = 3600.0  # seconds for which a volume stays, whoever knows of it
_BUILDING = ".building-"
# What git takes for a branch and nothing that it could take for an option or another ref.
_BRANCH = re.compile(
    r"(?!.*(\.\.|//|@\{|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9_./+@=-]{0,200}(?<![./])"
)


@dataclass(frozen=True)
class Volume:
    """One workspace's folders: its checkout and its home."""

    project: Path
    home: Path


class Volumes:
    """The volumes of this plane by id."""

    def __init__(self, folder: Path, trash: Trash, patience: float) -> None:
        self.folder = folder
        self._trash = trash
        self._patience = patience
        self._locks: dict[str, asyncio.Lock] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_BUILDING}*"):  # of a killed agent
            trash.throw(left)

    def place(self, volume: str) -> Volume:
        """Where a volume is or will be. CannotPrepare for an id that is none."""
        if not is_name(volume):
            raise CannotPrepare("the order names no volume")
        return Volume(self.folder / volume / "project", self.folder / volume / "home")

    def exists(self, volume: str) -> bool:
        """Tell whether a volume is there."""
        return self.place(volume).project.is_dir()

    async def ensure(self, order: RunOrder, url: str, shown: str) -> Volume:
        """Make the volume that a session's order names, unless it is there.

        `url` is where the agent fetches from, `shown` the address that the checkout's `origin`
        has. Raises CannotPrepare, `git.Unreachable`, OSError.
        """
        assert order.session is not None
        volume = order.session.volume
        place = self.place(volume)
        async with self._locks.setdefault(volume, asyncio.Lock()):
            if not place.project.is_dir():
                await self._make(order, url, shown)
        return place

    async def _make(self, order: RunOrder, url: str, shown: str) -> None:
        assert order.session is not None
        target = self.folder / order.session.volume
        fresh = self.folder / f"{_BUILDING}{order.session.volume}"
        await asyncio.to_thread(shutil.rmtree, fresh, True)
        fresh.mkdir()
        try:
            (fresh / "home").mkdir(mode=0o700)
            async with asyncio.timeout(self._patience):
                await _clone(order, url, shown, fresh / "project")
            fresh.rename(target)
        except TimeoutError:
            text = f"fetching the code took longer than {self._patience:g} s"
            raise CannotPrepare(text, retryable=True) from None
        except GitError as error:
            raise told(str(error), order.commit) from error
        finally:
            if fresh.exists():
                self._trash.throw(fresh)
        log.info("volume made", extra={"volume": order.session.volume})

    def sweep(self, named: set[str], in_use: set[str]) -> list[str]:
        """Throw away what nobody needs any more and return its ids. OSError."""
        gone = []
        now = time.time()
        with os.scandir(self.folder) as entries:
            found = [e for e in entries if not e.name.startswith(".")]
        for entry in found:
            if entry.name in named or entry.name in in_use:
                continue
            # The folder itself is ours and changes only when the volume is made.
            if now - entry.stat(follow_symlinks=False).st_mtime < YOUNG:
                continue
            self._trash.throw(Path(entry.path))
            self._locks.pop(entry.name, None)
            gone.append(entry.name)
        return gone


async def _clone(order: RunOrder, url: str, shown: str, project: Path) -> None:
    """Make an ordinary clone with a working branch at the order's commit. GitError."""
    config = header(url, order.token)
    at = ("-C", str(project))
    await git("clone", "--quiet", "--template=", "--no-checkout", url, str(project), config=config)
    try:
        await git(*at, "cat-file", "-e", f"{order.commit}^{{commit}}")
    except GitError:  # on no branch, or on one that is gone
        await git(*at, "fetch", "--quiet", url, order.commit, config=config)
    branch = (
        checked_branch(order.session.branch) if order.session and order.session.branch else None
    )
    if branch is None:
        branch = await _default_branch(project)
    await git(*at, "checkout", "--quiet", "-B", branch, order.commit, "--")
    for name, value in (
        (f"branch.{branch}.remote", "origin"),
        (f"branch.{branch}.merge", f"refs/heads/{branch}"),
        ("remote.origin.url", shown),
        ("smalti.origin", shown),  # by which a later start knows that it is still ours
    ):
        await git(*at, "config", name, value)


async def _default_branch(project: Path) -> str:
    try:
        said = await git("-C", str(project), "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
    except GitError:  # its HEAD names no branch that is there
        return "main"
    return said.strip().removeprefix("origin/")


def checked_branch(branch: str) -> str:
    """Give the name of a branch that is one. CannotPrepare."""
    if not _BRANCH.fullmatch(branch):
        raise CannotPrepare(f"{branch[:80]!r} is not a name of a branch")
    return branch

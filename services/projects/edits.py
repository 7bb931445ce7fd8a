"""One file changed in a bare repository: each edit is a commit, none is ever lost.

The new tree is made in a private index, and the branch moves only if it still stands where the
edit began (compare-and-swap by `update-ref`); else the edit is done again on what is there now.
Must never touch a work tree, nor follow a link.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from services.core.errors import BadRequest, Conflict, NotFound, PreconditionFailed, StorageFull
from services.projects import refs, trees
from services.projects.runtime import GitFailed, Repository
from services.projects.trees import Entry

TRIES = 20
HELD = 4 << 20  # bytes of a file held in memory while it arrives
FILE, PROGRAM = "100644", "100755"
_NOT_IN_ADDRESS = re.compile(r"[^a-z0-9._+-]+")
_NOT_IN_NAME = re.compile(r"[<>\n\r\x00]+")


@dataclass(frozen=True)
class Author:
    """The person whose commit it is."""

    name: str
    email: str

    @classmethod
    def of(cls, name: str) -> Author:
        """Make the author of a person's name; git refuses some characters in either part."""
        plain = "".join(c for c in name if unicodedata.category(c) != "Cc")
        shown = _NOT_IN_NAME.sub(" ", plain).strip(" .,:;\"'") or "somebody"
        address = _NOT_IN_ADDRESS.sub("-", name.lower()).strip("-.") or "somebody"
        return cls(shown, f"{address}@users.smalti.local")

    def variables(self) -> dict[str, str]:
        """Give what git reads author and committer from."""
        return {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self.name), ("EMAIL", self.email))
        }


@dataclass(frozen=True)
class Edit:
    """What is to be done to one file; `blob` None removes it. Preconditions are blob ids."""

    branch: str
    path: str
    message: str
    author: Author
    blob: str | None = None
    if_match: str | None = None
    only_new: bool = False


@dataclass(frozen=True)
class Done:
    """The commit that an edit made, and the one before; both the same if nothing changed."""

    commit: str
    before: str | None


About = Callable[[Done], Awaitable[None]]


async def store(repository: Repository, pieces: AsyncIterator[bytes]) -> str:
    """Write a file's content into the object database; return its blob id. Binary safe.

    A large one goes through a file, which git streams; what comes by a pipe it holds in memory.
    """
    held = bytearray()
    spool = repository.path / "objects" / f"tmp_edit_{secrets.token_hex(8)}"
    try:
        async for piece in pieces:
            held += piece
            if len(held) >= HELD:
                await asyncio.to_thread(_append, spool, bytes(held))
                held.clear()
        if not spool.exists():
            blob = await repository.run("hash-object", "-w", "--stdin", data=bytes(held))
        else:
            await asyncio.to_thread(_append, spool, bytes(held))
            blob = await repository.run("hash-object", "-w", "--no-filters", "--", str(spool))
    except (GitFailed, OSError) as error:
        raise StorageFull("the file could not be kept") from error
    finally:
        spool.unlink(missing_ok=True)
    return blob.decode().strip()


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


async def apply(repository: Repository, edit: Edit, about: About) -> Done:
    """Commit an edit on its branch; `about` is told before each try what is about to move.

    Raises PreconditionFailed, NotFound (nothing to remove, no such branch), BadRequest (the
    path cannot be a file here), Conflict when the branch moved under every try.
    """
    for attempt in range(TRIES):
        head = refs.branch_head(repository, edit.branch)
        there = await trees.on_the_way(repository, head, edit.path) if head else []
        mode = _check(edit, there)
        tree = await _tree(repository, head, edit, mode)
        if head and tree == await _tree_of(repository, head):
            return Done(head, head)
        commit = await _commit(repository, tree, head, edit)
        await about(Done(commit, head))
        if await _move(repository, edit.branch, commit, head):
            return Done(commit, head)
        await asyncio.sleep(0.005 * attempt * secrets.randbelow(100) / 100)
    raise Conflict("the branch keeps moving: try again")


def _check(edit: Edit, there: list[Entry]) -> str:
    """Refuse what cannot be; return the mode that the file has or gets."""
    here = next((one for one in there if one.path == edit.path), None)
    if edit.only_new and here is not None:
        raise PreconditionFailed("There is such a file already.")
    if edit.if_match is not None and (here is None or here.object != edit.if_match):
        raise PreconditionFailed("The file was changed meanwhile: read it again, then change it.")
    above = [one for one in there if one.path != edit.path and one.kind != "directory"]
    if above:
        raise BadRequest(f"{above[0].path!r} is no folder", code="bad_path")
    if here is None:
        if edit.blob is None:
            raise NotFound("there is no such file")
        return FILE
    if here.kind == "directory":
        raise BadRequest("this is a folder", code="bad_path")
    if edit.blob is not None and here.kind != "file":
        raise BadRequest(f"this is a {here.kind}: remove it first", code="bad_path")
    return PROGRAM if here.mode == PROGRAM else FILE


async def _tree(repository: Repository, head: str | None, edit: Edit, mode: str) -> str:
    """Write the tree that the edit makes of the branch's."""
    index = repository.path / f"index.{secrets.token_hex(8)}"
    own = {"GIT_INDEX_FILE": str(index)}
    try:
        await repository.run("read-tree", head or "--empty", extra=own)
        line = f"{mode if edit.blob else 0} {edit.blob or refs.ZERO}\t{edit.path}\0"
        await repository.run("update-index", "-z", "--index-info", data=line.encode(), extra=own)
        return (await repository.run("write-tree", extra=own)).decode().strip()
    except GitFailed as error:
        if "invalid path" in error.text.lower() or "malformed" in error.text.lower():
            raise BadRequest("git does not take this path", code="bad_path") from error
        raise
    finally:
        index.unlink(missing_ok=True)
        index.with_name(f"{index.name}.lock").unlink(missing_ok=True)


async def _tree_of(repository: Repository, commit: str) -> str:
    return (await repository.run("rev-parse", f"{commit}^{{tree}}")).decode().strip()


async def _commit(repository: Repository, tree: str, head: str | None, edit: Edit) -> str:
    parents = ["-p", head] if head else []
    output = await repository.run(
        "commit-tree", tree, *parents, data=edit.message.encode(), extra=edit.author.variables()
    )
    return output.decode().strip()


async def _move(repository: Repository, branch: str, commit: str, head: str | None) -> bool:
    """Move the branch if it still stands at `head` (or still is not there)."""
    try:
        await repository.run("update-ref", f"refs/heads/{branch}", commit, head or refs.ZERO)
    except GitFailed:
        if refs.branch_head(repository, branch) == head:
            raise
        return False
    return True


async def new_branch(repository: Repository, name: str, commit: str) -> bool:
    """Make a branch at a commit; False when there is one of this name, or one in its way."""
    try:
        return await _move(repository, name, commit, None)
    except GitFailed:
        return False  # "a" is there, and "a/b" was asked for


async def first_commit(repository: Repository, folder: str, branch: str, author: Author) -> str:
    """Commit all files of a folder of ours as a branch's first commit."""
    index = repository.path / f"index.{secrets.token_hex(8)}"
    own = {"GIT_INDEX_FILE": str(index)}
    try:
        await repository.run(f"--work-tree={folder}", "-C", folder, "add", "-A", ".", extra=own)
        tree = (await repository.run("write-tree", extra=own)).decode().strip()
    finally:
        index.unlink(missing_ok=True)
    begin = Edit(branch, "", "Begin from the example\n", author)
    commit = await _commit(repository, tree, None, begin)
    await _move(repository, branch, commit, None)
    return commit

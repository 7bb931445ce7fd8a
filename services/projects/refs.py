"""From a branch, tag or commit id to a commit. Reads refs straight where git need not run."""

from __future__ import annotations

import re

from services.core.errors import Unprocessable
from services.projects.rules import is_ref_name
from services.projects.runtime import GitFailed, Repository

ZERO = "0" * 40
_FULL = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,40}")


class NoSuchRef(Unprocessable):
    """Nothing of this name is there."""

    code = "no_such_ref"

    def __init__(self, ref: str) -> None:
        super().__init__(f"no branch, tag or commit named {ref[:250]!r} is in this project")


async def resolve(repository: Repository, ref: str) -> str:
    """Return the id of the commit that a branch, a tag or a commit id means. Raises NoSuchRef.

    40 hexadecimal digits always are a commit id, so that no branch can pose as a commit;
    otherwise a branch comes before a tag, and a tag before a shortened id (7 digits or more).
    """
    if _FULL.fullmatch(ref):
        return await _commit(repository, ref, [ref])
    for prefix in ("refs/heads/", "refs/tags/"):
        if ref.startswith(prefix) and is_ref_name(ref.removeprefix(prefix)):
            return await _commit(repository, ref, [ref])
    if not is_ref_name(ref):
        raise NoSuchRef(ref)
    branch = branch_head(repository, ref)
    if branch is not None:
        return branch
    short = [ref] if _SHORT.fullmatch(ref) else []
    found = await _commit(repository, ref, [f"refs/heads/{ref}", f"refs/tags/{ref}", *short])
    if short and not await _is_shown(repository, found):
        raise NoSuchRef(ref)
    return found


async def _is_shown(repository: Repository, commit: str) -> bool:
    """Tell whether a branch or tag leads to a commit.

    One that none does is only given to who knows its whole id, which cannot be guessed: it may
    have been copied here for one job or one workspace of somebody's.
    """
    command = ("for-each-ref", "--count=1", f"--contains={commit}", "refs/heads", "refs/tags")
    return bool((await repository.run(*command)).strip())


async def _commit(repository: Repository, ref: str, names: list[str]) -> str:
    # Asked by standard input: no name can be taken for an option.
    question = "".join(f"{name}^{{commit}}\n" for name in names)
    try:
        answer = await repository.run(
            "cat-file", "--batch-check=%(objectname) %(objecttype)", data=question.encode()
        )
    except GitFailed:
        raise NoSuchRef(ref) from None
    for line in answer.decode().splitlines():
        found, _, kind = line.partition(" ")
        if kind == "commit" and (not _SHORT.fullmatch(ref) or _is_meant(found, ref, names)):
            return found
    raise NoSuchRef(ref)


def _is_meant(found: str, ref: str, names: list[str]) -> bool:
    """Tell that something asked for by its (short) id has this id; refs may have any."""
    return names != [ref] or found.startswith(ref)


def branch_head(repository: Repository, name: str) -> str | None:
    """Read where a branch stands, without running git; None when there is no such branch.

    `name` must have passed `rules.is_ref_name`: it becomes part of a file's path.
    """
    try:
        text = (repository.path / "refs" / "heads" / name).read_text().strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return packed(repository).get(f"refs/heads/{name}")
    return text if _FULL.fullmatch(text) else None


def packed(repository: Repository) -> dict[str, str]:
    """Read the refs that git has packed into one file."""
    try:
        text = (repository.path / "packed-refs").read_text()
    except FileNotFoundError:
        return {}
    pairs = (line.split(" ", 1) for line in text.splitlines() if line[:1] not in ("#", "^", ""))
    return {name: commit for commit, name in pairs}


def current(repository: Repository, name: str) -> str | None:
    """Read what a full ref name (`refs/...`) stands at, peeling nothing; None when it is gone."""
    try:
        return (repository.path / name).read_text().strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return packed(repository).get(name)

"""Commits, branches and tags of a repository, and what differs between two commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.core.errors import NotFound
from services.core.settings import MiB
from services.projects.runtime import GitFailed, OutputTooLarge, Repository

PATCH_MOST = MiB
FILES_MOST = 3000
MESSAGE_MOST = 64 << 10
SLOW = 20.0
_FORMAT = "%H%n%P%n%an%n%ae%n%aI%n%B"
_STATUS = {
    "A": "added",
    "M": "modified",
    "D": "deleted",
    "R": "renamed",
    "C": "copied",
    "T": "type_changed",
}


@dataclass(frozen=True)
class Commit:
    """One commit."""

    id: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: datetime
    message: str


@dataclass(frozen=True)
class Ref:
    """A branch or a tag, and the commit it means."""

    name: str
    commit: str


@dataclass(frozen=True)
class FileChange:
    """A file that differs. No line counts for binary ones; `old_path` of a renamed one."""

    path: str
    old_path: str | None
    status: str
    additions: int | None
    deletions: int | None


@dataclass(frozen=True)
class Difference:
    """What differs between two commits; `cut` when files or patch are not shown whole."""

    commits: tuple[str, str]
    files: list[FileChange]
    patch: str
    cut: bool


async def commits(
    repository: Repository, start: str, path: str | None, skip: int, most: int
) -> list[Commit]:
    """List commits backwards from one, at most so many; with a path: those that touched it."""
    command = ["--literal-pathspecs", "log", "-z", f"--format={_FORMAT}", "--no-show-signature"]
    where = ["--", path] if path else ["--"]
    output = await repository.run(
        *command, f"--skip={skip}", f"--max-count={most}", start, *where,
        seconds=SLOW, most=64 * MiB,
    )  # fmt: skip
    return [_commit(text) for text in output.decode(errors="replace").split("\0") if text.strip()]


def _commit(text: str) -> Commit:
    identity, parents, name, email, at, message = text.lstrip("\n").split("\n", 5)
    return Commit(
        identity,
        tuple(parents.split()),
        name,
        email,
        datetime.fromisoformat(at),
        message.rstrip("\n")[:MESSAGE_MOST],
    )


async def refs(repository: Repository, folder: str, after: str, most: int) -> list[Ref]:
    """List branches (`refs/heads`) or tags (`refs/tags`) by name, from after a name on.

    A tag that means no commit is left out.
    """
    form = "%(refname:lstrip=2)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
    output = await repository.run("for-each-ref", f"--format={form}", f"{folder}/")
    found: list[Ref] = []
    for line in output.decode(errors="replace").splitlines():
        name, kind, here, peeled_kind, peeled = line.split("\0")
        commit = here if kind == "commit" else peeled if peeled_kind == "commit" else None
        if commit is not None and name > after:
            found.append(Ref(name, commit))
    return sorted(found, key=_by_name)[:most]


def _by_name(ref: Ref) -> str:
    return ref.name


async def difference(repository: Repository, left: str, right: str) -> Difference:
    """Say what differs between two commits, given by their ids. NotFound when one is gone."""
    base = ["diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color"]
    try:
        raw = await repository.run(*base, "--raw", "--numstat", "-z", left, right, "--")
        patch, cut = await _patch(repository, [*base, "-p", left, right, "--"])
    except OutputTooLarge as error:
        raise NotFound("too much differs to be shown") from error
    except GitFailed as error:
        raise NotFound("one of the commits is not there any more") from error
    files = changes(raw)
    return Difference((left, right), files[:FILES_MOST], patch, cut or len(files) > FILES_MOST)


async def _patch(repository: Repository, command: list[str]) -> tuple[str, bool]:
    try:
        output, cut = await repository.run(*command, seconds=SLOW, most=PATCH_MOST), False
    except OutputTooLarge as error:
        output, cut = error.output.rsplit(b"\n", 1)[0] + b"\n", True
    return output.decode(errors="replace"), cut


def changes(raw: bytes) -> list[FileChange]:
    """Read `git diff-tree --raw --numstat -z`: first each file's status, then its line counts."""
    fields = iter(raw.decode(errors="replace").split("\0"))
    statuses: list[tuple[str, str | None, str]] = []
    counts: dict[str, tuple[int | None, int | None]] = {}
    for field in fields:
        if field.startswith(":"):
            letter = field.split(" ")[4][:1]
            first = next(fields)
            renamed = letter in "RC"
            statuses.append(
                (_STATUS.get(letter, "modified"), first, next(fields))
                if renamed
                else (_STATUS.get(letter, "modified"), None, first)
            )
        elif field:
            added, deleted, path = field.split("\t", 2)
            if not path:  # a renamed file: old and new path follow
                next(fields)
                path = next(fields)
            counts[path] = (_count(added), _count(deleted))
    return [
        FileChange(path, old, status, *counts.get(path, (None, None)))
        for status, old, path in statuses
    ]


def _count(text: str) -> int | None:
    return None if text == "-" else int(text)

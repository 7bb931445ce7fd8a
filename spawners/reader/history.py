"""The person's own commits: which one is checked out, and a pack of those not known yet.

Reads their `.git` without believing its configuration (see `asking`). What cannot be read gives
a snapshot without its history, never none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spawners.reader.asking import Asking
from spawners.reader.content import PIECE

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"refs/[A-Za-z0-9._/@+-]{1,240}")
_MOST = 1 << 20


class Unreadable(Exception):
    """The history cannot be read. The text is for a person."""


def head(asking: Asking) -> str | None:
    """Give the commit that is checked out; None where there is none yet."""
    text = _read(asking, "HEAD").strip()
    if text.startswith("ref: "):
        name = text.removeprefix("ref: ")
        if not _REF.fullmatch(name) or ".." in name:
            return None
        text = _read(asking, name).strip() or _packed(asking, name)
    return text if _COMMIT.fullmatch(text) else None


def _packed(asking: Asking, name: str) -> str:
    for line in _read(asking, "packed-refs").splitlines():
        commit, _, ref = line.partition(" ")
        if ref == name:
            return commit
    return ""


def remote_heads(asking: Asking) -> list[str]:
    """List commits that the person's git believes the project to have."""
    out = _read(asking, "packed-refs").splitlines()
    found = [line[:40] for line in out if " refs/remotes/" in line]
    fetched = _read(asking, "FETCH_HEAD").splitlines()
    found += [line[:40] for line in fetched]
    return [one for one in dict.fromkeys(found) if _COMMIT.fullmatch(one)][:200]


def _read(asking: Asking, name: str) -> str:
    try:
        with open(asking.project + b"/.git/" + name.encode(), "rb") as file:
            return file.read(_MOST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def has(asking: Asking, commits: list[str]) -> list[str]:
    """Give those of some commits that the person's objects hold."""
    question = "".join(f"{commit}^{{commit}}\n" for commit in commits).encode()
    out = asking.ask("cat-file", "--batch-check=%(objectname) %(objecttype)", data=question)
    lines = (out or b"").decode("ascii", "replace").splitlines()
    return [line.split(" ")[0] for line in lines if line.endswith(" commit")]


def pack(asking: Asking, commit: str, known: list[str]) -> Iterator[bytes]:
    """Yield a pack of all that leads to a commit and is not known. Raises Unreadable."""
    process = asking.start("pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset",
                           "--threads=1", "--window=0")  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        lines = [commit, *(f"^{one}" for one in known)]
        process.stdin.write(("\n".join(lines) + "\n").encode())
        process.stdin.close()
        while piece := process.stdout.read(PIECE):
            yield piece
    except OSError as error:
        raise Unreadable("the history could not be read") from error
    finally:
        process.stdout.close()
        if process.wait() != 0:
            raise Unreadable("the history could not be read")

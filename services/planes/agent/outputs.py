"""Finding what a run left in its outputs folder.

Owns which files count as outputs, under which names, and how they are opened. Called when a run
has ended, before `uploads` puts them. The folder was written by a person's program: nothing
here follows a link, opens a device or believes a name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.planes.agent.rules import size_text
from services.planes.protocol import LimitsOrder

PATH_MAX = 1024  # bytes
NAMED_MAX = 5  # how many names a remark lists before it counts the rest
DEPTH_MAX = 64


@dataclass(frozen=True)
class Found:
    """A regular file: its parts as the file system has them, and its path as it is stored."""

    parts: tuple[bytes, ...]
    path: str
    size: int


@dataclass
class Remarks:
    """What a person should know of files that were not kept as they were, by kind."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, name: str) -> None:
        """Note one file under a kind of remark."""
        self.names.setdefault(what, []).append(name)

    def texts(self) -> list[str]:
        """Write one line per kind; long lists are cut."""
        lines = []
        for what, names in self.names.items():
            shown = ", ".join(name[:80] for name in names[:NAMED_MAX])
            rest = len(names) - NAMED_MAX
            lines.append(f"{what}: {shown}" + (f" and {rest} more" if rest > 0 else ""))
        return lines


def is_empty(folder: Path) -> bool:
    """Tell whether there is nothing in a folder, or no folder."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True


def survey(folder: Path, limits: LimitsOrder) -> tuple[list[Found], Remarks]:
    """List the files to keep, by path, within the limits. OSError when it cannot be read."""
    remarks = Remarks()
    kept: list[Found] = []
    taken: set[str] = set()
    total = 0
    for found in _named(_walk(os.fsencode(folder), remarks), remarks, taken):
        if len(kept) >= limits.output_files:
            remarks.add(f"beyond the limit of {limits.output_files} output files", found.path)
        elif total + found.size > limits.outputs:
            text = f"beyond the limit of {size_text(limits.outputs)} of outputs"
            remarks.add(text, found.path)
        else:
            kept.append(found)
            total += found.size
    return kept, remarks


def _walk(root: bytes, remarks: Remarks) -> Iterator[tuple[tuple[bytes, ...], int]]:
    pending: list[tuple[bytes, ...]] = [()]
    while pending:
        parts = pending.pop()
        folders = []
        for entry in _entries(root, parts, remarks):
            below = (*parts, entry.name)
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode):
                yield below, entry.stat(follow_symlinks=False).st_size
            elif not stat.S_ISDIR(mode):
                kind = "links" if stat.S_ISLNK(mode) else "special files"
                remarks.add(f"{kind} are not kept", _shown(below))
            elif len(below) > DEPTH_MAX:
                remarks.add("folders too deep to be kept", _shown(below))
            else:
                folders.append(below)
        pending.extend(reversed(folders))


def _entries(root: bytes, parts: tuple[bytes, ...], remarks: Remarks) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(os.path.join(root, *parts)) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        remarks.add(f"could not be read ({error.strerror})", _shown(parts) or ".")
        return []


def _named(
    files: Iterator[tuple[tuple[bytes, ...], int]], remarks: Remarks, taken: set[str]
) -> Iterator[Found]:
    """Give each file the path under which it is stored; odd bytes become %XX."""
    for parts, size in files:
        path = "/".join(_plain(part) for part in parts)
        if len(path.encode()) > PATH_MAX:
            remarks.add("names too long to be kept", _shown(parts))
            continue
        if path.encode() != b"/".join(parts):
            remarks.add("kept under a plainer name", path)
        while path in taken:
            path += "~"
        taken.add(path)
        yield Found(parts, path, size)


def _plain(part: bytes) -> str:
    text = part.decode("utf-8", "surrogateescape")
    return "".join(
        character if character.isprintable() and character != "\\" else _quoted(character)
        for character in text
    )


def _quoted(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def _shown(parts: tuple[bytes, ...]) -> str:
    return "/".join(_plain(part) for part in parts)


def open_found(folder: Path, found: Found) -> int:
    """Open a file for reading, part by part, so that no link is followed. OSError."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    at = os.open(folder, flags | os.O_DIRECTORY)
    try:
        for part in found.parts[:-1]:
            below = os.open(part, flags | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = below
        # Not blocking: what was a file may have become a pipe since it was listed.
        handle = os.open(found.parts[-1], flags | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size != found.size:
        os.close(handle)
        raise OSError(f"changed while it was kept: {found.path}")
    return handle

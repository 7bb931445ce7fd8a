"""Walks a project's folder and says which files are there, which changed, which are left out.

Owns what is remembered of each file between looks: a file whose size, times, mode and inode are
as before is not read again. Called by `program`. Must never follow a link, nor read a file's
content (`content` does).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from spawners.reader import names
from spawners.reader.asking import Asking, Ignored
from spawners.reader.objects import File

# A file that changed within the clock's grain before it was looked at may change again unseen.
GRAIN_NS = 50_000_000
REGULAR, RUNNABLE, LINK = b"100644", b"100755", b"120000"

Signature = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Bounds:
    """Bytes and counts. Larger files than `prompt` are sent apart, than `largest` never."""

    prompt: int
    largest: int
    total: int
    files: int


@dataclass
class Seen:
    """A file as it was last taken. Without a signature it is looked at again."""

    signature: Signature | None
    file: File


@dataclass
class Look:
    """One walk's result. `changed` are to be read now, `waiting` (with size) to be sent apart."""

    present: list[bytes] = field(default_factory=list)
    changed: list[tuple[bytes, os.stat_result]] = field(default_factory=list)
    waiting: list[tuple[bytes, int]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # files with content that are not in it
    left: list[str] = field(default_factory=list)  # what is ignored or can be made again
    size: int = 0
    same: bool = True  # nothing differs from the look before

    @property
    def unsafe(self) -> list[str]:
        """What is not in the snapshot, the worst first."""
        return self.lost + self.left

    @property
    def settled(self) -> bool:
        """Tell whether all that it says stays so while nothing changes."""
        return not self.changed and not self.waiting

    def add(self, other: Look) -> None:
        """Take in what was found in one folder."""
        self.present += other.present
        self.changed += other.changed
        self.waiting += other.waiting
        self.lost += other.lost
        self.left += other.left
        self.size += other.size


@dataclass(frozen=True)
class Memory:
    """A folder as it was: what to compare to know that it still is so, and what was found then.

    Comparing known paths costs half of listing and asking: a folder at rest is walked by this.
    """

    folder: Signature
    checks: tuple[tuple[bytes, int, int, int], ...]  # path, ctime, size, inode
    inner: tuple[bytes, ...]
    found: Look


class IgnoreRulesChanged(Exception):
    """A .gitignore is not what it was: what is remembered of the rules' answers is worthless."""


class Walk:
    """One project's folder between looks."""

    def __init__(self, asking: Asking, bounds: Bounds) -> None:
        self._root = asking.project
        self._asking = asking
        self._bounds = bounds
        self.seen: dict[bytes, Seen] = {}
        self._memory: dict[bytes, Memory] = {}
        self._bounded = False  # something was left out because a bound of all was reached
        self._ignored: dict[bytes, bool] = {}
        self._rules: dict[bytes, Signature] = {}
        self._index: tuple[Signature | None, ...] = ()
        self._tracked: frozenset[bytes] = frozenset()
        self._tracked_folders: frozenset[bytes] = frozenset()

    def look(self) -> Look:
        """Walk through all of it."""
        self._heed_index()
        for _ in range(3):
            ignored = Ignored(self._asking)
            found = Look()
            try:
                self._enter(b"", 0, found, ignored)
                break
            except IgnoreRulesChanged:
                self._forget_answers()
            finally:
                ignored.close()
        gone = self.seen.keys() - set(found.present) if len(self.seen) > len(found.present) else ()
        for path in gone:
            del self.seen[path]
        return found

    def _heed_index(self) -> None:
        """Read anew what is tracked when the index or the rules beside it changed."""
        paths = [self._root + name for name in (b"/.git/index", b"/.git/info/exclude")]
        now = tuple(_signature_at(path) for path in paths)
        if now == self._index:
            return
        self._index = now
        self._forget_answers()
        self._tracked = self._asking.tracked()
        folders: set[bytes] = set()
        for path in self._tracked:
            folder = os.path.dirname(path)
            while folder and folder not in folders:
                folders.add(folder)
                folder = os.path.dirname(folder)
        self._tracked_folders = frozenset(folders)

    def _forget_answers(self) -> None:
        self._ignored.clear()
        self._memory.clear()

    def _enter(self, folder: bytes, depth: int, found: Look, ignored: Ignored) -> None:
        """Take a folder and all below it into a look."""
        whole = self._root + b"/" + folder
        memory = self._memory.get(folder)
        if memory is not None and _unchanged(whole, memory):
            found.add(memory.found)
            inner = memory.inner
        else:
            found.same = False
            inner = self._folder(folder, depth, found, ignored)
        for path in inner:
            self._enter(path, depth + 1, found, ignored)

    def _folder(
        self, folder: bytes, depth: int, total: Look, ignored: Ignored
    ) -> tuple[bytes, ...]:
        """List one folder; give those in it that are to be entered."""
        whole = self._root + b"/" + folder
        self._memory.pop(folder, None)
        found = Look(size=0)
        self._bounded = False
        inner: list[bytes] = []
        checks: list[tuple[bytes, int, int, int]] = []
        try:
            before = os.lstat(whole)
            with os.scandir(whole) as listing:
                entries = list(listing)
        except OSError as error:
            total.lost.append(f"{names.shown(folder)}/: {error.strerror or 'cannot be read'}")
            return ()
        prefix = folder + b"/" if folder else b""
        asked = self._answers(prefix, entries, ignored)
        for entry in entries:
            path = prefix + entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # it has just gone
            if stat.S_ISDIR(status.st_mode):
                if self._enters(path, entry.name, depth, found, asked):
                    inner.append(path)
                continue
            checks.append((entry.path, status.st_ctime_ns, status.st_size, status.st_ino))
            if path in asked:
                found.left.append(f"{names.shown(path)}: ignored by .gitignore")
            else:
                self._file(path, entry.name, status, found, total)
        if found.settled and settled(before) and not self._bounded:
            memory = Memory(_signature(before), tuple(checks), tuple(inner), found)
            self._memory[folder] = memory
        total.add(found)
        return tuple(inner)

    def _answers(
        self, prefix: bytes, entries: list[os.DirEntry[bytes]], ignored: Ignored
    ) -> set[bytes]:
        """Give the paths of a folder that git ignores and does not track."""
        remembered = self._ignored
        unknown = [entry for entry in entries if prefix + entry.name not in remembered]
        for entry in entries:
            if entry.name == b".gitignore":
                self._heed_rules(prefix + entry.name, entry)
                unknown = [entry for entry in entries if prefix + entry.name not in remembered]
        if unknown:
            plain = [prefix + one.name for one in unknown if not names.is_git(one.name)]
            plain = [path for path in plain if path not in self._tracked]
            hits = ignored.of(plain)
            remembered.update({prefix + one.name: prefix + one.name in hits for one in unknown})
        return {prefix + one.name for one in entries if remembered[prefix + one.name]}

    def _heed_rules(self, path: bytes, entry: os.DirEntry[bytes]) -> None:
        try:
            now = _signature(entry.stat(follow_symlinks=False))
        except OSError:
            return
        before = self._rules.get(path)
        self._rules[path] = now
        if before != now and self._ignored:
            raise IgnoreRulesChanged

    def _enters(self, path: bytes, name: bytes, depth: int, found: Look, asked: set[bytes]) -> bool:
        if names.is_git(name):
            if depth:
                text = "a repository of its own: its files are saved, its history is not"
                found.left.append(f"{names.shown(path)}/: {text}")
            return False
        if path in self._tracked_folders:
            return True
        if path in asked:
            found.left.append(f"{names.shown(path)}/: ignored by .gitignore")
            return False
        marks = frozenset([b"pyvenv.cfg"]) if _is_venv(self._root + b"/" + path) else frozenset()
        if names.is_cache(name, marks):
            found.left.append(f"{names.shown(path)}/: packages or a cache, which can be made again")
            return False
        if depth >= names.DEPTH_MOST:
            found.lost.append(f"{names.shown(path)}/: more than {names.DEPTH_MOST} folders deep")
            return False
        return True

    def _file(
        self, path: bytes, name: bytes, status: os.stat_result, found: Look, total: Look
    ) -> None:
        why = self._refusal(path, name, status) or self._full(status, found, total)
        if why:
            if why != "git":
                found.lost.append(f"{names.shown(path)}: {why}")
            return
        found.size += status.st_size
        before = self.seen.get(path)
        if before is not None and before.signature == _signature(status):
            found.present.append(path)
        elif status.st_size > self._bounds.prompt:
            newest = "" if before is None else "the newest version is "
            size = names.size_text(status.st_size)
            found.lost.append(f"{names.shown(path)}: {size}, {newest}not yet sent")
            found.waiting.append((path, status.st_size))
            if before is not None:
                found.present.append(path)
        else:
            found.present.append(path)
            found.changed.append((path, status))

    def _refusal(self, path: bytes, name: bytes, status: os.stat_result) -> str | None:
        if names.is_git(name):
            return "git" if path == b".git" else "a name that git does not take"
        if stat.S_ISLNK(status.st_mode):
            return "a link that git does not take" if names.refused_link(name) else None
        if not stat.S_ISREG(status.st_mode):
            return "not a file (a pipe, socket or device)"
        if len(path) > names.PATH_MOST:
            return f"its path is longer than {names.PATH_MOST} bytes"
        largest, size = self._bounds.largest, status.st_size
        if size > largest:
            most = names.size_text(largest)
            return f"{names.size_text(size)}, larger than the limit of {most}"
        return None

    def _full(self, status: os.stat_result, found: Look, total: Look) -> str | None:
        """Say which bound of the whole a file would go beyond."""
        bounds, why = self._bounds, None
        if len(found.present) + len(total.present) >= bounds.files:
            why = f"there are more than {bounds.files} files"
        elif found.size + total.size + status.st_size > bounds.total:
            size = names.size_text(status.st_size)
            why = f"{size}, and the workspace holds more than {names.size_text(bounds.total)}"
        self._bounded = self._bounded or why is not None
        return why

    def take(self, path: bytes, status: os.stat_result, file: File, settled: bool) -> None:
        """Remember what a file was found to hold; an unsettled one is read again."""
        self.seen[path] = Seen(_signature(status) if settled else None, file)

    def took_large(self, path: bytes, signature: Signature, file: File) -> None:
        """Remember a file that was sent apart, as it was then."""
        self.seen[path] = Seen(signature, file)

    def files(self, found: Look) -> Iterator[tuple[bytes, File]]:
        """Yield the files that a look leaves in the snapshot."""
        for path in found.present:
            seen = self.seen.get(path)
            if seen is not None:
                yield path, seen.file


def settled(status: os.stat_result) -> bool:
    """Tell whether a file's times can be trusted to tell a later change."""
    return abs(time.time_ns() - status.st_ctime_ns) > GRAIN_NS


def mode_of(status: os.stat_result) -> bytes:
    """Give a file's mode in git's words."""
    if stat.S_ISLNK(status.st_mode):
        return LINK
    return RUNNABLE if status.st_mode & 0o111 else REGULAR


def _signature(status: os.stat_result) -> Signature:
    return (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_mode,
    )


signature_of = _signature


def _unchanged(whole: bytes, memory: Memory) -> bool:
    """Tell whether a folder and the files in it are what they were."""
    lstat = os.lstat
    try:
        if _signature(lstat(whole)) != memory.folder:
            return False
        for path, changed, size, inode in memory.checks:
            now = lstat(path)
            # Nobody can set a ctime: any change of content or rights moves it.
            if now.st_ctime_ns != changed or now.st_size != size or now.st_ino != inode:
                return False
    except OSError:
        return False
    return True


def _signature_at(path: bytes) -> Signature | None:
    try:
        return _signature(os.lstat(path))
    except OSError:
        return None


def _is_venv(path: bytes) -> bool:
    return os.path.lexists(path + b"/pyvenv.cfg")

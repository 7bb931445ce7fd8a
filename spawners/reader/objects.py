"""Git objects made by hand: blobs, trees, commits, and packs of them.

Pure but for what it is given to read. By hand and not by git: no attribute, filter, hook or
configuration of the person's can have a say, a file is read once for its id and its content
together, and a change costs no process. Formats: gitformat-pack(5), git-hash-object(1).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

COMMIT, TREE, BLOB = 1, 2, 3
_WORDS = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}
_SAMPLE = 64 << 10
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def object_id(kind: int, data: bytes) -> str:
    """Give the id of an object."""
    digest = hashlib.sha1(b"%s %d\0" % (_WORDS[kind], len(data)), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def entry_head(kind: int, size: int) -> bytes:
    """Write the head of a pack's entry: the kind and the size before compression."""
    first, size = (kind << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    out.append(first)
    return bytes(out)


def level_for(sample: bytes) -> int:
    """Choose how hard to compress: not at all what hardly gets smaller."""
    sample = sample[:_SAMPLE]
    return 1 if len(zlib.compress(sample, 1)) < 0.9 * len(sample) else 0


def pack_head(count: int) -> bytes:
    """Write the head of a pack of so many objects."""
    return b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big")


@dataclass
class Pack:
    """Objects that are gathered to be sent together."""

    entries: list[bytes] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    size: int = 0

    def add(self, kind: int, data: bytes, identity: str) -> None:
        """Take an object in, once."""
        if identity in self.ids:
            return
        self.ids.add(identity)
        entry = entry_head(kind, len(data)) + zlib.compress(data, level_for(data))
        self.entries.append(entry)
        self.size += len(entry)

    def pieces(self) -> Iterator[bytes]:
        """Yield the pack."""
        digest = hashlib.sha1(usedforsecurity=False)
        for piece in (pack_head(len(self.entries)), *self.entries):
            digest.update(piece)
            yield piece
        yield digest.digest()


class StreamedBlob:
    """A pack of one blob that is never held whole. `id` is known at its end."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._name = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

    def pieces(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pack of a content of exactly the size that was said."""
        digest = hashlib.sha1(usedforsecurity=False)
        squeeze: zlib._Compress | None = None
        yield _seen(digest, pack_head(1) + entry_head(BLOB, self._size))
        for piece in content:
            self._name.update(piece)
            squeeze = squeeze or zlib.compressobj(level_for(piece))
            yield _seen(digest, squeeze.compress(piece))
        yield _seen(digest, (squeeze or zlib.compressobj()).flush())
        yield digest.digest()

    @property
    def id(self) -> str:
        """The blob's id, once all of it has passed."""
        return self._name.hexdigest()


def _seen(digest: hashlib._Hash, piece: bytes) -> bytes:
    digest.update(piece)
    return piece


@dataclass(frozen=True)
class File:
    """A file of a snapshot: its mode in git's words and its blob."""

    mode: bytes
    id: str


Folder = dict[bytes, "File | Folder"]


def nested(files: Iterable[tuple[bytes, File]]) -> Folder:
    """Arrange files by folder. A path whose folder is a file there is left out."""
    root: Folder = {}
    for path, file in files:
        *folders, name = path.split(b"/")
        here = root
        for part in folders:
            inner = here.setdefault(part, {})
            if isinstance(inner, File):
                break
            here = inner
        else:
            here.setdefault(name, file)
    return root


def write_tree(folder: Folder, pack: Pack, known: set[str]) -> str:
    """Add a folder's trees that are not known to a pack; give the id of the uppermost."""
    lines: list[tuple[bytes, bytes]] = []
    for name, what in folder.items():
        if isinstance(what, File):
            lines.append((name, b"%s %s\0" % (what.mode, name) + bytes.fromhex(what.id)))
        else:
            inner = write_tree(what, pack, known)
            # Git sorts a folder as if its name ended in a slash.
            lines.append((name + b"/", b"40000 %s\0" % name + bytes.fromhex(inner)))
    data = b"".join(line for _, line in sorted(lines))
    identity = object_id(TREE, data)
    if identity not in known:
        pack.add(TREE, data, identity)
    return identity


def commit_object(tree: str, parents: list[str], author: str, at: int) -> bytes:
    """Write a snapshot's commit; `author` is `Name <address>`."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {author} {at} +0000", f"committer {author} {at} +0000"]
    return ("\n".join(lines) + "\n\nSnapshot\n").encode()

"""The object store's interface: immutable objects under keys, in a folder or on S3.

What holds for every store, so that callers may count on it everywhere:

- An object appears whole or not at all, and is never changed: no append, no rename. Putting a
  key again (a repeated message) replaces the object whole; who is reading goes on reading.
- Nothing of an object passes through memory as a whole but what `put_bytes` and `get_bytes`
  are for: small pieces.
- A signed address lets its holder get or put this one object for at most 15 minutes.

Used by workloads (logs, outputs) and by whatever keeps files. Must never be asked for
anything by a key that holds a name a person chose (see `keys`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Stored:
    """What was put: its size in bytes and its SHA-256 in hex, counted while it was written."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Stat:
    """An object that is there: its size in bytes, and when it was put."""

    key: str
    size: int
    put_at: datetime


class ObjectStore:
    """Keeps objects. Every method raises ValueError for a key or prefix of the wrong form."""

    async def put(
        self,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        most: int | None = None,
        vital: bool = False,
    ) -> Stored:
        """Keep what the pieces make up; it is on disk, safe from a power cut, when this returns.

        `vital` things, those of work that is under way, may use the last room there is.
        Raises TooLarge beyond `most` bytes and StorageFull without room; nothing is kept then.
        """
        raise NotImplementedError

    async def put_bytes(self, key: str, data: bytes, *, vital: bool = False) -> Stored:
        """Keep a small piece, quickly.

        Safe from the end of any process when this returns, and from a power cut a second
        later: see `settle`. Raises StorageFull.
        """
        raise NotImplementedError

    def get(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to and without `end`. Raises NotFound at the first."""
        raise NotImplementedError

    async def get_bytes(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Return the bytes from `start` up to and without `end`. Raises NotFound."""
        raise NotImplementedError

    async def stat(self, key: str) -> Stat:
        """Describe an object. Raises NotFound."""
        raise NotImplementedError

    async def delete(self, key: str) -> None:
        """Let an object go; nothing happens when it is not there."""
        raise NotImplementedError

    async def delete_prefix(self, prefix: str) -> None:
        """Let all objects below a prefix of at least two words go."""
        raise NotImplementedError

    def list(self, prefix: str) -> AsyncIterator[Stat]:
        """Yield the objects below a prefix, in the order of their keys.

        Servers that only resemble S3 may go folder by folder: in one folder the order holds.
        """
        raise NotImplementedError

    def sign_get(
        self, key: str, *, filename: str, media_type: str | None = None, seconds: float = 300
    ) -> str:
        """Make an address from which anybody may fetch this object, as an attachment.

        It is complete, or a path that the platform answers: join it to the platform's address.
        """
        raise NotImplementedError

    def sign_put(self, key: str, *, most: int, seconds: float = 900) -> str:
        """Make an address to which anybody may PUT this object, of at most `most` bytes."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Bring what `put_bytes` took safely to disk; called once a second."""

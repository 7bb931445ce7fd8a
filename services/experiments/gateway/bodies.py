"""Request bodies: read whole when they are judged, counted when they are passed through.

Called by `gate`. No body is held beyond `body_max`, and none is passed on beyond its limit.
"""

from __future__ import annotations

from services.core.errors import TooLarge
from services.experiments.gateway.answers import Message, Receive

MiB = 1 << 20


class Gone(Exception):
    """The caller hung up before all was said."""


async def read(receive: Receive, limit: int) -> bytes:
    """Read a whole body. Raises TooLarge, Gone."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


def replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read, or written anew, and then what the caller does next."""
    said = False

    async def again() -> Message:
        nonlocal said
        if said:
            return await receive()
        said = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class Counted:
    """A body that is passed through; at the limit it breaks off, and `over` says so.

    To whoever reads it the caller seems to have hung up: MLflow then throws away what it has.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._size = 0
        self.over = False

    async def __call__(self) -> Message:
        """Give the next piece."""
        if self.over:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            self.over = True
            return {"type": "http.disconnect"}
        return message

    def refusal(self) -> TooLarge:
        """Say what the limit is."""
        return _too_large(self._limit)


def announced(headers: dict[bytes, bytes], limit: int) -> None:
    """Refuse a body by its announced length, before any of it is read. Raises TooLarge."""
    text = headers.get(b"content-length", b"")
    if text.isdigit() and int(text) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    shown = f"{limit // MiB} MiB" if limit >= MiB else f"{limit} bytes"
    return TooLarge(f"This is larger than the limit of {shown}.")

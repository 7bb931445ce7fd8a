"""Server-sent events: read as they come, and taken up again where they broke off.

Used for logs and events. A stream may live for days, over cuts of the network and restarts
of the platform; each event's id says where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from smalti.errors import ConnectionFailed, UnexpectedAnswer
from smalti.retries import Trial
from smalti.transport import Call, Transport

SILENCE = 60.0  # the platform sends something at least every 15 s; after 60 the line is dead
MAX_EVENT = 64 << 20


@dataclass(frozen=True)
class ServerEvent:
    """One event as it came. `id` is the newest that the stream has named."""

    name: str
    data: str
    id: str | None


class Parser:
    """Turns bytes into events, by the rules of the HTML standard; pieces may be cut anywhere."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # joined at a line's end only: a long line stays cheap
        self._waiting = 0
        self._data: list[str] = []
        self._size = 0
        self._name = ""
        self._id: str | None = None
        self._after_cr = False

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        """Take the next bytes and yield the events that they complete."""
        if self._after_cr and piece:
            self._after_cr = False
            piece = piece.removeprefix(b"\n")
        if piece.endswith(b"\r"):
            self._after_cr = True
        piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._waiting += len(piece)
        if self._waiting + self._size > MAX_EVENT:
            raise UnexpectedAnswer("an event in the server's stream is too large")
        self._rest.append(piece)
        if b"\n" not in piece:
            return
        lines = b"".join(self._rest).split(b"\n")
        self._rest = [lines.pop()]
        self._waiting = len(self._rest[0])
        for line in lines:
            event = self._line(line)
            if event is not None:
                yield event

    def _line(self, line: bytes) -> ServerEvent | None:
        if not line:
            event = ServerEvent(self._name or "message", "\n".join(self._data), self._id)
            empty = not self._data
            self._data, self._name, self._size = [], "", 0
            return None if empty else event
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None


def follow(
    transport: Transport,
    url: str,
    query: Mapping[str, Any],
    start: str | None = None,
    patience: float = 300.0,
) -> Iterator[ServerEvent]:
    """Yield events for ever, coming back with Last-Event-ID whenever the stream breaks.

    The caller ends it by closing the iterator. Raises ConnectionFailed when the server stays
    away for `patience` seconds, and what the server refuses with.
    """
    position, trial = start, Trial(transport.retry, patience)
    while True:
        headers = {"Accept": "text/event-stream"}
        if position is not None:
            headers["Last-Event-ID"] = position
        call = Call("GET", url, query, headers=headers, patience=patience, silence=SILENCE)
        try:
            with transport.open(call) as response:
                _check(response)
                parser = Parser()
                for piece in response.iter_bytes():
                    trial.progressed()  # a comment too: quiet is not a fault
                    for event in parser.feed(piece):
                        position = event.id if event.id is not None else position
                        yield event
            reason = "the server closes the stream again and again"
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        if not trial.again():
            raise ConnectionFailed(transport.address.root, reason)


def _check(response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "nothing")
    if not kind.startswith("text/event-stream"):
        raise UnexpectedAnswer(f"{response.url.host} sent {kind} instead of an event stream")


def data_of(event: ServerEvent) -> Any:
    """Decode an event's data as JSON, or raise UnexpectedAnswer."""
    try:
        return json.loads(event.data)
    except ValueError as error:
        raise UnexpectedAnswer("an event in the server's stream is not JSON") from error

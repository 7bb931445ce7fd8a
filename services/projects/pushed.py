"""What a push asked for, read from its first bytes as they pass by (gitprotocol-pack, 2.3).

Pure: is fed pieces of the body of `git-receive-pack` and collects its commands, so that the
trail can say which branch went from where to where, by whom. Keeps at most `MOST` bytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

MOST = 1 << 20
FLUSH = b"0000"


@dataclass(frozen=True)
class Command:
    """One ref that a push moves, makes (`old` is zero) or removes (`new` is zero)."""

    ref: str
    old: str
    new: str


class Commands:
    """Collects the commands of one push."""

    def __init__(self, *, gzipped: bool) -> None:
        self.found: list[Command] = []
        self.done = False
        self._rest = bytearray()
        self._unzip = zlib.decompressobj(wbits=31) if gzipped else None

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body; does nothing once the commands have ended."""
        if self.done:
            return
        try:
            self._rest += self._unzip.decompress(piece, MOST) if self._unzip else piece[:MOST]
            self._read()
        except (zlib.error, ValueError):
            self.done = True  # not a push that git will take either
        if len(self._rest) > MOST:
            self.done = True

    def _read(self) -> None:
        at = 0
        while len(self._rest) - at >= 4:
            size = int(bytes(self._rest[at : at + 4]), 16)
            if size == 0:
                self.done = True
                break
            if size < 4:
                raise ValueError("not a pkt-line")
            if len(self._rest) - at < size:
                break
            self._take(bytes(self._rest[at + 4 : at + size]))
            at += size
        del self._rest[:at]

    def _take(self, line: bytes) -> None:
        text = line.split(b"\0", 1)[0].decode(errors="replace").rstrip("\n")
        if text.startswith(("shallow ", "push-cert")):
            return
        old, new, ref = text.split(" ", 2)
        self.found.append(Command(ref, old, new))

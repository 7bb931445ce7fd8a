"""The console's built files: found, read once, and given in the form that a browser takes.

The set-up part of `make up` builds `extensions/console` into the folder `built` beside this file
and puts a finished build in the place of the old one at once. Called by `handlers`. It reads
that folder only, and never while a caller waits for anything else.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "built"
PAGE = "index.html"
NONCE = "{{nonce}}"
LOOK_SECONDS = 1.0
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".woff2": "font/woff2",
}
_CODINGS = (("br", ".br"), ("gzip", ".gz"))  # the smaller one first


@dataclass(frozen=True)
class File:
    """One file; `codings` holds it compressed, by the name of the coding."""

    content: bytes
    media_type: str
    codings: dict[str, bytes] = field(default_factory=dict)

    def taken_by(self, accepts: str) -> tuple[bytes, str | None]:
        """Choose what a browser with this Accept-Encoding gets: the bytes and their coding."""
        wanted = {part.split(";")[0].strip() for part in accepts.lower().split(",")}
        for name, _ in _CODINGS:
            if name in wanted and name in self.codings:
                return self.codings[name], name
        return self.content, None


class Built:
    """The newest finished build. A part of the platform; not for use from threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # What the set-up says of a build that is not there yet.
        self._told = folder.with_name(f"{folder.name}.json")
        self._files: dict[str, File] = {}
        self._former: dict[str, File] = {}
        self._stamp = 0
        self._looked = 0.0

    def page(self, nonce: str) -> bytes | None:
        """Give the page that loads the console, with a nonce for its styles; else None."""
        self._look()
        found = self._files.get(PAGE)
        return None if found is None else found.content.replace(NONCE.encode(), nonce.encode())

    def file(self, name: str) -> File | None:
        """Find a file of this build, or of the one before it: pages that are open ask for those."""
        self._look()
        if name == PAGE:
            return None
        return self._files.get(name) or self._former.get(name)

    def why_not(self) -> tuple[str, bool]:
        """Say in words why there is no build, and whether there soon is one."""
        try:
            told = json.loads(self._told.read_text("utf-8"))
            return str(told["message"]), bool(told["soon"])
        except (OSError, ValueError, KeyError, TypeError):
            return "The console is not built here: `make console` builds it.", False

    def _look(self) -> None:
        now = time.monotonic()
        if self._looked and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        try:
            stamp = (self._folder / PAGE).stat().st_mtime_ns
        except OSError:
            return  # between two builds for a moment: what was read goes on being served
        if stamp != self._stamp:
            self._former, self._files = self._files, _read(self._folder)
            self._stamp = stamp


def _read(folder: Path) -> dict[str, File]:
    found: dict[str, File] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in TYPES:
            codings = {
                name: path.with_name(path.name + ending).read_bytes()
                for name, ending in _CODINGS
                if path.with_name(path.name + ending).is_file()
            }
            found[path.name] = File(path.read_bytes(), TYPES[path.suffix], codings)
    return found

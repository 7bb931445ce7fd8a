"""Files of a project, at any branch, tag or commit. Each change is a commit by the caller."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smalti import decode, downloads, pages
from smalti.errors import BadRequest, TransferFailed
from smalti.transport import Call, Transport
from smalti.views import Commit, File

PIECE = 1 << 18


@dataclass(frozen=True)
class Change:
    """How a file is changed: on which `branch` (None: the default one), with which commit
    `message`, and only if the file is still the version `if_match` (an ETag of `read`)."""

    branch: str | None = None
    message: str | None = None
    if_match: str | None = None


class Files:
    """The files of one project."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def list(
        self, path: str | None = None, *, ref: str | None = None, limit: int | None = None
    ) -> Iterator[File]:
        """Yield what a directory holds (the top one unless said otherwise)."""
        url = self._transport.address.api("projects", self._project_id, "files")
        query = {"path": path or None, "ref": ref}
        return pages.iterate(self._transport, url, _file, query, limit)

    def read(self, path: str, *, ref: str | None = None) -> bytes:
        """Return a file's content. For large ones see `download`."""
        return self.read_version(path, ref=ref)[0]

    def read_version(self, path: str, *, ref: str | None = None) -> tuple[bytes, str | None]:
        """Return a file's content and its ETag, to be given to `write` as `if_match`."""
        call = Call("GET", self._url(path), {"ref": ref}, headers={"Accept": "*/*"})
        response = self._transport.send(call)
        return response.content, response.headers.get("etag")

    def download(self, path: str, target: str | Path, *, ref: str | None = None) -> Path:
        """Bring a file to this machine, without holding it in memory."""
        query = (("ref", ref),) if ref is not None else ()
        goal = Path(target)
        downloads.fetch(self._transport, downloads.Source(self._url(path), query=query), goal)
        return goal

    def write(self, path: str, content: bytes | str | Path, change: Change = Change()) -> Commit:
        """Put a file there: bytes, text, or a file of this machine by its Path; streamed."""
        headers = {"Content-Type": "application/octet-stream"}
        if change.if_match is not None:
            headers["If-Match"] = change.if_match
        body, size = _body(content)
        headers["Content-Length"] = str(size)
        query = {"branch": change.branch, "message": change.message}
        # With If-Match a second try would find its own first, and be refused.
        once = change.if_match is not None
        call = Call("PUT", self._url(path), query, body=body, headers=headers, once=once)
        return _commit(self._transport.json(call))

    def remove(self, path: str, change: Change = Change()) -> Commit | None:
        """Take a file away; None when a repeated try found it gone."""
        headers = {"If-Match": change.if_match} if change.if_match is not None else {}
        query = {"branch": change.branch, "message": change.message}
        answer = self._transport.json(Call("DELETE", self._url(path), query, headers=headers))
        return None if answer is None else _commit(answer)

    def _url(self, path: str) -> str:
        parts = path.split("/")
        if any(part in {"", ".", ".."} for part in parts):
            # Parts like these would be taken out of the address on the way.
            raise BadRequest(f"not a file's path within a project: {path!r}")
        return self._transport.address.api("projects", self._project_id, "content", path)


def _body(content: bytes | str | Path) -> tuple[Any, int]:
    if isinstance(content, Path):
        try:
            return (lambda: _pieces(content)), content.stat().st_size
        except OSError as error:
            raise TransferFailed(f"cannot read {content}: {error.strerror}") from error
    data = content.encode() if isinstance(content, str) else content
    return (lambda: [data]), len(data)


def _pieces(file: Path) -> Iterable[bytes]:
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(file.open("rb"))
        except OSError as error:
            raise TransferFailed(f"cannot read {file}: {error.strerror}") from error
        while piece := opened.read(PIECE):
            yield piece


def _file(value: Any) -> File:
    return decode.read(File, value)


def _commit(value: Any) -> Commit:
    return decode.read(Commit, value)

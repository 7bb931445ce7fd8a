"""Files from the platform onto this machine's disk: whole, unchanged, and where they belong.

Used for job outputs and project files. Names come from strangers' runs: none may lead out of
the folder that was asked for. A file is there under its name only when all of it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from smalti.errors import ConnectionFailed, TransferFailed
from smalti.retries import Trial
from smalti.transport import Call, Transport

PIECE = 1 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RANGE = re.compile(r"bytes (\d+)-")


@dataclass(frozen=True)
class Source:
    """A file to fetch, and what is known of it. `progress` is told of bytes as they come."""

    url: str
    size: int | None = None
    sha256: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    progress: Callable[[int], None] = lambda count: None


def place(folder: Path, name: str) -> Path:
    """Return where a file of a given relative name goes within a folder.

    Raises TransferFailed for a name that leads outside, or could elsewhere than here.
    """
    parts = name.split("/")
    bad = _CONTROL.search(name) or "\\" in name or (os.name == "nt" and ":" in name)
    if bad or any(part in {"", ".", ".."} for part in parts):
        raise TransferFailed(f"the file name {name!r} is not safe to write here")
    target = folder.joinpath(*parts)
    inside = os.path.realpath(folder)
    if os.path.commonpath([inside, os.path.realpath(target.parent)]) != inside:
        raise TransferFailed(f"{name!r} would be written outside of {folder}, through a link")
    return target


def fetch(transport: Transport, source: Source, target: Path) -> bool:
    """Bring a file to `target`; tell whether it had to be fetched or was there already.

    Its folder is made. After a cut the rest is asked for, where the server can. Raises
    TransferFailed when size or checksum are not as announced, and leaves what was there.
    """
    if source.sha256 is not None and _is_there(target, source):
        return False
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as opened:
            _fill(transport, source, opened)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise TransferFailed(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return True


def _fill(transport: Transport, source: Source, opened: Any) -> None:
    digest, received, furthest = hashlib.sha256(), 0, 0
    trial = Trial(transport.retry)
    while True:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if received:
            headers["Range"] = f"bytes={received}-"
        call = Call("GET", source.url, dict(source.query), headers=headers)
        try:
            with transport.open(call) as response:
                if received and not _continues(response, received):
                    source.progress(-received)
                    opened.seek(0)
                    opened.truncate()
                    digest, received = hashlib.sha256(), 0
                for piece in response.iter_bytes():
                    opened.write(piece)
                    digest.update(piece)
                    received += len(piece)
                    source.progress(len(piece))
                    if received > furthest:  # the same beginning again is no progress
                        furthest = received
                        trial.progressed()
            break
        except httpx.TransportError as error:
            if not trial.again():
                reason = str(error) or type(error).__name__
                raise ConnectionFailed(transport.address.root, reason) from error
    if source.size is not None and received != source.size:
        raise TransferFailed(f"{received} bytes came instead of {source.size}")
    if source.sha256 is not None and digest.hexdigest() != source.sha256.lower():
        raise TransferFailed("the checksum of what came is not the announced one")


def _continues(response: httpx.Response, received: int) -> bool:
    found = _RANGE.match(response.headers.get("content-range", ""))
    return response.status_code == 206 and found is not None and int(found[1]) == received


def _is_there(target: Path, source: Source) -> bool:
    try:
        if target.is_symlink() or not target.is_file() or target.stat().st_size != source.size:
            return False
        digest = hashlib.sha256()
        with target.open("rb") as opened:
            while piece := opened.read(PIECE):
                digest.update(piece)
    except OSError:
        return False
    return digest.hexdigest() == (source.sha256 or "").lower()

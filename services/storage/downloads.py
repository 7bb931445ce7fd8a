"""Answering with an object: ranges, HEAD, and always as an attachment.

Called by handlers that give out people's files (outputs, signed addresses). What people made
is never shown as a page on the main origin: whatever its media type, the browser saves it.
"""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import Any, cast
from urllib.parse import quote

from services.core.errors import PublicError
from services.core.routing import Call
from services.storage.objects import ObjectStore

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")


async def answer_with_object(
    call: Call,
    key: str,
    filename: str,
    *,
    media_type: str | None = None,
    sha256: str | None = None,
) -> None:
    """Send an object, or the one range of it that was asked for.

    With its SHA-256 the answer has an ETag. Raises NotFound; 416 for a range beyond the end.
    """
    store = call.context.get(ObjectStore)
    size = (await store.stat(key)).size
    headers = attachment_headers(filename, media_type)
    if sha256 is not None:
        headers["ETag"] = f'"{sha256}"'
        if f'"{sha256}"' in _tags(call.header("If-None-Match")):
            call.answer_with(304, headers)
            return
    part = parse_range(_range_of(call, sha256), size)
    start, end = part or (0, size)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    call.answer_with(200 if part is None else 206, headers)
    if call.method == "HEAD":
        return
    async with aclosing(cast("Any", store.get(key, start, end))) as pieces:
        async for piece in pieces:
            await call.send(piece)


def attachment_headers(filename: str, media_type: str | None) -> dict[str, str]:
    """Make the headers that have a browser save a file and never run it. Pure."""
    kind = media_type if media_type and _MEDIA_TYPE.fullmatch(media_type) else None
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", filename) or "file"
    coded = quote(filename or "file", safe="", errors="replace")
    return {
        "Content-Type": kind or "application/octet-stream",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
    }


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return start and end (not included) of the one range that is asked for, or None for all.

    Several ranges, or what cannot be read, are answered with all of it (RFC 9110, 14.2).
    Raises PublicError 416 for a range that does not begin within the object.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        start, end = max(0, size - int(match[2])), size
    else:
        start = int(match[1])
        end = min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= size:
        error = PublicError(f"there are {size} bytes", code="bad_range", status=416)
        error.headers["Content-Range"] = f"bytes */{size}"
        raise error
    return start, end


def _range_of(call: Call, sha256: str | None) -> str:
    condition = call.header("If-Range")
    if condition and condition != f'"{sha256}"':
        return ""
    return call.header("Range")


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]

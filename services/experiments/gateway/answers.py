"""The gate's own answers, in the shape that MLflow's clients read; and headers of all others.

Called by `gate`. An answer of the gate's tells what a `PublicError` tells and nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from services.core.errors import PublicError
from services.experiments.gateway.table import Kind

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# MLflow's own names for what went wrong; its clients raise by them and retry by the status.
_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    413: "INVALID_PARAMETER_VALUE",
    503: "TEMPORARILY_UNAVAILABLE",
}
# MLflow's pages: our own scripts only, no address but ours, framed by nobody else.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' blob: data:; frame-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
# Somebody's file: were it ever shown as a page, it would have no script and no origin.
_FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_DROPPED = frozenset({b"set-cookie", b"server"})


async def answer(
    send: Send,
    status: int,
    body: bytes,
    media_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> None:
    """Write a whole answer."""
    told = {
        "content-type": media_type,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": _FILE_POLICY,
        **{name.lower(): value for name, value in (headers or {}).items()},
    }
    pairs = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, value: Any, status: int = 200) -> None:
    """Write an answer of JSON."""
    await answer(send, status, json.dumps(value).encode())


async def refuse(send: Send, error: PublicError) -> None:
    """Write an error as MLflow's clients expect it."""
    code = _CODES.get(error.status, "INTERNAL_ERROR" if error.status >= 500 else "BAD_REQUEST")
    body = json.dumps({"error_code": code, "message": error.message}).encode()
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="Smalti"'
    if error.status == 413:
        headers["Connection"] = "close"  # what is still being sent is of no use
    await answer(send, error.status, body, headers=headers)


def guarded(send: Send, kind: Kind) -> Send:
    """Pass MLflow's answer on with headers that fit what it is."""

    async def pass_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _headers(message.get("headers", []), kind)}
        await send(message)

    return pass_on


def _headers(given: list[tuple[bytes, bytes]], kind: Kind) -> list[tuple[bytes, bytes]]:
    # The last ones win, and MLflow's word on other origins is not ours.
    kept = {
        bytes(name).lower(): bytes(value)
        for name, value in given
        if bytes(name).lower() not in _DROPPED
        and not bytes(name).lower().startswith(b"access-control-")
    }
    kept[b"x-content-type-options"] = b"nosniff"
    kept[b"referrer-policy"] = b"same-origin"
    if kind is Kind.PAGE:
        kept[b"content-security-policy"] = PAGE_POLICY.encode()
        if not kept.get(b"content-type", b"").startswith((b"text/html", b"application/json")):
            kept.setdefault(b"cache-control", b"private, max-age=86400")
    else:
        kept[b"content-security-policy"] = _FILE_POLICY.encode()
        kept[b"cache-control"] = b"no-store"
    if kind is Kind.FILE and not kept.get(b"content-disposition", b"").startswith(b"attachment"):
        kept[b"content-disposition"] = b"attachment"
    return list(kept.items())

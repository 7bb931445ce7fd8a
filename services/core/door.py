"""Who a caller is by address: the socket's peer, or whom the front door says it speaks for.

Owns the proof that a request came through the front door: a header whose value is a secret that
the supervisor makes and writes into the front door's routes. Asked once for each call by
`core.endpoint`. Anybody on this machine may connect to the platform's port, so that being
nearby proves nothing. It must never let the header past itself: not to handlers, not to logs.
"""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the supervisor takes the names below, and has no use for a web server
    from tornado.httputil import HTTPServerRequest

    from services.core.settings import Settings

HEADER = "X-Smalti-Door"
KEY = "frontdoor.key"


class Door:
    """Knows the front door by its key. Without a key file nobody is believed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = b""

    def address(self, request: HTTPServerRequest) -> str:
        """Say from where a request comes, and take the proof out of its headers.

        Believes `X-Real-Ip` under the proof only, and only when it is one IP address.
        """
        peer = request.remote_ip or ""
        shown = request.headers.pop(HEADER, "")
        if not shown or not self._is_key(shown.encode()):
            return peer
        try:
            return str(ip_address(request.headers.get("X-Real-Ip", "")))
        except ValueError:
            return peer

    def _is_key(self, shown: bytes) -> bool:
        if self._key and secrets.compare_digest(shown, self._key):
            return True
        # The supervisor may have made the key, or another, since it was read.
        try:
            self._key = self._settings.secret(KEY).encode()
        except (OSError, UnicodeDecodeError):
            self._key = b""
        return bool(self._key) and secrets.compare_digest(shown, self._key)

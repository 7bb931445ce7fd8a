"""The open websockets of this server: how many, and whether each is still allowed.

Jupyter Server asks who somebody is when a websocket opens and never again; here it is asked
again and again, so that a right that was taken away ends within half a minute. Must never close
a connection because the hub is merely away.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

log = logging.getLogger("smalti_lab")

# With answers of the hub kept for 20 s, a right ends 28 s after it was taken away, at the latest.
INTERVAL = 8.0
ENDED = 4401  # of the range that applications may use; 401 as in HTTP


class Sockets:
    """Follows every websocket of this process from now on."""

    def __init__(self) -> None:
        self.open: set[WebSocketHandler] = set()
        original = WebSocketHandler.get

        async def get(handler: WebSocketHandler, *args: Any, **kwargs: Any) -> None:
            self.open.add(handler)
            try:
                await original(handler, *args, **kwargs)
            finally:
                self.open.discard(handler)

        WebSocketHandler.get = get  # type: ignore[method-assign]

    def count(self, ending: str) -> int:
        """How many are open whose path ends so."""
        return sum(handler.request.path.endswith(ending) for handler in self.open)

    async def check(self, hub: Any) -> None:
        """Close those whose right has ended, for ever."""
        while True:
            await asyncio.sleep(INTERVAL)
            for handler in tuple(self.open):
                if not await _allowed(hub, handler):
                    log.warning("Closing %s: the right to it has ended", handler.request.path)
                    handler.close(ENDED, "the right to this server has ended")


async def _allowed(hub: Any, handler: WebSocketHandler) -> bool:
    try:
        token = hub.get_token(handler)
        session = hub.get_session_id(handler)
        user = await hub.user_for_token(token, session_id=session, sync=False) if token else None
    except HTTPError as error:
        log.info("The hub could not be asked about a connection: %s", error)
        return True
    return user is not None and bool(hub.check_scopes(hub.access_scopes, user))

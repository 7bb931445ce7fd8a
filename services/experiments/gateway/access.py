"""Who is asking and what they may: asked of the platform, believed for a few seconds.

Called by `gate`. Tokens are known by their hash and never kept. A revocation is felt within
30 s: the platform believes a credential for at most 20 s, and this process an answer for
`BELIEVED`. While the platform is away nobody new is let in.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from typing import Any

import aiohttp
from pydantic import ValidationError

from services.core.errors import Unavailable
from services.core.settings import Settings
from services.experiments.protocol import (
    GATE_TOKEN,
    AccessAnswer,
    AccessRequest,
    ProjectsAnswer,
)

BELIEVED = 8.0
MOST_KEPT = 10_000
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)
API = "/services/smalti/api/v1/experiments"


class Access:
    """Asks the platform, once for all who wait for the same answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._believed = min(BELIEVED, settings.auth_cache)
        self._session: aiohttp.ClientSession | None = None
        self._kept: OrderedDict[bytes, tuple[float, AccessAnswer]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[AccessAnswer]] = {}

    async def of(self, request: AccessRequest) -> AccessAnswer:
        """Say who it is and what of the project is theirs. Raises Unavailable."""
        key = hashlib.sha256(request.model_dump_json().encode()).digest()
        known = self._kept.get(key)
        if known is not None and time.monotonic() - known[0] < self._believed:
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask_and_keep(key, request))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def projects(self, request: AccessRequest) -> ProjectsAnswer:
        """List the projects whose experiments a caller may see. Raises Unavailable."""
        return ProjectsAnswer.model_validate(await self._post("/projects", request))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask_and_keep(self, key: bytes, request: AccessRequest) -> AccessAnswer:
        asked = time.monotonic()
        answer = AccessAnswer.model_validate(await self._post("/access", request))
        self._kept[key] = (asked, answer)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return answer

    async def _post(self, path: str, request: AccessRequest) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            url = f"{self._settings.url('platform')}{API}{path}"
            headers = {"Authorization": f"Bearer {self._settings.secret(GATE_TOKEN)}"}
            body = request.model_dump()
            async with self._session.post(url, json=body, headers=headers) as response:
                if response.status != 200:
                    raise Unavailable("Logins cannot be checked now: try again soon.")
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, ValidationError) as error:
            raise Unavailable("Logins cannot be checked now: try again soon.") from error

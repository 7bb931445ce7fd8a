"""What the platform asks of MLflow: over the loopback address, through the gate.

Called by `actions`, after the right in the project was checked: the gate believes the platform
in that. Must never be called inside a transaction.
"""

from __future__ import annotations

from typing import Any

import aiohttp

from services.core.errors import NotFound, PublicError, Unavailable, Unprocessable
from services.core.settings import Settings
from services.experiments.protocol import PLATFORM_KEY, PREFIX, WORKSPACE

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=2)
MOST_BYTES = 16 << 20


class Mlflow:
    """MLflow's REST API as the platform uses it. Raises Unavailable while it is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def get(self, project_id: str, path: str, **query: Any) -> Any:
        """GET a path below /api/2.0/mlflow in a project's workspace. Raises NotFound."""
        return await self._ask("GET", project_id, path, params=query)

    async def post(self, project_id: str, path: str, body: dict[str, Any]) -> Any:
        """POST a JSON body."""
        return await self._ask("POST", project_id, path, json=body)

    async def delete(self, project_id: str, path: str, body: dict[str, Any]) -> Any:
        """DELETE with a JSON body."""
        return await self._ask("DELETE", project_id, path, json=body)

    async def health(self) -> bool:
        """Tell whether it answers."""
        try:
            async with self._client().get(self._url("/health")) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, project_id: str, path: str, **more: Any) -> Any:
        headers = {
            "Authorization": f"Bearer {self._settings.secret(PLATFORM_KEY)}",
            WORKSPACE: project_id,
        }
        url = self._url(f"/api/2.0/mlflow{path}")
        try:
            async with self._client().request(method, url, headers=headers, **more) as response:
                answer = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError) as error:
            raise Unavailable("MLflow does not answer now: try again soon.") from error
        if status == 200:
            return answer
        raise _error(status, answer)

    def _url(self, path: str) -> str:
        return f"{self._settings.url('experiments')}{PREFIX}{path}"

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self._session


def _error(status: int, answer: Any) -> PublicError:
    said = answer if isinstance(answer, dict) else {}
    words = str(said.get("message", ""))
    # MLflow's own words name what is missing, but for a project that has no workspace there yet.
    if said.get("error_code") == "RESOURCE_DOES_NOT_EXIST" and not words.startswith("Workspace "):
        return NotFound(words[:300])
    if status == 404:
        return NotFound("There is no such experiment, model or version here.")
    if status == 400:
        return Unprocessable(str(said.get("message", "MLflow refused this."))[:500])
    return Unavailable("MLflow does not answer now: try again soon.")

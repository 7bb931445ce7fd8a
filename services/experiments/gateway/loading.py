"""MLflow, from nothing to its application, beside a gate that listens already.

The import takes seconds: it runs in a thread, and until it is done the gate answers 503. A
failure ends the process, so that the supervisor tries again and says why.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from services.core.errors import Unavailable
from services.core.settings import Settings
from services.experiments.gateway import mlflow_wiring
from services.experiments.protocol import RETRY_AFTER

log = logging.getLogger("smalti.experiments")


class Mlflow:
    """The application once it is there, and which workspaces are known to exist."""

    def __init__(self) -> None:
        self._app: Any = None
        self._made: set[tuple[str, str]] = set()
        self._making = asyncio.Lock()

    @property
    def ready(self) -> bool:
        """Tell whether requests can be passed on."""
        return self._app is not None

    @property
    def app(self) -> Any:
        """The ASGI application. Raises Unavailable while it is not there."""
        if self._app is None:
            raise Unavailable("MLflow is starting: try again soon.", retry_after=RETRY_AFTER)
        return self._app

    @property
    def index(self) -> Path:
        """The file of MLflow's first page."""
        return mlflow_wiring.index()

    async def load(self, settings: Settings) -> None:
        """Make it ready."""
        self._app = await asyncio.to_thread(mlflow_wiring.load, settings)
        log.info("MLflow is ready")

    async def ensure_workspace(self, project_id: str, experiment: str) -> None:
        """Make sure that a project's workspace exists."""
        if (project_id, experiment) in self._made:
            return
        async with self._making:
            if (project_id, experiment) not in self._made:
                await asyncio.to_thread(mlflow_wiring.ensure_workspace, project_id, experiment)
                self._made.add((project_id, experiment))

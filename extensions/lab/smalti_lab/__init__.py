"""Smalti's part of JupyterLab: a server extension in the tools environment.

Owns what it tells the platform of a session (`activity`), that only its person gets in (`owner`)
and that open connections end with the right to them (`sockets`). Loaded by Jupyter Server by the
settings that come with this package.
Must never slow a request down, and does nothing where Smalti did not start the server.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from smalti_lab import owner
from smalti_lab.activity import Reporter
from smalti_lab.sockets import Sockets

ACTIVITY_FILE = "SMALTI_ACTIVITY_FILE"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "smalti_lab"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """Say who may come, and begin to follow connections, before there can be any."""
    hub = getattr(serverapp.identity_provider, "hub_auth", None)
    if hub is not None and (name := os.environ.get("JUPYTERHUB_USER")):
        owner.keep_to(hub, name)
    serverapp.web_app.settings["smalti_sockets"] = Sockets()


async def _start_jupyter_server_extension(serverapp: Any) -> None:
    """Begin to report and to check, once all other extensions are there."""
    sockets: Sockets = serverapp.web_app.settings["smalti_sockets"]
    hub = getattr(serverapp.identity_provider, "hub_auth", None)
    tasks = [sockets.check(hub)] if hub is not None else []
    if file := os.environ.get(ACTIVITY_FILE):
        tasks.append(Reporter(serverapp, sockets, Path(file)).run())
    serverapp.web_app.settings["smalti_tasks"] = [
        serverapp.io_loop.asyncio_loop.create_task(t) for t in tasks
    ]

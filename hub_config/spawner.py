"""Interactive servers: not offered yet, so the hub refuses them with a reason.

Everybody is sent to Smalti's own pages, where what runs is shown.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.spawner import Spawner, SpawnException

from hub_config.settings import HubSettings

NOT_OFFERED = "This installation runs jobs; it does not offer interactive servers."


class NoServers(Spawner):  # type: ignore[misc]
    """A spawner that starts nothing and says so."""

    async def start(self) -> str:
        """Refuse, as a decision and not as a failure."""
        raise SpawnException(NOT_OFFERED, reason="not_offered", status_code=403)

    async def stop(self, now: bool = False) -> None:
        """Do nothing: nothing was started."""

    async def poll(self) -> int:
        """Say that nothing runs."""
        return 0


def configure(c: Any, settings: HubSettings) -> None:
    """Refuse servers and send people to Smalti."""
    c.JupyterHub.spawner_class = NoServers
    c.JupyterHub.allow_named_servers = False
    c.JupyterHub.redirect_to_server = False

"""The hub's own database and what it keeps running through a restart.

The hub is not important to what runs: servers and the front door outlive it.
"""

from __future__ import annotations

from typing import Any

from hub_config.settings import LOOPBACK, HubSettings


def configure(c: Any, settings: HubSettings) -> None:
    """Set the database, the addresses and the clean-up rules."""
    c.JupyterHub.db_url = f"sqlite:///{settings.home / 'hub' / 'jupyterhub.sqlite'}"
    # The supervisor starts us only after an update was asked for; without this the hub refuses
    # to open a database of an older JupyterHub. It copies the file before it changes it.
    c.JupyterHub.upgrade_db = True
    c.JupyterHub.cookie_secret_file = str(settings.home / "secrets" / "hub_cookie_secret")
    c.JupyterHub.hub_bind_url = f"http://{LOOPBACK}:{settings.ports['hub']}"
    c.JupyterHub.bind_url = f"http://{LOOPBACK}:{settings.ports['frontdoor']}/"
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.concurrent_spawn_limit = 20
    c.JupyterHub.active_server_limit = 0
    c.JupyterHub.log_level = "INFO"
    c.JupyterHub.log_datefmt = "%Y-%m-%dT%H:%M:%S%z"

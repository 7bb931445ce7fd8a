"""Interactive servers: named servers are workspaces, started by the platform.

The hub waits as long as the queue takes, and neither throttles nor culls: places, limits and
the end of idle sessions are the platform's.
"""

from __future__ import annotations

from typing import Any

from hub_config.settings import HubSettings
from spawners.hub import SmaltiSpawner
from spawners.hub.options import from_form
from spawners.hub.spawner import apply_user_options

LONGEST_QUEUE = 30 * 24 * 3600
REFUSALS_WITHIN = 3  # seconds in which an answer to a start still tells why it cannot be


def configure(c: Any, settings: HubSettings) -> None:
    """Set the spawner, its patience and what its servers' tokens may do."""
    c.JupyterHub.spawner_class = SmaltiSpawner
    c.SmaltiSpawner.platform_url = settings.url("platform")
    c.SmaltiSpawner.token_file = str(settings.home / "secrets" / "hub-spawner.token")
    c.SmaltiSpawner.environment_origin = settings.origin
    c.SmaltiSpawner.apply_user_options = apply_user_options
    c.SmaltiSpawner.options_from_form = from_form
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.redirect_to_server = False
    c.JupyterHub.implicit_spawn_seconds = 0
    c.JupyterHub.concurrent_spawn_limit = 0
    c.JupyterHub.active_server_limit = 0
    c.JupyterHub.init_spawners_timeout = 5
    c.JupyterHub.tornado_settings = {
        **c.JupyterHub.tornado_settings,
        "slow_spawn_timeout": REFUSALS_WITHIN,
        "slow_stop_timeout": REFUSALS_WITHIN,
    }
    c.Spawner.start_timeout = LONGEST_QUEUE
    c.Spawner.http_timeout = 120
    c.Spawner.poll_interval = 5
    c.Spawner.poll_jitter = 0
    c.Spawner.consecutive_failure_limit = 0
    # The least with which a tool can see who comes and say that it lives.
    c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server"]

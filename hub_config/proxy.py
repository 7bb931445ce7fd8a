"""The hub's routes: its own file in the front door's folder, beside ours.

Traefik is started by the supervisor, not by the hub. Its API answers on the loopback address
only and asks for a password.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jupyterhub.utils import exponential_backoff, subdomain_hook_idna
from jupyterhub_traefik_proxy.fileprovider import TraefikFileProviderProxy

from hub_config.settings import LOOPBACK, MAIN_HOST, HubSettings

API_USER = "hub"


def subdomain(name: str, domain: str, kind: str) -> str:
    """Give each person a host, so that what they run has an origin of its own.

    Services and the hub stay on the main host. Called by JupyterHub for every route; `domain` is
    not looked at, because `identity` empties the hub's setting of that name.
    """
    if kind == "user":
        return str(subdomain_hook_idna(name, MAIN_HOST, kind))
    return MAIN_HOST


class FrontDoor(TraefikFileProviderProxy):  # type: ignore[misc]
    """The file provider, waiting more tightly.

    Traefik shows a new route after some 60 ms; the parent's waits double from 0.1 s on.
    """

    async def _wait_for_route(self, routespec: str) -> None:
        async def there() -> bool:
            return bool(
                await self._check_for_traefik_service(routespec, "service")
                and await self._check_for_traefik_service(routespec, "router")
            )

        await exponential_backoff(
            there,
            f"The front door does not show the route {routespec}",
            start_wait=0.02,
            scale_factor=1.2,
            max_wait=0.2,
            timeout=self.check_route_timeout,
        )


def configure(c: Any, settings: HubSettings) -> None:
    """Set the proxy class and the hosts."""
    c.JupyterHub.proxy_class = FrontDoor
    password = settings.secret("traefik_api_password")
    c.TraefikProxy.should_start = False
    c.TraefikProxy.traefik_entrypoint = "http"
    c.TraefikProxy.traefik_api_url = f"http://{LOOPBACK}:{settings.ports['traefik_api']}"
    c.TraefikProxy.traefik_api_username = API_USER
    c.TraefikProxy.traefik_api_password = password
    # Traefik checks the hash on each request. bcrypt, the default, costs 0.25 s of CPU each time
    # and made every route late; 256 random bits need no slow hash.
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324
    c.TraefikProxy.traefik_api_hashed_password = "{SHA}" + digest
    c.TraefikFileProviderProxy.dynamic_config_file = str(
        settings.home / "frontdoor" / "routes" / "hub.toml"
    )
    if not settings.path_only:
        c.JupyterHub.subdomain_host = f"http://{MAIN_HOST}:{settings.ports['frontdoor']}"
        c.JupyterHub.subdomain_hook = subdomain

"""The hub's routes: its own file in the front door's folder, beside ours.

Traefik is started by the supervisor, not by the hub. Its API asks for a password, and answers on
the loopback address only. On a cluster, where it shares no folder with us, it fetches the same
routes from the hub instead.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from jupyterhub.handlers.pages import HealthCheckHandler
from jupyterhub.utils import exponential_backoff, subdomain_hook_idna
from jupyterhub_traefik_proxy.fileprovider import TraefikFileProviderProxy
from tornado import web

from hub_config.settings import HubSettings

API_USER = "hub"


def subdomain_of(main_host: str) -> Callable[[str, str, str], str]:
    """Make the rule that gives each person a host, so that what they run has its own origin."""

    def subdomain(name: str, domain: str, kind: str) -> str:
        """Name a host; services and the hub stay on the main one.

        Called by JupyterHub for every route; `domain` is not looked at, because `identity` empties
        the hub's setting of that name.
        """
        return str(subdomain_hook_idna(name, main_host, kind)) if kind == "user" else main_host

    return subdomain


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


class FarFrontDoor(FrontDoor):
    """The same for a Traefik that asks us for the routes, by its HTTP provider.

    It is told none before they have been checked: the file may be new and empty, and a front door
    that hears nothing goes on with what it knows.
    """

    provider_name = "http"
    complete = False

    async def check_routes(self, *arguments: Any, **more: Any) -> None:
        """Check the routes; from then on they may be handed out."""
        await super().check_routes(*arguments, **more)
        self.complete = True

    async def _wait_for_route(self, routespec: str) -> None:
        if self.complete:  # else nothing is shown before we have done what would wait for it
            await super()._wait_for_route(routespec)

    def routes_of_traefik(self) -> dict[str, Any]:
        """Give what Traefik reads: routers, services and middlewares, without empty parts."""
        return {
            "http": {kind: found for kind, found in self.dynamic_config["http"].items() if found}
        }


class Routes(HealthCheckHandler):  # type: ignore[misc]
    """Hands the routes to the front door, which shows the password of its own API.

    It is asked three times a second: what it answers well is not logged, as with health.
    """

    def check_xsrf_cookie(self) -> None:
        """Not asked for: nothing is changed, and no cookie is looked at."""

    async def get(self) -> None:
        """Answer the routes; 503 before they are known, 404 to anybody else."""
        shown = self.request.headers.get("Authorization", "")
        if not hmac.compare_digest(
            shown.encode(), f"Bearer {self.proxy.traefik_api_password}".encode()
        ):
            raise web.HTTPError(404)
        if not self.proxy.complete:
            raise web.HTTPError(503)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(self.proxy.routes_of_traefik()))


def configure(c: Any, settings: HubSettings) -> None:
    """Set the proxy class and the hosts."""
    c.JupyterHub.proxy_class = FarFrontDoor if settings.spread else FrontDoor
    if settings.spread:
        c.JupyterHub.extra_handlers = [(r"/frontdoor-routes", Routes)]
        # The front door has that route itself: it is asked before it is told anything.
        c.TraefikProxy.enable_setup_dynamic_config = False
    password = settings.secret("traefik_api_password")
    c.TraefikProxy.should_start = False
    c.TraefikProxy.traefik_entrypoint = "http"
    c.TraefikProxy.traefik_api_url = settings.url("traefik_api")
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
        c.JupyterHub.subdomain_host = settings.origin
        c.JupyterHub.subdomain_hook = subdomain_of(settings.main_host)

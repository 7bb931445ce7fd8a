"""The services that the hub knows: all external, each with a token from a 0600 file.

The front door's route to the platform is ours (`frontdoor/routes/smalti.yml`), so the service
has no `url` here: the hub neither routes to it nor waits for it.
"""

from __future__ import annotations

from typing import Any

from hub_config.settings import HubSettings

PLATFORM, SUPERVISOR = "smalti", "smalti-admin"


def configure(c: Any, settings: HubSettings) -> None:
    """Register the platform (OAuth and token) and the supervisor (token only)."""
    c.JupyterHub.services = [
        {
            "name": PLATFORM,
            "api_token": settings.secret("platform_hub_token"),
            "oauth_client_id": "service-smalti",
            "oauth_redirect_uri": f"{settings.origin}/services/smalti/oauth_callback",
            "oauth_no_confirm": True,
            "oauth_client_allowed_scopes": [
                "custom:smalti:read",
                "custom:smalti:write",
                "custom:smalti:admin",
            ],
            "display": False,
        },
        {
            "name": SUPERVISOR,
            "api_token": settings.secret("admin_hub_token"),
            "display": False,
        },
    ]

"""Scopes and roles: what everybody may, and the least that our services need.

`docs/explanation/security.md` says what the theft of each token would be worth.
"""

from __future__ import annotations

from typing import Any

from hub_config.services import PLATFORM, SUPERVISOR
from hub_config.settings import HubSettings

ADMIN_GROUP = "smalti-admins"
PEOPLE_SCOPE = "custom:smalti:people"


def configure(c: Any, settings: HubSettings) -> None:
    """Define the custom scopes and load the roles."""
    c.JupyterHub.custom_scopes = {
        "custom:smalti:read": {"description": "Read what you may see in Smalti"},
        "custom:smalti:write": {"description": "Change and run what you may in Smalti"},
        "custom:smalti:admin": {"description": "Administer Smalti"},
        PEOPLE_SCOPE: {"description": "Give somebody new an account and a first password"},
    }
    # For everybody: which project somebody may read or change is decided by the platform.
    c.JupyterHub.extra_user_scopes = {
        f"access:services!service={PLATFORM}",
        "custom:smalti:read",
        "custom:smalti:write",
    }
    c.JupyterHub.load_groups = {ADMIN_GROUP: {"users": []}}
    c.JupyterHub.load_roles = [
        {
            "name": "smalti-platform",
            "description": "Tell who somebody is, add people, start and stop named servers",
            "services": [PLATFORM],
            "scopes": [
                "list:users",
                "read:users",
                "read:groups",
                "list:groups",
                "start:servers",
                "delete:servers",
                PEOPLE_SCOPE,
            ],
        },
        {
            "name": "smalti-supervisor",
            "description": "Make tokens for whoever owns the state folder",
            "services": [SUPERVISOR],
            "scopes": ["tokens"],
        },
        {
            "name": "smalti-admin",
            "description": "Administer Smalti without administering the hub",
            "groups": [ADMIN_GROUP],
            "scopes": ["custom:smalti:admin"],
        },
    ]
    c.JupyterHub.oauth_require_pkce = True

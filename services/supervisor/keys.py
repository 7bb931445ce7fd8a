"""The secrets of one instance: made at the first start, each its own 0600 file.

Called by `up`. It never prints or logs a value; processes read the files themselves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from services.supervisor.home import Home, write_private


def _hex() -> str:
    return secrets.token_hex(32)


def _own_token() -> str:
    return "sml_" + secrets.token_urlsafe(32)


SECRETS: dict[str, Callable[[], str]] = {
    "hub_cookie_secret": _hex,
    "platform_hub_token": _hex,
    "admin_hub_token": _hex,
    "signing.key": _hex,
    "agent-local.token": _own_token,
    "hub-spawner.token": _own_token,
    "experiments.token": _own_token,
    "experiments_platform.key": _hex,
    "traefik_api_password": _hex,
    "frontdoor.key": _hex,
    "vault.key": _hex,
}


def make_secrets(home: Home) -> None:
    """Create the secrets that are missing and close those that others could read."""
    for name, make in SECRETS.items():
        path = home.path("secrets", name)
        if not path.exists() or not path.read_text().strip():
            write_private(path, make() + "\n")
        path.chmod(0o600)


def secret(home: Home, name: str) -> str:
    """Read one secret."""
    return home.path("secrets", name).read_text().strip()

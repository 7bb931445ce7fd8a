"""A workspace is its person's own: nobody else gets in, administrators of the hub included.

JupyterHub's role `admin` holds `access:servers` and cannot be told otherwise; here that scope is
not enough. Called once, before the first request.
"""

from __future__ import annotations

from typing import Any


def keep_to(hub: Any, name: str) -> None:
    """Let the hub's answers count for this person only."""
    allowed = hub.check_scopes

    def check_scopes(required: Any, user: dict[str, Any]) -> Any:
        its_own = user.get("kind", "user") == "user" and user.get("name") == name
        return allowed(required, user) if its_own else set()

    hub.check_scopes = check_scopes

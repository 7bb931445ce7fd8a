"""Login: our authenticator, and who is let in."""

from __future__ import annotations

from typing import Any

from hub_config.authenticator import SmaltiAuthenticator
from hub_config.settings import HubSettings


def configure(c: Any, settings: HubSettings) -> None:
    """Set the authenticator; everybody with a password of ours may log in, nobody signs up."""
    c.JupyterHub.authenticator_class = SmaltiAuthenticator
    if not settings.spread:  # elsewhere the secrets are mounted, and nobody leaves files there
        c.SmaltiAuthenticator.seed_file = str(settings.home / "secrets" / "first-admin.json")
        c.SmaltiAuthenticator.resets = str(settings.home / "secrets" / "password-resets")
    c.SmaltiAuthenticator.first_admin = str(settings.chosen.get("first_admin", ""))
    c.SmaltiAuthenticator.first_password = str(settings.home / "secrets" / "admin_password")
    c.SmaltiAuthenticator.check_common_password = True
    # Whoever has a password was given it by an admin.
    c.Authenticator.allow_all = True
    c.Authenticator.username_pattern = r"^[a-z0-9][a-z0-9._-]{0,62}$"
    c.JupyterHub.tornado_settings = {
        "smalti_origin": settings.origin,
        "cookie_options": {"samesite": "Lax"},
        # The session's cookie is for the main host alone. Browsers see to that by themselves with
        # `Domain=localhost`; other clients then do not send it at all.
        "domain": "",
    }

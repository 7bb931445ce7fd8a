"""How the hub's pages look: our templates extend the hub's by blocks, never copy them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub_config.settings import HubSettings

HERE = Path(__file__).parent
THEME = HERE.parent / "services" / "console" / "static"  # theme.css: colours, type and spacing
SMALTI = "/services/smalti/"


def landing_page(handler: Any) -> str:
    """Say where somebody goes who names no page: to Smalti, a stranger to the login page.

    Called by the hub. Straight to the login page, so that it shows while the platform is away.
    """
    return SMALTI if handler.current_user else str(handler.settings["login_url"])


def configure(c: Any, settings: HubSettings) -> None:
    """Put our templates before the hub's and name the logo."""
    c.JupyterHub.template_paths = [str(HERE / "templates"), str(THEME)]
    c.JupyterHub.logo_file = str(HERE / "static" / "logo.svg")
    c.JupyterHub.template_vars = {"smalti_url": f"{settings.origin}{SMALTI}"}
    c.JupyterHub.default_url = landing_page

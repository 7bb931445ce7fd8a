"""What an operator sets of the hub beyond our own topics: `config` in the part `Hub` of the file.

Traits by class, as in JupyterHub's own configuration: another way to log in, say. It comes last
and may overrule any topic. Must never hold a secret: those come by the environment or by files.
"""

from __future__ import annotations

from typing import Any

from hub_config.settings import HubSettings


def configure(c: Any, settings: HubSettings) -> None:
    """Set each trait that was chosen."""
    for name, traits in settings.chosen.get("config", {}).items():
        for trait, value in (traits or {}).items():
            setattr(c[name], trait, value)

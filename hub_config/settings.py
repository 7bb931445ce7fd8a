"""What the topics need to know, read once from the environment and the state folder.

Called by `jupyterhub_config.py`. It writes nothing, and secrets are read only where they are used.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
MAIN_HOST = "localhost"


@dataclass(frozen=True)
class HubSettings:
    """One instance, seen from the hub."""

    home: Path
    ports: dict[str, int]
    path_only: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port of the main host."""
        return f"http://{MAIN_HOST}:{self.ports['frontdoor']}"

    def secret(self, name: str) -> str:
        """Read a secret that the supervisor made."""
        return (self.home / "secrets" / name).read_text().strip()


def load_settings() -> HubSettings:
    """Read `SMALTI_HOME`, `SMALTI_PATH_ONLY` and the ports."""
    home = Path(os.environ["SMALTI_HOME"])
    ports = json.loads((home / "run" / "ports.json").read_text())
    path_only = os.environ.get("SMALTI_PATH_ONLY", "") not in ("", "0", "false")
    return HubSettings(home, ports, path_only)

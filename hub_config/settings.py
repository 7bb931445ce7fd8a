"""What the topics need to know, read once from the environment and the state folder.

Called by `jupyterhub_config.py`. It writes nothing, and secrets are read only where they are used.
On a cluster `run/places.json` says where the other processes are, and `smalti_config.json` has a
part `Hub`; both are written by the chart, and on one machine there is neither.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

LOOPBACK = "127.0.0.1"
MAIN_HOST = "localhost"


@dataclass(frozen=True)
class HubSettings:
    """One instance, seen from the hub."""

    home: Path
    ports: dict[str, int]
    path_only: bool
    places: dict[str, Any] = field(default_factory=dict)
    chosen: dict[str, Any] = field(default_factory=dict)

    @property
    def spread(self) -> bool:
        """Whether the other processes are on machines of their own."""
        return bool(self.places)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the main host."""
        named = str(self.places.get("public_url", "")).rstrip("/")
        return named or f"http://{MAIN_HOST}:{self.ports['frontdoor']}"

    @property
    def main_host(self) -> str:
        """The host of pages, without a port."""
        return urlsplit(self.origin).hostname or MAIN_HOST

    def url(self, process: str) -> str:
        """Where a process of ours answers, without a path."""
        return str(self.places.get(process) or f"http://{LOOPBACK}:{self.ports[process]}")

    @property
    def database_url(self) -> str:
        """The hub's database, with the password where a file holds one."""
        named = str(self.chosen.get("database_url", ""))
        if not named:
            return f"sqlite:///{self.home / 'hub' / 'jupyterhub.sqlite'}"
        file = self.home / "secrets" / "hub_database.password"
        if not file.exists():
            return named
        url = make_url(named).set(password=file.read_text().strip())
        return url.render_as_string(hide_password=False)

    def secret(self, name: str) -> str:
        """Read a secret that the supervisor made."""
        return (self.home / "secrets" / name).read_text().strip()


def load_settings() -> HubSettings:
    """Read `SMALTI_HOME`, `SMALTI_PATH_ONLY`, the ports, the places and what was chosen."""
    home = Path(os.environ["SMALTI_HOME"])
    ports = json.loads((home / "run" / "ports.json").read_text())
    path_only = os.environ.get("SMALTI_PATH_ONLY", "") not in ("", "0", "false")
    chosen = _read(home / "smalti_config.json").get("Hub", {})
    return HubSettings(home, ports, path_only, _read(home / "run" / "places.json"), chosen)


def _read(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return value if isinstance(value, dict) else {}

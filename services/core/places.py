"""Where the processes answer when they are not on one machine: `run/places.json`.

Owns what that file may say. On one machine there is none, and everything is at 127.0.0.1, at the
ports that the supervisor chose. On a cluster the chart writes it. Read by `core.settings` and by
the front door. Must hold no secret: every process may read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
MAIN_HOST = "localhost"
PROCESSES = ("frontdoor", "hub", "platform", "experiments", "traefik_api")


class PlacesError(Exception):
    """The file says something that cannot be meant. The text is for the operator."""


@dataclass(frozen=True)
class Places:
    """Addresses (`http://host:port`) by process, and where we ourselves listen.

    `public_url` is what people use; `programs` are names under which programs inside the cluster
    reach the front door; `trusted_proxies` are networks whose `X-Forwarded-*` are believed.
    """

    listen: str = LOOPBACK
    public_url: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    @property
    def spread(self) -> bool:
        """Whether the processes are on machines of their own."""
        return bool(self.urls)

    def url(self, process: str, ports: Mapping[str, int]) -> str:
        """Where a process of ours answers, without a path."""
        return self.urls.get(process) or f"http://{LOOPBACK}:{ports[process]}"

    def origin(self, ports: Mapping[str, int]) -> str:
        """Scheme, host and port that people use."""
        return self.public_url or f"http://{MAIN_HOST}:{ports['frontdoor']}"

    @property
    def main_host(self) -> str:
        """The host of pages, without a port."""
        return urlsplit(self.public_url).hostname or MAIN_HOST


def load_places(home: Path) -> Places:
    """Read the file of a state folder; without one everything is here. Raises PlacesError."""
    file = home / "run" / "places.json"
    try:
        said = json.loads(file.read_text())
    except FileNotFoundError:
        return Places()
    except ValueError:
        raise PlacesError(f"{file} is not JSON.") from None
    if not isinstance(said, dict):
        raise PlacesError(f"{file} is not a JSON object.")
    urls = {name: _origin(name, said[name]) for name in PROCESSES if said.get(name)}
    public = _origin("public_url", said["public_url"]) if said.get("public_url") else ""
    return Places(
        listen=str(said.get("listen") or LOOPBACK),
        public_url=public,
        urls=urls,
        programs=tuple(said.get("programs") or ()),
        trusted_proxies=tuple(said.get("trusted_proxies") or ()),
    )


def _origin(name: str, text: object) -> str:
    parts = urlsplit(str(text))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise PlacesError(f"{name} is to be an address without a path, not {text!r}.")
    return f"{parts.scheme}://{parts.netloc}"

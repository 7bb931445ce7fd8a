"""Where a server is: from what a person types to the addresses of the API and the hub.

Used by everything that connects. One server is known by its root, `http://host:port/prefix`;
all else lies under it. Decides what is "the same server", on which hangs where a token may
go; it must err on the side of "another".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from smalti.errors import ConfigurationError

SERVICE = "/services/smalti"
DEFAULT = "http://localhost:8000"
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_GIT_PATH = re.compile(r"^/git/([^/]+)/([^/]+?)(?:\.git)?/?$")


def is_localhost(host: str) -> bool:
    """Tell names that mean this machine though the system may not resolve them (RFC 6761)."""
    host = host.rstrip(".").lower()
    return host == "localhost" or host.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to this host stays on this machine."""
    return is_localhost(host) or host in _LOOPBACK or host.startswith("127.")


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port: what a browser calls an origin."""

    scheme: str
    host: str
    port: int

    def same(self, other: Origin) -> bool:
        """Compare; the names of the loopback address are one, `x.localhost` is another."""
        if (self.scheme, self.port) != (other.scheme, other.port):
            return False
        return self.host == other.host or {self.host, other.host} <= _LOOPBACK


@dataclass(frozen=True)
class Address:
    """One server. `root` has no slash at its end."""

    root: str

    @property
    def origin(self) -> Origin:
        """Scheme, host and port."""
        return origin_of(self.root)

    def api(self, *parts: str) -> str:
        """Address of something in the API; each part is one path segment, or more if it is
        the last and holds slashes (a file's path)."""
        return f"{self.root}{SERVICE}/api/v1" + "".join(f"/{quote(part)}" for part in parts)

    def hub(self, *parts: str) -> str:
        """Address of something in JupyterHub's own API; parts are single segments."""
        return f"{self.root}/hub/api" + "".join(f"/{quote(part, safe='')}" for part in parts)

    @property
    def health(self) -> str:
        """Address of the health page."""
        return f"{self.root}{SERVICE}/health"

    def project_of(self, url: str) -> tuple[str, str] | None:
        """Return (owner, name) when a git URL is one of this server's projects."""
        try:
            if not self.origin.same(origin_of(url)):
                return None
        except ConfigurationError:
            return None
        prefix = urlsplit(self.root).path + SERVICE
        path = urlsplit(url).path
        found = _GIT_PATH.match(path.removeprefix(prefix)) if path.startswith(prefix) else None
        return (found[1], found[2]) if found else None


def parse(text: str) -> Address:
    """Read an address as people give it: with or without scheme, or the API's own address.

    Raises ConfigurationError for what is no http or https address, or carries a password.
    """
    text = text.strip()
    if "://" not in text:
        host = text.partition("/")[0].rpartition(":")[0] or text.partition("/")[0]
        text = f"{'http' if is_loopback(host) else 'https'}://{text}"
    origin_of(text)
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("an address must not hold a user or password")
    path = re.split(rf"(?:{SERVICE}|/hub)(?=/|$)", parts.path, maxsplit=1)[0].rstrip("/")
    return Address(f"{parts.scheme.lower()}://{parts.netloc.lower()}{path}")


def origin_of(url: str) -> Origin:
    """Return the origin of an address; raise ConfigurationError if it has none."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"not an address: {url!r}") from error
    if scheme not in _PORTS or not host or not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
        raise ConfigurationError(f"not an http or https address: {url!r}")
    return Origin(scheme, host.rstrip("."), _PORTS[scheme] if port is None else port)

"""The guarded way out: which addresses a repository may be imported from.

An address is looked up once, every answer is checked, and the connection is pinned to the one
that was checked: a name that points elsewhere a moment later changes nothing. Must be the only
place that decides whether the platform may call somewhere on a person's behalf.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.core.errors import Unprocessable
from services.core.settings import Settings

_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?"
)
_PATH = re.compile(r"/[A-Za-z0-9._~%!$&'()*+,;=:@/-]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Place:
    """An address that was taken apart and is well-formed; not yet looked up."""

    url: str
    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class Pinned:
    """A place, and the one network address by which it may be called."""

    place: Place
    address: Address

    @property
    def curl_resolve(self) -> str:
        """The pin as curl takes it: host:port:address."""
        address = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.place.host}:{self.place.port}:{address}"


class Refused(Unprocessable):
    """This address is not called."""

    code = "bad_import_url"


def check_address(url: str, settings: Settings) -> Place:
    """Take an address apart. Raises Refused for what is not plain https to a named host."""
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise Refused("import_url: not an address")  # urlsplit would leave some of these out
    schemes = ("https", "http") if settings.import_private else ("https",)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("import_url: not an address") from error
    host = parts.hostname or ""
    if parts.scheme not in schemes:
        raise Refused("import_url: only https addresses are imported")
    if "@" in parts.netloc:
        raise Refused("import_url: an address with a name or password in it is not taken")
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        raise Refused("import_url: not the address of a repository")
    if not _HOST.fullmatch(host) or not url.startswith(f"{parts.scheme}://"):
        raise Refused("import_url: not a host's name")
    port = port if port is not None else {"https": 443, "http": 80}[parts.scheme]
    # Put together anew from what was checked, so that git reads nothing else into it.
    clean = f"{parts.scheme}://{host}:{port}{parts.path}"
    return Place(clean, parts.scheme, host, port)


async def pin(place: Place, settings: Settings) -> Pinned:
    """Look a place up. Raises Refused when any of its addresses is not a public one."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Refused(f"import_url: there is no host {place.host}") from error
    addresses = [ipaddress.ip_address(str(one[4][0]).split("%")[0]) for one in found]
    if not addresses:
        raise Refused(f"import_url: there is no host {place.host}")
    if not settings.import_private and not all(is_public(address) for address in addresses):
        raise Refused("import_url: this address is not on the public network")
    return Pinned(place, addresses[0])


def is_public(address: Address) -> bool:
    """Tell whether an address is on the public network, also when it is wrapped in another."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        wrapped = address.ipv4_mapped or address.sixtofour or address.teredo
        if isinstance(wrapped, tuple):
            return False
        if wrapped is not None:
            return is_public(wrapped)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
    )

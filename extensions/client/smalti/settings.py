"""Which server and which token: from arguments, the environment and the person's file.

Used by `connect` and the command line. A token is only ever paired with the server it was
given for: one for another address is not used, and the caller is told to log in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from smalti import address, config
from smalti.address import Address
from smalti.errors import ConfigurationError


@dataclass(frozen=True)
class Target:
    """Where to connect and as whom. `profile` is the login that the token came from."""

    address: Address
    token: str | None = field(default=None, repr=False)
    profile: str | None = None
    user: str = ""


@dataclass(frozen=True)
class Wish:
    """What the caller said; None where nothing was."""

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    profile: str | None = None


def resolve(wish: Wish, environ: Mapping[str, str] = os.environ) -> Target:
    """Settle server and token: what was said, then SMALTI_API_URL and SMALTI_TOKEN, then the file.

    A profile that was named (or SMALTI_PROFILE) goes before the environment's address.
    Raises ConfigurationError for an address that is none, or a profile that is not there.
    """
    name = wish.profile or (None if wish.url else environ.get("SMALTI_PROFILE"))
    if name:
        return _named(name, wish)
    env_url = environ.get("SMALTI_API_URL")
    url = wish.url or env_url
    token = wish.token
    if token is None and _env_token_fits(url, env_url):
        token = environ.get("SMALTI_TOKEN") or None
    if url is None:
        return _current(token, environ)
    where = address.parse(url)
    if token is not None:
        return Target(where, token)
    for key, profile in config.load(config.path(environ)).profiles.items():
        if address.parse(profile.url) == where and profile.token:
            return Target(where, profile.token, key, profile.user)
    return Target(where)


def _env_token_fits(url: str | None, env_url: str | None) -> bool:
    if url is None or env_url is None:
        return True
    return address.parse(url) == address.parse(env_url)


def _named(name: str, wish: Wish) -> Target:
    profile = config.load(config.path()).profiles.get(name)
    if profile is None:
        raise ConfigurationError(f"no login with the profile {name!r}: `smalti login`")
    where = address.parse(profile.url)
    if wish.url is not None and address.parse(wish.url) != where:
        raise ConfigurationError(f"the profile {name!r} is for {where.root}, not {wish.url}")
    return Target(where, wish.token or profile.token or None, name, profile.user)


def _current(token: str | None, environ: Mapping[str, str]) -> Target:
    found = config.load(config.path(environ))
    profile = found.profiles.get(found.current)
    if token is not None or profile is None:
        # A token without an address was meant for the server that is worked with, or here.
        where = address.parse(profile.url if profile else address.DEFAULT)
        return Target(where, token)
    return Target(address.parse(profile.url), profile.token or None, found.current, profile.user)

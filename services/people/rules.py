"""Decisions about people and tokens on values alone: no database, no clock of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from services.core.actor import Actor
from services.core.rights import GRANTS, Permission, PlatformRole, Principal

ADMIN_GROUP = "smalti-admins"  # hub_config gives this group the hub's custom admin scope
SCOPE_READ, SCOPE_WRITE = "custom:smalti:read", "custom:smalti:write"


class PersonStatus(StrEnum):
    """Whether a person may use the platform."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class RoleSource(StrEnum):
    """Who gave a role: the hub (followed at each sync) or an administrator here."""

    HUB = "hub"
    PLATFORM = "platform"


class TokenKind(StrEnum):
    """What a token of ours is the credential of."""

    RUN = "run"
    AGENT = "agent"
    HUB = "hub"
    GATE = "gate"
    SERVICE = "service"
    ENROLMENT = "enrolment"


def hub_roles(admin: bool, groups: Iterable[str]) -> frozenset[PlatformRole]:
    """Say which roles follow from what the hub says of a person."""
    return frozenset({PlatformRole.ADMIN}) if admin or ADMIN_GROUP in groups else frozenset()


def rights_of_scopes(scopes: Iterable[str]) -> frozenset[Permission] | None:
    """Turn a hub token's scopes into rights. None: all of the person's.

    ValueError for a token that was not given for this platform, such as a session's own.
    """
    given = set(scopes)
    if SCOPE_WRITE in given:
        return None
    if SCOPE_READ in given:
        return frozenset(permission for permission in Permission if not GRANTS[permission].writes)
    raise ValueError("the token has none of our scopes")


def possible_rights(actor: Actor) -> frozenset[Permission]:
    """List what a service token made by this actor may carry at most."""
    return frozenset(
        permission
        for permission, grant in GRANTS.items()
        if Principal.SERVICE in grant.principals
        and permission is not Permission.PUBLIC
        and actor.may(permission)
    )


def expiry(now: datetime, days: int) -> datetime:
    """Say when a token that is made now and lasts some days ends."""
    return now + timedelta(days=days)

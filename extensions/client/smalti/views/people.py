"""Who somebody is, and the tokens that act for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Reference:
    """Somebody, by id and name."""

    id: str = ""
    name: str = ""


NOBODY = Reference()


@dataclass(frozen=True)
class Me:
    """Who the token speaks for; `kind` is person, run or service."""

    id: str
    name: str = ""
    kind: str = "person"
    admin: bool = False
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project_id: str | None = None


@dataclass(frozen=True)
class Token:
    """A token that was made. `token` is there only in the answer to its creation."""

    id: str
    name: str = ""
    kind: str = ""
    project_id: str | None = None
    rights: tuple[str, ...] = ()
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    token: str | None = field(default=None, repr=False)

"""What the API says and takes about people and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from services.core.paging import PageQuery
from services.core.rights import Permission, PlatformRole
from services.core.shapes import RequestModel
from services.people.rules import PersonStatus, TokenKind

DEFAULT_DAYS, MOST_DAYS = 90, 365

Name = Annotated[str, Field(min_length=1, max_length=255)]


class PersonName(BaseModel):
    """A person, named beside what is theirs."""

    id: str
    name: str


class MeView(BaseModel):
    """Who the credential of this call stands for, and what it may do."""

    id: str
    name: str
    kind: str = Field(description="person, run or service")
    admin: bool
    roles: list[PlatformRole]
    groups: list[str]
    project_id: str | None = Field(description="The one project that a run or service may touch.")
    person: PersonName | None = Field(description="On whose behalf it acts.")


class PersonView(BaseModel):
    """A person. Roles are shown to administrators, support and the person."""

    id: str
    name: str
    display_name: str
    roles: list[PlatformRole]
    status: PersonStatus
    created_at: datetime


class PersonChange(RequestModel):
    """What an administrator changes of a person; what is left out stays."""

    roles: list[PlatformRole] | None = Field(None, max_length=len(PlatformRole))
    status: PersonStatus | None = None
    display_name: Name | None = None


class PersonCreate(RequestModel):
    """Somebody new, who gets an account with a one-time password."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$",
        max_length=63,
        description="The name to log in with: lower-case letters, digits and `._-`.",
    )
    roles: list[PlatformRole] = Field(
        [PlatformRole.PRACTITIONER], max_length=len(PlatformRole), description="On the platform."
    )


class OneTimePasswordView(BaseModel):
    """A one-time password; it is shown this once, and has to be changed at the first login."""

    password: str


class NewPersonView(PersonView, OneTimePasswordView):
    """A person just added, with their one-time password."""


class PeopleQuery(PageQuery):
    """Which persons to list. Those who may not list all must name whom they look for."""

    name: str | None = Field(None, max_length=255, description="Exactly this name.")
    status: PersonStatus | None = None


class GroupView(BaseModel):
    """A group of the hub: an organization."""

    name: str
    members: int


class GroupsQuery(PageQuery):
    """Which groups to list."""


class TokenView(BaseModel):
    """A service token: everything but its secret."""

    id: str
    name: str
    kind: TokenKind
    project_id: str | None
    rights: list[Permission]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewTokenView(TokenView):
    """A token just made; `token` is shown this once."""

    token: str


class TokenCreate(RequestModel):
    """A token for a program that acts for you, with no more than you may do yourself."""

    name: Name
    project_id: str | None = Field(None, max_length=36, description="Bind it to this project.")
    rights: list[Permission] | None = Field(
        None, max_length=len(Permission), description="At most these; all that are possible if null"
    )
    expires_in_days: int = Field(DEFAULT_DAYS, ge=1, le=MOST_DAYS)


class TokensQuery(PageQuery):
    """Which of your tokens to list."""

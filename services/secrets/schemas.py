"""Bodies and views of secrets. A value goes in and never comes out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.core.paging import PageQuery
from services.core.shapes import RequestModel
from services.people import PersonName

LONGEST_VALUE = 1 << 20  # characters that are looked at; the setting `secret_max` says how many go


class SecretsQuery(PageQuery):
    """Whose secrets: those of a project, or without one the caller's own."""

    project_id: str | None = Field(None, max_length=36, description="Secrets of this project.")


class SecretCreate(RequestModel):
    """A new secret, of a project or without one of the caller."""

    name: str = Field(max_length=200)
    value: str = Field(max_length=LONGEST_VALUE, json_schema_extra={"writeOnly": True})
    project_id: str | None = Field(None, max_length=36)


class SecretUpdate(RequestModel):
    """A secret's new value; runs that have begun keep the old one."""

    value: str = Field(max_length=LONGEST_VALUE, json_schema_extra={"writeOnly": True})


class SecretUseView(BaseModel):
    """A run that was given a secret."""

    kind: str
    id: str
    person: PersonName
    at: datetime


class SecretView(BaseModel):
    """What is known of a secret: everything but its value. `used_by`: the last runs given it.

    `hidden_in_logs`: False for a value too short to be hidden where a run's log shows it.
    """

    id: str
    name: str
    scope: Literal["person", "project"]
    project_id: str | None
    created_at: datetime
    created_by: PersonName
    updated_at: datetime
    updated_by: PersonName
    last_used_at: datetime | None
    hidden_in_logs: bool
    used_by: list[SecretUseView]

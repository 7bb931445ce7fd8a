"""What is known of secrets and of the vault that keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smalti.views.people import NOBODY, Reference


@dataclass(frozen=True)
class SecretUse:
    """A run that was given a secret."""

    kind: str = ""
    id: str = ""
    person: Reference = NOBODY
    at: datetime | None = None


@dataclass(frozen=True)
class Secret:
    """What is known of a secret: all but its value. `scope` is person or project."""

    id: str
    name: str = ""
    scope: str = ""
    project_id: str | None = None
    created_at: datetime | None = None
    created_by: Reference = NOBODY
    updated_at: datetime | None = None
    updated_by: Reference = NOBODY
    last_used_at: datetime | None = None
    hidden_in_logs: bool = True
    used_by: tuple[SecretUse, ...] = ()


@dataclass(frozen=True)
class Rotation:
    """A change of keys: how many of the sealed values it has been over."""

    id: str
    what: str = ""
    phase: str = ""
    total: int = 0
    done: int = 0
    reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Vault:
    """Who keeps the vault's master key, the keys in use, and the last rotation."""

    provider: str = ""
    master_keys: tuple[str, ...] = ()
    sealed: int = 0
    rotation: Rotation | None = None

"""Projects, who is in them, and what their repositories hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smalti.views.people import NOBODY, Reference


@dataclass(frozen=True)
class ProjectView:
    """A project; `role` is the caller's."""

    id: str
    owner: Reference = NOBODY
    name: str = ""
    description: str = ""
    visibility: str = "private"
    default_environment_id: str | None = None
    default_tier: str | None = None
    default_branch: str = "main"
    role: str | None = None
    clone_url: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Member:
    """Somebody in a project."""

    person: Reference = NOBODY
    role: str = ""
    added_at: datetime | None = None


@dataclass(frozen=True)
class File:
    """A file or directory of a project at a commit; `size` in bytes."""

    path: str
    name: str = ""
    type: str = "file"
    size: int | None = None
    mode: str | None = None


@dataclass(frozen=True)
class Author:
    """Who made a commit."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Commit:
    """A commit; `id` has 40 hexadecimal digits."""

    id: str
    message: str = ""
    author: Author = Author()
    authored_at: datetime | None = None
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Branch:
    """A branch or a tag, and the commit it names."""

    name: str
    commit: str = ""
    default: bool = False

"""Names of projects and jobs as people write them: `wine`, `admin/wine`, `wine#12`, `12`, ids.

Pure functions on text, used by the client and the command line; what a name stands for is
found out by `client`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from smalti.errors import BadRequest

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_WORD = re.compile(r"[^\s/#\x00-\x1f\x7f]{1,200}")
_NUMBER = re.compile(r"#?([1-9][0-9]{0,15})", re.ASCII)


@dataclass(frozen=True)
class ProjectName:
    """A project by `id`, or by `name` and perhaps its `owner`."""

    name: str = ""
    owner: str | None = None
    id: str | None = None

    def __str__(self) -> str:
        return self.id or (f"{self.owner}/{self.name}" if self.owner else self.name)


@dataclass(frozen=True)
class JobName:
    """A job by `id`, or by `number` in a project (None: the current one)."""

    number: int = 0
    project: ProjectName | None = None
    id: str | None = None

    def __str__(self) -> str:
        return self.id or f"{self.project or ''}#{self.number}"


def is_id(text: str) -> bool:
    """Tell whether a text is an id (a UUID)."""
    return _ID.fullmatch(text) is not None


def project_name(text: str) -> ProjectName:
    """Read `name`, `owner/name` or an id; raise BadRequest for anything else."""
    if is_id(text):
        return ProjectName(id=text.lower())
    owner, slash, name = text.rpartition("/")
    if not _WORD.fullmatch(name) or name in {".", ".."}:
        raise BadRequest(f"not a project: {text!r}; write NAME, OWNER/NAME or an id")
    if slash and (not _WORD.fullmatch(owner) or owner in {".", ".."}):
        raise BadRequest(f"not a project: {text!r}; write NAME, OWNER/NAME or an id")
    return ProjectName(name, owner or None)


def job_name(text: str) -> JobName:
    """Read `12`, `#12`, `project#12`, `owner/project#12` or an id; else raise BadRequest."""
    if is_id(text):
        return JobName(id=text.lower())
    project, _, number = text.rpartition("#")
    found = _NUMBER.fullmatch(number)
    if not found:
        raise BadRequest(f"not a job: {text!r}; write PROJECT#NUMBER, NUMBER or an id")
    return JobName(int(found[1]), project_name(project) if project else None)

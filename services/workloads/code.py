"""Code that is in no branch yet: what a workspace's files are now, for a job to run.

Jobs ask, sessions answer; neither knows the other. Put into the context by sessions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.core.work import Work


@dataclass(frozen=True)
class Code:
    """What a job is to run: in words, and as a commit of the project."""

    ref: str
    commit: str


@dataclass(frozen=True)
class Workbench:
    """Gives the code of a workspace: `code(work, project_id, workspace_id, snapshot)`."""

    code: Callable[[Work, str, str, int | None], Awaitable[Code]]

"""Verbs of one commit: show it and what it changed."""

from __future__ import annotations

import re

from services.core.errors import NotFound
from services.core.work import Work
from services.projects import history
from services.projects.file_actions import commit_of, readable
from services.projects.schemas import AuthorView, ChangedFileView, CommitChangesView

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's own id of a tree without files
_ID = re.compile(r"[0-9a-f]{7,40}")


async def show(work: Work, project_id: str, commit: str) -> CommitChangesView:
    """Show a commit, named by its id, and how it differs from its first parent.

    Raises NotFound for what is no id of a commit that a branch or tag can be asked for.
    """
    project, repository = await readable(work, project_id)
    if not _ID.fullmatch(commit):
        raise NotFound("there is no such commit")
    identity = await commit_of(project, repository, commit)
    if identity is None:
        raise NotFound("there is no such commit")
    found = (await history.commits(repository, identity, None, 0, 1))[0]
    before = found.parents[0] if found.parents else EMPTY_TREE
    changed = await history.difference(repository, before, found.id)
    return CommitChangesView(
        id=found.id,
        message=found.message,
        author=AuthorView(name=found.author_name, email=found.author_email),
        authored_at=found.authored_at,
        parents=list(found.parents),
        files=[
            ChangedFileView(
                path=file.path,
                old_path=file.old_path,
                status=file.status,
                additions=file.additions,
                deletions=file.deletions,
            )
            for file in changed.files
        ],
        patch=changed.patch,
        cut=changed.cut,
    )

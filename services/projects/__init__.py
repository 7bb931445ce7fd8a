"""Projects: members and their roles, a git repository each, files and history.

The names below are what other nouns may use. Every noun asks `authorize` before it touches
what belongs to a project, in the transaction that touches it.
"""

from services.core.work import Context
from services.projects import history, refs, trees
from services.projects.access import (
    ProjectRow,
    allows,
    authorize,
    some,
    some_ids,
    visible_ids,
)
from services.projects.actions import list_projects
from services.projects.edits import Author
from services.projects.file_actions import file_at, list_files_at, make_branch
from services.projects.file_handlers import send_file
from services.projects.history import Difference, FileChange
from services.projects.refs import NoSuchRef
from services.projects.rules import Status, Visibility
from services.projects.runtime import GitFailed, Repositories, Repository, make_bare
from services.projects.schemas import FilesQuery, FilesView, ProjectsQuery, ProjectView
from services.projects.store import find, known, living, names
from services.projects.trees import Entry

__all__ = [
    "Author",
    "Difference",
    "Entry",
    "FileChange",
    "FilesQuery",
    "FilesView",
    "GitFailed",
    "NoSuchRef",
    "ProjectRow",
    "ProjectView",
    "ProjectsQuery",
    "Repositories",
    "Repository",
    "Status",
    "Visibility",
    "allows",
    "authorize",
    "diff",
    "file_at",
    "find",
    "has_file",
    "known",
    "list_files_at",
    "list_projects",
    "living",
    "make_bare",
    "make_branch",
    "names",
    "resolve_commit",
    "send_file",
    "some",
    "some_ids",
    "visible_ids",
]


async def resolve_commit(context: Context, project_id: str, ref: str) -> str:
    """Return the commit that a branch, tag or commit id means. Raises NoSuchRef (422)."""
    return await refs.resolve(context.get(Repositories).of(project_id), ref)


async def diff(context: Context, project_id: str, left: str, right: str) -> Difference:
    """Say what differs between two commits of a project; a long patch is cut."""
    return await history.difference(context.get(Repositories).of(project_id), left, right)


async def has_file(context: Context, project_id: str, commit: str, path: str) -> bool:
    """Tell whether a commit holds a file (or a link) at a path."""
    repository = context.get(Repositories).of(project_id)
    found = await trees.entry(repository, commit, path)
    return found is not None and found.kind in ("file", "symlink")

"""Verbs of files and history: list, read, write, remove; commits, branches, tags."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

from services import people
from services.core.database import Transaction
from services.core.errors import BadRequest, Conflict, NotFound, Unprocessable
from services.core.paging import Page
from services.core.rights import Permission
from services.core.work import Work
from services.projects import edits, history, refs, rules, trees
from services.projects.access import ProjectRow, authorize
from services.projects.actions import owner_of
from services.projects.edits import Author, Done, Edit
from services.projects.intents import Intent, Intents, Plan
from services.projects.pushed import Command
from services.projects.recording import moved_refs, told
from services.projects.refs import NoSuchRef
from services.projects.rules import Status
from services.projects.runtime import Repositories, Repository
from services.projects.schemas import (
    AuthorView,
    BranchCreate,
    BranchView,
    CommitsQuery,
    CommitView,
    FilesQuery,
    FilesView,
    FileView,
    RefsQuery,
    TagView,
)
from services.storage import Disk


async def readable(work: Work, project_id: str) -> tuple[ProjectRow, Repository]:
    """Open a project's repository for reading."""
    project = await work.read(authorize, Permission.FILES_READ, project_id)
    return project, work.context.get(Repositories).of(project.id)


async def writable(work: Work, project_id: str) -> tuple[ProjectRow, Repository]:
    """Open a project's repository for writing. Raises Conflict while it is being imported."""
    project = await work.read(authorize, Permission.FILES_WRITE, project_id)
    if project.status is Status.IMPORTING:
        raise Conflict("its files are still being imported", code="importing")
    work.context.get(Disk).require()
    return project, work.context.get(Repositories).of(project.id)


async def commit_of(project: ProjectRow, repository: Repository, ref: str | None) -> str | None:
    """Find the commit to read at; None in a project without commits. Raises NotFound."""
    try:
        return await refs.resolve(repository, ref or project.default_branch)
    except NoSuchRef as error:
        if ref is None:
            return None
        raise NotFound(error.message, code=error.code) from None


def checked(path: str) -> str:
    """Refuse a path that cannot be one in a repository."""
    wrong = rules.what_is_wrong_with_path(path)
    if wrong is not None:
        raise BadRequest(f"path: {wrong}", code="bad_path")
    return path


async def list_files(work: Work, project_id: str, query: FilesQuery) -> FilesView:
    """List a folder at a version."""
    path = query.path.strip("/")
    if path:
        checked(path)
    project, repository = await readable(work, project_id)
    commit = await commit_of(project, repository, query.ref)
    if commit is None:
        if path:
            raise NotFound("there is no such folder in this commit")
        return FilesView(commit=None, path=path, items=[])
    return await list_files_at(repository, commit, query)


async def list_files_at(repository: Repository, commit: str, query: FilesQuery) -> FilesView:
    """List a folder of a commit of a repository that the caller may read."""
    path = query.path.strip("/")
    if path:
        checked(path)
    after = _after(query.cursor)
    found = [one for one in await trees.entries(repository, commit, path) if one.path > after]
    shown = [
        FileView(
            path=one.path,
            name=one.path.rsplit("/", 1)[-1],
            type=one.kind,
            size=one.size,
            mode=one.mode,
            object=one.object,
        )
        for one in found[: query.limit]
    ]
    cursor = _cursor(shown[-1].path) if len(found) > query.limit else None
    return FilesView(commit=commit, path=path, items=shown, next_cursor=cursor)


def _cursor(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def _after(cursor: str | None) -> str:
    try:
        padded = (cursor or "") + "=" * (-len(cursor or "") % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError as error:  # not ASCII, not base64, or not UTF-8 inside
        raise BadRequest("cursor: not one that this list gave", code="bad_cursor") from error


async def find_file(
    work: Work, project_id: str, path: str, ref: str | None
) -> tuple[Repository, trees.Entry]:
    """Find a file's entry at a version, to be read. Raises NotFound."""
    checked(path)
    project, repository = await readable(work, project_id)
    commit = await commit_of(project, repository, ref)
    if commit is None:
        raise NotFound("there is no such file in this commit")
    return repository, await file_at(repository, commit, path)


async def file_at(repository: Repository, commit: str, path: str) -> trees.Entry:
    """Find a file's entry at a commit of a repository that the caller may read."""
    found = await trees.entry(repository, commit, checked(path))
    if found is None or found.kind in ("directory", "submodule"):
        raise NotFound("there is no such file in this commit")
    return found


async def write_file(
    work: Work, project_id: str, edit: Edit, content: AsyncIterator[bytes] | None
) -> CommitView:
    """Put a file's content, or remove the file (`content` None): one commit by the caller.

    `edit` comes without blob and author, which are settled here, and with branch and message
    empty where the caller left them to us.
    """
    checked(edit.path)
    project, repository = await writable(work, project_id)
    branch = edit.branch or project.default_branch
    if not rules.is_ref_name(branch):
        raise NotFound(NoSuchRef(branch).message, code=NoSuchRef.code)
    if branch != project.default_branch and refs.branch_head(repository, branch) is None:
        raise NotFound(NoSuchRef(branch).message, code=NoSuchRef.code)
    name = await work.read(_name_of, owner_of(work.actor))
    blob = None if content is None else await edits.store(repository, content)
    verb = "Remove" if content is None else "Write"
    whole = Edit(
        branch=branch,
        path=edit.path,
        message=(edit.message or f"{verb} {edit.path}") + "\n",
        author=Author.of(name),
        blob=blob,
        if_match=edit.if_match,
        only_new=edit.only_new,
    )
    # A caller who hangs up now must not leave an edit that is made and not written down.
    done = await asyncio.shield(_apply(work, project.id, repository, whole))
    return _commit_view((await history.commits(repository, done.commit, None, 0, 1))[0])


async def _apply(work: Work, project_id: str, repository: Repository, edit: Edit) -> Done:
    async with work.context.get(Repositories).editing(project_id):
        intent = await work.context.get(Intents).begun()
        async with intent.closing():
            return await _noted(work, project_id, repository, edit, intent)


async def _noted(
    work: Work, project_id: str, repository: Repository, edit: Edit, intent: Intent
) -> Done:
    async def about(done: Done) -> None:
        await asyncio.to_thread(intent.say, _plan(work, project_id, edit, done))

    done = await edits.apply(repository, edit, about)
    if done.commit != done.before:
        await work.write(_record, _plan(work, project_id, edit, done))
    return done


def _plan(work: Work, project_id: str, edit: Edit, done: Done) -> Plan:
    command = Command(f"refs/heads/{edit.branch}", done.before or refs.ZERO, done.commit)
    plan = Plan.of(work, "file.write" if edit.blob else "file.remove", project_id, [command])
    plan.before = {"commit": done.before}
    plan.after = {"branch": edit.branch, "path": edit.path, "commit": done.commit}
    return plan


def _record(tx: Transaction, plan: Plan) -> None:
    event = {"moved": [told(one) for one in plan.moves()]}
    moved_refs(
        tx, plan.action, plan.project_id, event=event, before=plan.before, after=plan.after or {}
    )


def _name_of(tx: Transaction, person_id: str) -> str:
    return people.find(tx, person_id).name


def _commit_view(commit: history.Commit) -> CommitView:
    return CommitView(
        id=commit.id,
        message=commit.message,
        author=AuthorView(name=commit.author_name, email=commit.author_email),
        authored_at=commit.authored_at,
        parents=list(commit.parents),
    )


async def list_commits(work: Work, project_id: str, query: CommitsQuery) -> Page[CommitView]:
    """List commits backwards from a version; pages hold on to the commit they began at."""
    path = checked(query.path.strip("/")) if query.path and query.path.strip("/") else None
    project, repository = await readable(work, project_id)
    start, skip = await commit_of(project, repository, query.ref), 0
    if query.cursor is not None:
        start, _, count = _after(query.cursor).partition(":")
        if not count.isdecimal() or len(count) > 9 or len(start) != 40:
            raise BadRequest("cursor: not one that this list gave", code="bad_cursor")
        start, skip = await commit_of(project, repository, start), int(count)
    if start is None:
        return Page[CommitView](items=[])
    found = await history.commits(repository, start, path, skip, query.limit + 1)
    more = len(found) > query.limit
    cursor = _cursor(f"{start}:{skip + query.limit}") if more else None
    items = [_commit_view(one) for one in found[: query.limit]]
    return Page[CommitView](items=items, next_cursor=cursor)


async def list_branches(work: Work, project_id: str, query: RefsQuery) -> Page[BranchView]:
    """List branches by name."""
    project, found, cursor = await _refs(work, project_id, "refs/heads", query)
    items = [
        BranchView(name=one.name, commit=one.commit, default=one.name == project.default_branch)
        for one in found
    ]
    return Page[BranchView](items=items, next_cursor=cursor)


async def list_tags(work: Work, project_id: str, query: RefsQuery) -> Page[TagView]:
    """List tags by name."""
    _, found, cursor = await _refs(work, project_id, "refs/tags", query)
    items = [TagView(name=one.name, commit=one.commit) for one in found]
    return Page[TagView](items=items, next_cursor=cursor)


async def _refs(
    work: Work, project_id: str, folder: str, query: RefsQuery
) -> tuple[ProjectRow, list[history.Ref], str | None]:
    project, repository = await readable(work, project_id)
    found = await history.refs(repository, folder, _after(query.cursor), query.limit + 1)
    shown = found[: query.limit]
    return project, shown, _cursor(shown[-1].name) if len(found) > query.limit else None


async def create_branch(work: Work, project_id: str, request: BranchCreate) -> BranchView:
    """Make a branch where another, a tag or a commit stands."""
    project, repository = await writable(work, project_id)
    commit = await refs.resolve(repository, request.source or project.default_branch)
    await make_branch(work, project.id, request.name, commit)
    return BranchView(name=request.name, commit=commit, default=False)


async def make_branch(work: Work, project_id: str, name: str, commit: str) -> None:
    """Make a branch at a commit of the project. Raises Conflict when the name is taken."""
    _, repository = await writable(work, project_id)
    if not rules.is_ref_name(name):
        raise Unprocessable("this cannot be the name of a branch", code="bad_branch")
    command = Command(f"refs/heads/{name}", refs.ZERO, commit)
    plan = Plan.of(work, "branch.create", project_id, [command])
    plan.after = {"branch": name, "commit": commit}
    # As with an edit: made and not written down it must not be.
    if not await asyncio.shield(_branch(work, repository, name, plan)):
        raise Conflict("there is a branch of this name, or one in its way", code="branch_taken")


async def _branch(work: Work, repository: Repository, name: str, plan: Plan) -> bool:
    intent = await work.context.get(Intents).begun()
    async with intent.closing():
        await asyncio.to_thread(intent.say, plan)
        [(_, _, commit)] = plan.commands
        made = await edits.new_branch(repository, name, commit)
        if made:
            await work.write(_record, plan)
    return made

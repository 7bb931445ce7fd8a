"""HTTP of files, commits, branches and tags."""

from __future__ import annotations

from urllib.parse import quote

from services.core.paging import Page
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.projects import commit_actions, file_actions, trees
from services.projects.edits import Author, Edit
from services.projects.runtime import Repository
from services.projects.schemas import (
    BranchCreate,
    BranchView,
    CommitChangesView,
    CommitsQuery,
    CommitView,
    ContentQuery,
    EditQuery,
    FilesQuery,
    FilesView,
    RefsQuery,
    TagView,
)

routes = Routes("files")


@routes.get("/projects/{id}/files", Permission.FILES_READ, query=FilesQuery, answer=FilesView)
async def files(call: Call) -> FilesView:
    """List a folder at a branch, tag or commit."""
    return await file_actions.list_files(call.work, call.path["id"], call.query(FilesQuery))


@routes.get(
    "/projects/{id}/content/{path*}",
    Permission.FILES_READ,
    query=ContentQuery,
    media_type="application/octet-stream",
)
async def read(call: Call) -> None:
    """Give a file's bytes; ETag is its content's id."""
    ref = call.query(ContentQuery).ref
    repository, entry = await file_actions.find_file(
        call.work, call.path["id"], call.path["path"], ref
    )
    await send_file(call, repository, entry)


async def send_file(call: Call, repository: Repository, entry: trees.Entry) -> None:
    """Answer with a file's bytes, as an attachment."""
    tag = f'"{entry.object}"'
    if tag in _tags(call.header("If-None-Match")):
        call.answer_with(304, {"ETag": tag})
        return
    name = quote(entry.path.rsplit("/", 1)[-1], safe="")
    # Never shown in place: what users wrote must not run as a page of this origin.
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": str(entry.size),
        "ETag": tag,
    }
    call.answer_with(200, headers)
    if call.method == "HEAD":
        return
    async with trees.reading(repository, entry.object) as pieces:
        async for piece in pieces:
            await call.send(piece)


@routes.put(
    "/projects/{id}/content/{path*}",
    Permission.FILES_WRITE,
    query=EditQuery,
    answer=CommitView,
    upload="file_edit_max",
)
async def write(call: Call) -> CommitView:
    """Write a file: one commit by the caller. If-Match names the content it replaces."""
    edit = _edit(call)
    return await file_actions.write_file(call.work, call.path["id"], edit, call.stream())


@routes.delete(
    "/projects/{id}/content/{path*}",
    Permission.FILES_WRITE,
    query=EditQuery,
    answer=CommitView,
    status=200,
)
async def remove(call: Call) -> CommitView:
    """Remove a file: one commit by the caller."""
    return await file_actions.write_file(call.work, call.path["id"], _edit(call), None)


def _edit(call: Call) -> Edit:
    query = call.query(EditQuery)
    match = call.header("If-Match").strip()
    return Edit(
        branch=query.branch or "",
        path=call.path["path"],
        message=query.message or "",
        author=Author("", ""),
        if_match=None if match in ("", "*") else next(iter(_tags(match)), "").strip('"'),
        only_new=call.header("If-None-Match").strip() == "*",
    )


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip()]


@routes.get(
    "/projects/{id}/commits", Permission.FILES_READ, query=CommitsQuery, answer=Page[CommitView]
)
async def commits(call: Call) -> Page[CommitView]:
    """List commits backwards from a branch, tag or commit."""
    return await file_actions.list_commits(call.work, call.path["id"], call.query(CommitsQuery))


@routes.get("/projects/{id}/commits/{commit}", Permission.FILES_READ, answer=CommitChangesView)
async def commit(call: Call) -> CommitChangesView:
    """Show a commit and what it changed."""
    return await commit_actions.show(call.work, call.path["id"], call.path["commit"])


@routes.get(
    "/projects/{id}/branches", Permission.FILES_READ, query=RefsQuery, answer=Page[BranchView]
)
async def branches(call: Call) -> Page[BranchView]:
    """List branches by name."""
    return await file_actions.list_branches(call.work, call.path["id"], call.query(RefsQuery))


@routes.post(
    "/projects/{id}/branches",
    Permission.FILES_WRITE,
    body=BranchCreate,
    answer=BranchView,
    status=201,
)
async def create_branch(call: Call) -> BranchView:
    """Make a branch where another, a tag or a commit stands."""
    return await file_actions.create_branch(call.work, call.path["id"], call.body(BranchCreate))


@routes.get("/projects/{id}/tags", Permission.FILES_READ, query=RefsQuery, answer=Page[TagView])
async def tags(call: Call) -> Page[TagView]:
    """List tags by name."""
    return await file_actions.list_tags(call.work, call.path["id"], call.query(RefsQuery))

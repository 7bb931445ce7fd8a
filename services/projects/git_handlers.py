"""git over smart HTTP, for any git client with a token as its password.

Finds the project of an owner/name pair (a former one too), asks for the right by id, and hands
the call to `git_http`. A push is written down once git has moved the refs, whoever hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.core import audit, events
from services.core.database import Transaction
from services.core.errors import Conflict, NotFound, PublicError
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.core.work import Work
from services.projects import git_http, refs, rules, store
from services.projects.access import GIT, ProjectRow, authorize
from services.projects.git_http import Gate
from services.projects.pushed import Command, Commands
from services.projects.rules import Status
from services.projects.runtime import Repositories, Repository, point_head
from services.storage import Disk

Service = Literal["git-upload-pack", "git-receive-pack"]
SHOWN = 100  # refs of one push that the trail and the event name

routes = Routes("git", GIT)


class Advertise(BaseModel):
    """Which of the two services is asked for; nothing else is served."""

    model_config = ConfigDict(extra="ignore")

    service: Service


@routes.get(
    "/{owner}/{name}.git/info/refs",
    Permission.FILES_READ,
    query=Advertise,
    media_type="application/x-git-upload-pack-advertisement",
    hidden=True,
    plain=True,
)
async def advertise(call: Call) -> None:
    """Say what the repository has, before a fetch or a push."""
    query: Advertise = call.query(Advertise)
    _, repository = await _open(call, query.service)
    request = _request(call, query.service)
    async with call.context.get(Gate).enter(project_person(call)):
        await git_http.serve(repository, request, call)


@routes.post(
    "/{owner}/{name}.git/git-upload-pack",
    Permission.FILES_READ,
    media_type="application/x-git-upload-pack-result",
    upload="push_max",
    hidden=True,
    plain=True,
)
async def upload_pack(call: Call) -> None:
    """Send what a client fetches."""
    _, repository = await _open(call, "git-upload-pack")
    async with call.context.get(Gate).enter(project_person(call)):
        await git_http.serve(repository, _request(call, "git-upload-pack"), call)


@routes.post(
    "/{owner}/{name}.git/git-receive-pack",
    Permission.FILES_WRITE,
    media_type="application/x-git-receive-pack-result",
    upload="push_max",
    hidden=True,
    plain=True,
)
async def receive_pack(call: Call) -> None:
    """Take what a client pushes."""
    project, repository = await _open(call, "git-receive-pack")
    request = _request(call, "git-receive-pack")
    push = _Push(call, request)
    try:
        async with call.context.get(Gate).enter(project_person(call)):
            await git_http.serve(repository, request, push)
    finally:
        # git may have moved refs although the caller has gone: what is so is written down.
        await asyncio.shield(_note(call.work, project, repository, push.commands.found))


def project_person(call: Call) -> str:
    """Name who is asking, for the limit of calls at once."""
    return call.actor.person_id or call.actor.id


class _Push:
    """A call whose body is looked at as it passes: which refs it is to move."""

    def __init__(self, call: Call, request: git_http.Request) -> None:
        self._call = call
        self.commands = Commands(gzipped=bool(request.encoding))
        self.answer_with, self.send = call.answer_with, call.send

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        async for piece in self._call.stream():
            self.commands.feed(piece)
            yield piece


async def _open(call: Call, service: Service) -> tuple[ProjectRow, Repository]:
    """Find the project and check the right. Raises NotFound, Forbidden, Conflict."""
    writes = service == "git-receive-pack"
    needed = Permission.FILES_WRITE if writes else Permission.FILES_READ
    owner, name = call.path["owner"], call.path["name"]
    project = await call.work.read(_find, needed, owner, name)
    if writes and project.status is Status.IMPORTING:
        raise Conflict("its files are still being imported", code="importing")
    if writes:
        call.context.get(Disk).require()
    return project, call.context.get(Repositories).of(project.id)


def _find(tx: Transaction, needed: Permission, owner: str, name: str) -> ProjectRow:
    known = rules.what_is_wrong_with_name(name) is None
    project_id = store.find(tx, owner, name) if known else None
    if project_id is None:
        raise NotFound("this project does not exist")
    return authorize(tx, needed, project_id)


def _request(call: Call, service: Service) -> git_http.Request:
    encoding = call.header("Content-Encoding").lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise PublicError("this encoding is not known here", code="bad_encoding", status=415)
    kind = call.header("Content-Type")
    return git_http.Request(
        method="POST" if call.method == "POST" else "GET",
        service=service,
        person=project_person(call),
        address=call.work.origin.address,
        protocol=call.header("Git-Protocol"),
        content_type=kind if kind == f"application/x-{service}-request" else "",
        encoding="gzip" if encoding.endswith("gzip") else "",
    )


async def _note(
    work: Work, project: ProjectRow, repository: Repository, commands: list[Command]
) -> None:
    """Write down which of the refs that a push named stand where it wanted them."""
    moved = [one for one in commands if await asyncio.to_thread(_took_effect, repository, one)]
    if not moved:
        return
    branch = await asyncio.to_thread(_first_branch, project, repository, moved)
    await work.write(_pushed, project.id, moved, branch)
    if branch is not None:
        await asyncio.to_thread(point_head, repository.path, branch)


def _took_effect(repository: Repository, command: Command) -> bool:
    if command.old == command.new or not command.ref.startswith("refs/"):
        return False
    if not rules.is_ref_name(command.ref):
        return False
    wanted = None if command.new == refs.ZERO else command.new
    return refs.current(repository, command.ref) == wanted


def _first_branch(project: ProjectRow, repository: Repository, moved: list[Command]) -> str | None:
    """Give the branch that becomes the default one: the only one of a first push."""
    if refs.branch_head(repository, project.default_branch) is not None:
        return None
    branches = [
        one.ref.removeprefix("refs/heads/")
        for one in moved
        if one.ref.startswith("refs/heads/") and one.old == refs.ZERO != one.new
    ]
    return branches[0] if len(branches) == 1 else None


def _pushed(tx: Transaction, project_id: str, moved: list[Command], branch: str | None) -> None:
    store.touch(tx, project_id)
    if branch is not None:
        store.change(tx, project_id, default_branch=branch, updated_at=tx.now)
    named = [
        {"ref": one.ref, "before": _or_none(one.old), "after": _or_none(one.new)}
        for one in moved[:SHOWN]
    ]
    told = {"moved": named, "count": len(moved)}
    audit.record(tx, "project.push", "project", project_id, project_id=project_id, after=told)
    events.publish(tx, "project.pushed", project_id, told, project_id=project_id)


def _or_none(commit: str) -> str | None:
    return None if commit == refs.ZERO else commit

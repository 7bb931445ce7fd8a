"""git over smart HTTP, for any git client with a token as its password.

Finds the project of an owner/name pair (a former one too), asks for the right by id, and hands
the call to `git_http`. A push is written down once git has moved the refs, whoever hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.core.database import Transaction
from services.core.errors import Conflict, NotFound, PublicError
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.projects import git_http, recording, rules, store
from services.projects.access import GIT, ProjectRow, authorize
from services.projects.git_http import Gate
from services.projects.intents import Intent, Intents, Plan
from services.projects.pushed import Commands
from services.projects.rules import Status
from services.projects.runtime import Repositories, Repository
from services.storage import Disk

Service = Literal["git-upload-pack", "git-receive-pack"]

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
    intent = await call.context.get(Intents).begun()
    push = _Push(call, request, project.id, intent)
    try:
        async with call.context.get(Gate).enter(project_person(call)):
            await git_http.serve(repository, request, push, keep=[intent.descriptor])
    finally:
        # git may have moved refs although the caller has gone: what is so is written down.
        await asyncio.shield(_record(push, repository))


async def _record(push: _Push, repository: Repository) -> None:
    async with push.intent.closing():
        await recording.push(push.work, push.project_id, repository, push.commands.found)


def project_person(call: Call) -> str:
    """Name who is asking, for the limit of calls at once."""
    return call.actor.person_id or call.actor.id


class _Push:
    """A call whose body is looked at as it passes: which refs it is to move."""

    def __init__(
        self, call: Call, request: git_http.Request, project_id: str, intent: Intent
    ) -> None:
        self.work, self.project_id, self.intent = call.work, project_id, intent
        self._pieces = call.stream
        self.commands = Commands(gzipped=bool(request.encoding))
        self.answer_with, self.send = call.answer_with, call.send

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body; what is to move is noted before git knows all of it."""
        noted = False
        async for piece in self._pieces():
            self.commands.feed(piece)
            if self.commands.done and not noted:
                commands = self.commands.found
                plan = Plan.of(self.work, "project.push", self.project_id, commands)
                await asyncio.to_thread(self.intent.say, plan)
                noted = True
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

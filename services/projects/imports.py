"""Repositories brought in from elsewhere: fetched in the background, whole or not at all.

A loop takes projects that are `importing`; after a restart it begins those anew. The fetch goes
into a folder of its own, which takes the place of the project's empty repository at the end.
The address is pinned (`outside`), nothing is followed, and size and time are limited.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from services.core import audit, events, loops
from services.core.database import Transaction
from services.core.errors import PublicError, Unavailable
from services.core.work import Work
from services.projects import refs, store
from services.projects.actions import BRANCH, IMPORTS, KIND
from services.projects.outside import Pinned, Refused, check_address, pin
from services.projects.rules import Status, is_ref_name
from services.projects.runtime import (
    GitFailed,
    OutputTooLarge,
    Repositories,
    Repository,
    make_bare,
    point_head,
)

log = logging.getLogger("smalti.imports")

SECONDS = 900.0
LOOK = 0.5
LEASE = 60.0
AT_ONCE = 3
PINS_FROM = (2, 37)  # the first git that knows http.curloptResolve; older ones ignore it
_HEAD = re.compile(r"ref: refs/heads/(\S+)\tHEAD")
_NOT_PUBLIC = "the repository asks for a password: only public ones can be imported"
_VERSION = re.compile(rb"git version (\d+)\.(\d+)")


class ImportFailed(Exception):
    """The import has ended; the text is the reason that people read."""


async def turn(work: Work) -> None:
    """Import what waits, a few at a time."""
    waiting = await work.read(store.importing, AT_ONCE)
    while waiting:
        await asyncio.gather(*(_one(work, row) for row in waiting))
        last, waiting = waiting, await work.read(store.importing, AT_ONCE)
        if {row.id for row in last} & {row.id for row in waiting}:
            return  # another process has these, or they will be tried in the next turn


async def _one(work: Work, row: Row[Any]) -> None:
    async with _held(work, row.id) as mine:
        if not mine:
            return
        try:
            branch = await _import(work, row.id, row.import_url)
        except (ImportFailed, PublicError) as error:
            await work.write(_end, row.id, Status.FAILED, str(error), None)
        else:
            await work.write(_end, row.id, Status.READY, None, branch)


@asynccontextmanager
async def _held(work: Work, project_id: str) -> AsyncIterator[bool]:
    """Hold this import against other platform processes, for as long as it takes."""
    if work.context.db.is_sqlite:
        yield True
        return
    name = f"import-{project_id}"
    if not await work.write(loops.take, name, loops.HOLDER, LEASE):
        yield False
        return
    renewing = asyncio.create_task(_renew(work, name))
    try:
        yield True
    finally:
        renewing.cancel()


async def _renew(work: Work, name: str) -> None:
    while True:
        await asyncio.sleep(LEASE / 4)
        await work.write(loops.take, name, loops.HOLDER, LEASE)


async def _import(work: Work, project_id: str, url: str) -> str:
    """Fetch into a fresh folder and put it in place. Returns the default branch."""
    repositories = work.context.get(Repositories)
    place = await pin(check_address(url, work.context.settings), work.context.settings)
    folder = repositories.folder / f".import-{project_id}-{os.getpid()}"
    await asyncio.to_thread(make_bare, folder, BRANCH)
    fetched = Repository(folder, repositories.git)
    try:
        await _check_version(fetched)
        try:
            branch = await _fetch(fetched, place, work.context.settings.import_max)
        except GitFailed as error:
            log.info("import failed", extra={"fields": {"project": project_id, "said": str(error)}})
            raise ImportFailed(reason(error.text)) from error
        point_head(folder, branch)
        await asyncio.to_thread(_put_in_place, repositories, project_id, folder)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)
    return branch


def _put_in_place(repositories: Repositories, project_id: str, folder: Path) -> None:
    repositories.remove(project_id)
    folder.rename(repositories.of(project_id).path)


async def _check_version(repository: Repository) -> None:
    found = _VERSION.match(await repository.run("version"))
    if found is None or (int(found[1]), int(found[2])) < PINS_FROM:
        raise ImportFailed("importing needs git 2.37 or newer on the platform's machine")


def _guarded(pinned: Pinned) -> list[str]:
    """Give the configuration under which git may call outside: one address, no detours."""
    pairs = {
        f"protocol.{pinned.place.scheme}.allow": "always",
        "http.curloptResolve": pinned.curl_resolve,
        "http.followRedirects": "false",  # also keeps git from following alternates
        "http.proxy": "",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "60",
        "http.cookieFile": "",
        "credential.helper": "",
        "transfer.bundleURI": "false",
        "fetch.fsckObjects": "true",
        "fetch.unpackLimit": "1",
    }
    return [part for key, value in pairs.items() for part in ("-c", f"{key}={value}")]


async def _fetch(repository: Repository, pinned: Pinned, most: int) -> str:
    guarded, url = _guarded(pinned), pinned.place.url
    try:
        answer = await repository.run(*guarded, "ls-remote", "--symref", "--", url, "HEAD")
    except OutputTooLarge as error:
        raise ImportFailed("the other side does not answer as git does") from error
    head = _HEAD.search(answer.decode(errors="replace"))
    fetch = asyncio.ensure_future(
        repository.run(
            *guarded,
            "fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance", "--no-tags",
            "--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
            seconds=SECONDS,
        )
    )  # fmt: skip
    try:
        while not (await asyncio.wait({fetch}, timeout=LOOK))[0]:
            if await asyncio.to_thread(size_of, repository.path) > most:
                raise ImportFailed(f"the repository is larger than {most} bytes")
        try:
            await fetch
        except Unavailable as error:
            raise ImportFailed(f"it took longer than {SECONDS:g} s") from error
    finally:
        fetch.cancel()
        with suppress(asyncio.CancelledError, GitFailed, PublicError):
            await fetch
    if await asyncio.to_thread(size_of, repository.path) > most:
        raise ImportFailed(f"the repository is larger than {most} bytes")
    return _branch(repository, head[1] if head else BRANCH)


def _branch(repository: Repository, wanted: str) -> str:
    there = is_ref_name(wanted) and refs.branch_head(repository, wanted) is not None
    return wanted if there else BRANCH


def size_of(folder: Path) -> int:
    """Add up the sizes of a folder's files, in bytes; files may come and go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def reason(text: str) -> str:
    """Say in plain words why git could not fetch; its own may name what people may not know."""
    for sign, words in (
        ("could not read Username", _NOT_PUBLIC),
        ("Authentication failed", _NOT_PUBLIC),
        ("not found", "there is no repository at this address"),
        ("returned error: 30", "the address leads elsewhere: give the address it leads to"),
        ("SSL", "the other side's certificate is not good"),
        ("Could not resolve", "the host cannot be found"),
        ("Failed to connect", "the host does not answer"),
        ("fsck", "the repository holds damaged or malicious objects"),
        ("No space left", "the disk is full"),
    ):  # fmt: skip
        if sign.lower() in text.lower():
            return words
    return "git could not fetch from this address"


def _end(
    tx: Transaction, project_id: str, status: Status, why: str | None, branch: str | None
) -> None:
    values: dict[str, Any] = {"status": status.value, "status_reason": why, "updated_at": tx.now}
    if branch is not None:
        values |= {"default_branch": branch, "changed_at": tx.now}
    store.change(tx, project_id, **values)
    after = {"status": status.value, "reason": why}
    audit.record(tx, "project.import", KIND, project_id, project_id=project_id, after=after)
    events.publish(
        tx, "project.changed", project_id, {"status": status.value}, project_id=project_id
    )


__all__ = ["IMPORTS", "ImportFailed", "Refused", "reason", "size_of", "turn"]

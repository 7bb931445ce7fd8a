"""Takes in what was done on the machine itself, by whoever owns the state folder.

`smalti-admin` works without the platform, so it leaves a file for each thing it does in
`platform/audit-spool`; here each becomes one row of the trail. A file is removed once its row
is committed; its name is the row's request id, so one that is met again is not taken twice.
What cannot be read is put aside as `.bad`, never thrown away.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from services import people
from services.audit import store
from services.core import audit
from services.core.actor import Actor
from services.core.database import Transaction
from services.core.loops import Loop
from services.core.rights import Principal
from services.core.work import Context, Origin, Work

log = logging.getLogger("smalti.audit")

SECONDS = 3.0
LARGEST = 64 << 10
AT_ONCE = 200
OPERATOR = "operator"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\.json")


class Spooled(BaseModel):
    """One file: what was done, by which account of the machine, to whom."""

    model_config = ConfigDict(extra="allow")

    action: str = Field(pattern=r"^[a-z_]{1,24}\.[a-z_]{1,36}$")
    who: str = Field(pattern=r"^[^\x00-\x1f]{1,100}$")
    target: str = Field(pattern=r"^[^\x00-\x1f]{1,255}$")
    at: AwareDatetime

    @field_validator("at")
    @classmethod
    def _in_utc(cls, value: datetime) -> datetime:
        return value.astimezone(UTC)


def folder_of(context: Context) -> Path:
    """Say where the files are."""
    return context.settings.platform_folder / "audit-spool"


async def take_all(work: Work) -> None:
    """Take in what is there, the oldest first: a turn of the loop."""
    for file in await asyncio.to_thread(_waiting, folder_of(work.context)):
        try:
            entry = await asyncio.to_thread(_read, file)
        except (ValueError, ValidationError):
            log.warning("put aside as unreadable: %s", file.name)
            await asyncio.to_thread(file.replace, file.with_suffix(".bad"))
            continue
        if entry is not None:
            await _take_one(work.context, file, entry)


async def _take_one(context: Context, file: Path, entry: Spooled) -> None:
    actor = Actor(Principal.SYSTEM, OPERATOR, f"{entry.who} on the machine")
    work = Work(context, actor, Origin(request_id=file.stem, means="spool"))
    await work.write(_record, entry)
    await asyncio.to_thread(file.unlink, missing_ok=True)


def _record(tx: Transaction, entry: Spooled) -> None:
    mark = Work.of(tx).origin.request_id
    person = people.by_name(tx, entry.target)
    # By name when the person never signed in: the row must not be lost with the file.
    target_id = person.id if person else entry.target[:64]
    if store.was_taken(tx, entry.target[:64], mark) or store.was_taken(tx, target_id, mark):
        return
    after = {**(entry.model_extra or {}), "name": entry.target, "at": entry.at.isoformat()}
    audit.record(tx, entry.action, "person", target_id, after=after)


def _waiting(folder: Path) -> list[Path]:
    try:
        files = [file for file in folder.iterdir() if _NAME.fullmatch(file.name)]
        return sorted(files, key=lambda file: (file.lstat().st_mtime_ns, file.name))[:AT_ONCE]
    except FileNotFoundError:  # none was ever written, or one is gone while we look
        return []


def _read(file: Path) -> Spooled | None:
    if file.is_symlink() or not file.is_file():
        raise ValueError("no plain file")
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    if len(text) > LARGEST:
        raise ValueError("too large")
    return Spooled.model_validate_json(text)


loops = (Loop("audit-spool", take_all, SECONDS),)

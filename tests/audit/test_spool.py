"""What was done on the machine gets into the trail: once, whole, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from services import people
from services.audit import spool
from services.core.bus import Bus
from services.core.database import Database, Transaction
from services.core.rights import PlatformRole
from services.core.settings import Settings
from services.core.tables import audit_events
from services.core.work import Context, Work

ENTRY = {
    "action": "token.issue",
    "who": "root",
    "target": "ada",
    "at": "2026-03-01T12:00:00.123Z",
}

UNREADABLE: list[Any] = [
    "",
    "{",
    "[]",
    "null",
    {},
    {**ENTRY, "action": "rm -rf"},
    {**ENTRY, "at": "2026-03-01T12:00:00"},
    {**ENTRY, "at": "soon"},
    {**ENTRY, "who": ""},
    {**ENTRY, "target": "a\x00b"},
    {**ENTRY, "target": "x" * 300},
    {**ENTRY, "more": "x" * (70 << 10)},
]


@pytest.fixture
def work(db: Database, tmp_path: Path) -> Work:
    return Work(Context(Settings(home=str(tmp_path)), db, Bus()))


@pytest.fixture
def folder(work: Work) -> Path:
    found = spool.folder_of(work.context)
    found.mkdir(parents=True)
    return found


def put(folder: Path, name: str, content: Any = ENTRY) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def trail(tx: Transaction) -> list[dict[str, Any]]:
    found = select(audit_events).order_by(audit_events.c.position)
    return [dict(row._mapping) for row in tx.all(found) if row.actor_id == spool.OPERATOR]


async def test_a_file_becomes_a_row_and_goes(work: Work, folder: Path) -> None:
    file = put(folder, "one.json", {**ENTRY, "expires_in": 3600})
    await spool.take_all(work)
    (row,) = await work.read(trail)
    assert (row["action"], row["target_kind"], row["target_id"]) == ("token.issue", "person", "ada")
    assert (row["actor_kind"], row["actor_name"]) == ("system", "root on the machine")
    assert row["after"] == {
        "expires_in": 3600,
        "name": "ada",
        "at": "2026-03-01T12:00:00.123000+00:00",
    }
    assert not file.exists()


async def test_a_person_is_recorded_by_id(work: Work, folder: Path) -> None:
    person_id = await work.write(people.enter, "ada", {PlatformRole.PRACTITIONER})
    put(folder, "one.json")
    await spool.take_all(work)
    assert [row["target_id"] for row in await work.read(trail)] == [person_id]


async def test_a_file_met_again_is_not_taken_twice(work: Work, folder: Path) -> None:
    put(folder, "one.json")
    await spool.take_all(work)
    # As after a crash between the commit and the removal; meanwhile she has signed in.
    await work.write(people.enter, "ada", {PlatformRole.PRACTITIONER})
    file = put(folder, "one.json")
    await spool.take_all(work)
    assert len(await work.read(trail)) == 1
    assert not file.exists()
    put(folder, "two.json")
    await spool.take_all(work)
    assert len(await work.read(trail)) == 2


async def test_what_cannot_be_read_is_put_aside_and_stops_nobody(work: Work, folder: Path) -> None:
    for number, content in enumerate(UNREADABLE):
        put(folder, f"bad-{number}.json", content)
    put(folder, "good.json")
    await spool.take_all(work)
    await spool.take_all(work)
    assert len(await work.read(trail)) == 1
    left = {file.name for file in folder.iterdir()}
    assert left == {f"bad-{number}.bad" for number in range(len(UNREADABLE))}


async def test_no_file_elsewhere_is_read(work: Work, folder: Path, tmp_path: Path) -> None:
    outside = put(tmp_path, "outside.json")
    (folder / "link.json").symlink_to(outside)
    put(folder, ".one.json.half")
    put(folder, "one.txt")
    (folder / "folder.json").mkdir()
    await spool.take_all(work)
    assert await work.read(trail) == []
    assert outside.exists()


async def test_without_a_folder_there_is_nothing_to_do(work: Work) -> None:
    await spool.take_all(work)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.binary())
def test_no_content_breaks_the_reading(content: Any) -> None:
    text = content if isinstance(content, bytes) else json.dumps({**ENTRY, "target": content})
    try:
        entry = spool.Spooled.model_validate_json(text)
    except ValidationError:
        return
    assert entry.action == "token.issue"
    assert 1 <= len(entry.target) <= 255

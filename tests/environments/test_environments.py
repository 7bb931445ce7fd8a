"""Environments: the default one's state follows its folder; the API; what runs resolve to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from services import environments
from services.core.actor import SYSTEM
from services.core.bus import Bus
from services.core.database import Database, Transaction
from services.core.errors import Unprocessable
from services.core.ids import new_id
from services.core.settings import Settings
from services.core.tables import audit_events
from services.core.work import Context, Work
from services.environments import RevisionStatus, default, store
from services.environments.rules import Found, digest_in, state_of
from tests.house import House

DIGEST = "ab" * 32


@pytest.fixture
def work(db: Database, tmp_path: Path) -> Work:
    return Work(Context(Settings(home=str(tmp_path)), db, Bus()), SYSTEM)


def build(home: Path, stamp: str | None = json.dumps({"digest": DIGEST})) -> None:
    folder = home / "environments" / "default" / "1"
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    if stamp is not None:
        (folder / ".smalti-environment.json").write_text(stamp)


async def resolved(
    work: Work, environment_id: str | None = None, revision: int | None = None
) -> environments.Resolved:
    return await work.read(environments.resolve, environment_id, revision)


async def test_it_is_building_until_its_folder_is_there(work: Work, tmp_path: Path) -> None:
    await work.write(environments.set_up)
    before = await resolved(work)
    assert (before.status, before.digest) == (RevisionStatus.BUILDING, "")
    assert before.reason == "being prepared on this machine"
    assert await work.read(environments.unready) == {("default", 1): before.reason}

    build(tmp_path)
    await default.refresh(work)
    after = await resolved(work)
    assert (after.name, after.revision, after.digest) == ("default", 1, DIGEST)
    assert (after.status, after.reason) == (RevisionStatus.READY, None)
    assert await work.read(environments.unready) == {}


async def test_starting_again_changes_nothing_and_sees_the_folder_at_once(
    work: Work, tmp_path: Path
) -> None:
    await work.write(environments.set_up)
    first = await resolved(work)
    build(tmp_path)
    await work.write(environments.set_up)
    second = await resolved(work)
    assert (second.id, second.status) == (first.id, RevisionStatus.READY)


async def test_only_a_change_is_written(work: Work, tmp_path: Path) -> None:
    def rows(tx: Transaction) -> int:
        return len(tx.all(select(audit_events.c.position)))

    await work.write(environments.set_up)
    for _ in range(3):
        await default.refresh(work)
    assert await work.read(rows) == 0
    build(tmp_path)
    for _ in range(3):
        await default.refresh(work)
    assert await work.read(rows) == 1


async def test_what_does_not_exist_is_refused(work: Work) -> None:
    await work.write(environments.set_up)
    known = (await resolved(work)).id
    assert (await resolved(work, known, 1)).revision == 1
    for environment_id, revision in ((new_id(), None), (known, 2), (known, 0), (None, 99)):
        with pytest.raises(Unprocessable):
            await resolved(work, environment_id, revision)


async def test_the_newest_ready_revision_is_meant(work: Work, tmp_path: Path) -> None:
    build(tmp_path)
    await work.write(environments.set_up)
    known = (await resolved(work)).id
    await work.write(store.insert_revision, known, 2, {"base": "default"}, "being built")
    assert (await resolved(work)).revision == 1
    assert (await resolved(work, known, 2)).status is RevisionStatus.BUILDING
    assert await work.read(environments.unready) == {("default", 2): "being built"}


@given(st.none() | st.text() | st.from_type(dict).map(str) | st.binary().map(repr))
def test_a_broken_stamp_has_no_digest_and_harms_nothing(stamp: str | None) -> None:
    assert digest_in(stamp) is None
    assert state_of(Found(True, stamp)).status is RevisionStatus.READY


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_a_digest_is_64_hex_digits(value: object) -> None:
    assert digest_in(json.dumps({"digest": value})) is None
    assert digest_in(json.dumps({"digest": DIGEST, "python": value})) == DIGEST


@pytest.fixture
async def api(house: House) -> tuple[House, str]:
    return house, await house.sign_in("ada")


async def test_list_and_show(api: tuple[House, str]) -> None:
    house, token = api
    answer = await house.call("GET", "/environments", as_=token)
    assert answer.status_code == 200
    (item,) = answer.json()["items"]
    assert (item["name"], item["revision"], item["status"]) == ("default", 1, "Ready")
    assert item["visibility"] == "internal"
    shown = await house.call("GET", f"/environments/{item['id']}", as_=token)
    assert shown.json() == item

    found = (await house.call("GET", "/environments?name=default", as_=token)).json()["items"]
    assert [one["id"] for one in found] == [item["id"]]
    assert (await house.call("GET", "/environments?name=x", as_=token)).json()["items"] == []


async def test_revisions(api: tuple[House, str]) -> None:
    house, token = api
    listed = await house.call("GET", "/environments", as_=token)
    base = f"/environments/{listed.json()['items'][0]['id']}/revisions"
    (revision,) = (await house.call("GET", base, as_=token)).json()["items"]
    assert (revision["number"], revision["status"]) == (1, "Ready")
    assert (await house.call("GET", f"{base}/1", as_=token)).json() == revision
    for number in ("2", "0", "-1", "x", "1.0", "²", "9" * 10, "9" * 400):
        assert (await house.call("GET", f"{base}/{number}", as_=token)).status_code == 404, number


async def test_unknown_ones_are_not_found_and_strangers_are_not_let_in(
    api: tuple[House, str],
) -> None:
    house, token = api
    for path in (new_id(), "x", "default", "%00x"):
        for tail in ("", "/revisions", "/revisions/1"):
            answer = await house.call("GET", f"/environments/{path}{tail}", as_=token)
            assert answer.status_code in (400, 404)
    assert (await house.call("GET", "/environments")).status_code == 401
    assert (await house.call("GET", "/environments?limit=0", as_=token)).status_code == 400
    assert (await house.call("GET", "/environments?what=1", as_=token)).status_code == 400

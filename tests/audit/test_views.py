"""The audit trail's views: pages, filters, export and the walk along the chain."""

from __future__ import annotations

import base64
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from services.audit import actions, forms
from services.audit.schemas import AuditExport, ExportFormat
from services.core import audit
from services.core.actor import Actor
from services.core.database import Transaction
from services.core.rights import PlatformRole, Principal
from services.core.tables import audit_events
from services.core.work import Origin, Work
from tests.house import House

ADMIN, SUPPORT = PlatformRole.ADMIN, PlatformRole.SUPPORT


def by(house: House, name: str) -> Work:
    actor = Actor(Principal.PERSON, name, name.title(), person_id=name)
    return Work(house.context, actor, Origin("127.0.0.1", f"request-{name}", "http"))


def do(tx: Transaction, number: int, **more: Any) -> None:
    target = more.pop("target_id", f"job-{number % 3}")
    action = more.pop("action", "job.start" if number % 2 else "job.stop")
    audit.record(tx, action, "job", target, after={"number": number}, **more)


async def fill(house: House, count: int) -> None:
    """Some rows by two people in two projects, after the house's own."""
    for number in range(count):
        work = by(house, ("ada", "bob")[number % 2])
        await work.write(do, number, project_id=("p1", "p2")[number // 2 % 2])


async def rows(house: House, token: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await house.call("GET", f"/audit-events?{query}{cursor}", as_=token)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def test_pages_come_newest_first_and_hold_everything(house_on_both: House) -> None:
    house = house_on_both
    token = await house.sign_in("root", ADMIN)
    await fill(house, 25)
    found = await rows(house, token, "limit=7")
    positions = [row["position"] for row in found]
    assert positions == sorted(positions, reverse=True)
    assert len(set(positions)) == len(positions)
    newest = found[0]
    assert newest["actor"] == {"kind": "person", "id": "ada", "name": "Ada", "person_id": "ada"}
    assert newest["target"] == {"kind": "job", "id": "job-0"}
    assert (newest["action"], newest["after"]) == ("job.stop", {"number": 24})
    assert (newest["address"], newest["request_id"]) == ("127.0.0.1", "request-ada")


async def test_filters(house_on_both: House) -> None:
    house = house_on_both
    token = await house.sign_in("root", ADMIN)
    await fill(house, 24)
    for query, name, expected in (
        ("person_id=ada", lambda row: row["actor"]["person_id"], "ada"),
        ("action=job.start", lambda row: row["action"], "job.start"),
        ("target_id=job-1", lambda row: row["target"]["id"], "job-1"),
        ("project_id=p2", lambda row: row["project_id"], "p2"),
    ):
        found = await rows(house, token, f"{query}&limit=5")
        everything = await rows(house, token)
        assert found == [row for row in everything if name(row) == expected], query
        assert len(found) >= 8
    both = await rows(house, token, "person_id=bob&project_id=p1&action=job.start")
    assert len(both) == 6
    assert await rows(house, token, "person_id=nobody") == []


async def test_times(house_on_both: House) -> None:
    house = house_on_both
    token = await house.sign_in("root", ADMIN)
    await fill(house, 12)
    everything = await rows(house, token)
    middle = everything[5]["at"]
    since = await rows(house, token, f"since={middle}&limit=2")
    until = await rows(house, token, f"until={middle}&limit=2")
    assert since + until == everything
    assert all(row["at"] >= middle for row in since)
    assert await rows(house, token, f"since={middle}&until={middle}") == []
    there = datetime.fromisoformat(middle).astimezone().isoformat().replace("+", "%2B")
    assert await rows(house, token, f"since={there}") == since
    assert len(await rows(house, token, f"since={middle}&person_id=ada")) <= len(since)


async def test_what_cannot_be_read_is_refused(house: House) -> None:
    token = await house.sign_in("root", ADMIN)
    for query in (
        "since=yesterday",
        "since=2026-01-01T00:00:00",
        "until=9999999999999999",
        "what=1",
        "limit=0",
        "since=0001-01-01T00:00:00%2B14:00",
        "cursor=x",
        "person_id=" + "x" * 100,
    ):
        answer = await house.call("GET", f"/audit-events?{query}", as_=token)
        assert answer.status_code == 400, query


async def test_export_gives_the_same_rows_oldest_first(
    house_on_both: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = house_on_both
    monkeypatch.setattr(actions, "PIECE", 4)
    token = await house.sign_in("root", ADMIN)
    await fill(house, 15)
    answer = await house.call("GET", "/audit-events/export", as_=token)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == (await rows(house, token))[::-1]
    narrowed = await house.call("GET", "/audit-events/export?person_id=ada", as_=token)
    assert len(narrowed.text.splitlines()) == 8


async def test_export_as_csv_is_harmless_to_spreadsheets(
    house_on_both: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = house_on_both
    monkeypatch.setattr(actions, "PIECE", 4)
    token = await house.sign_in("root", ADMIN)
    await fill(house, 9)
    names = ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", " =1", "\u202e=1", "＝1"]
    for name in [*names, 'plain, with "quotes"\nand a line']:
        actor = Actor(Principal.PERSON, "eve", name, person_id="eve")
        await Work(house.context, actor).write(do, 1, project_id="=cmd|'/c calc'!A0")
    answer = await house.call("GET", "/audit-events/export?format=csv", as_=token)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="audit-events.csv"' in answer.headers["Content-Disposition"]
    written = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert tuple(written[0]) == forms.COLUMNS
    expected = (await rows(house, token))[::-1]
    assert [int(row["position"]) for row in written] == [row["position"] for row in expected]
    for row, one in zip(written, expected, strict=True):
        assert row["after"] == json.dumps(one["after"], ensure_ascii=False)
        assert (row["hash"], row["at"]) == (one["hash"], one["at"])
        assert row["actor_name"].removeprefix("'") == one["actor"]["name"]
    hostile = [row for row in written if row["actor_id"] == "eve"]
    assert [row["actor_name"] for row in hostile[:-1]] == [f"'{name}" for name in names]
    assert hostile[-1]["actor_name"] == 'plain, with "quotes"\nand a line'
    assert {row["project_id"] for row in hostile} == {"'=cmd|'/c calc'!A0"}
    path = "/audit-events/export?format=csv&person_id=ada"
    narrowed = (await house.call("GET", path, as_=token)).text
    assert {row["person_id"] for row in csv.DictReader(io.StringIO(narrowed))} == {"ada"}
    assert (
        await house.call("GET", "/audit-events/export?format=xls", as_=token)
    ).status_code == 400


async def test_an_export_holds_one_piece_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "PIECE", 4)
    await house.sign_in("root", ADMIN)
    await fill(house, 40)
    work = by(house, "root")
    for kind in ExportFormat:
        pieces = [piece async for piece in actions.export(work, AuditExport(format=kind))]
        assert len(pieces) > 10
        assert max(piece.count(b"\n") for piece in pieces) <= 4


async def test_only_admins_and_support_read_it(house: House) -> None:
    for path in ("/audit-events", "/audit-events/export", "/audit-events/verify"):
        for role, status in ((ADMIN, 200), (SUPPORT, 200), (PlatformRole.PRACTITIONER, 403)):
            token = await house.sign_in(f"a-{role.value}-{path[-3:]}", role)
            assert (await house.call("GET", path, as_=token)).status_code == status
        assert (await house.call("GET", path)).status_code == 401


def change(tx: Transaction, position: int, **values: Any) -> None:
    tx.execute(update(audit_events).where(audit_events.c.position == position).values(values))


def take_away(tx: Transaction, position: int) -> None:
    tx.execute(delete(audit_events).where(audit_events.c.position == position))


def smuggle(tx: Transaction, position: int) -> None:
    """Put in a row that was never recorded, with a hash of its own that is right in itself."""
    copied = tx.one(select(audit_events).where(audit_events.c.position == position))
    values = dict(copied._mapping)
    values.update(id="0" * 36, action="job.smuggled")
    del values["position"]
    values["hash"] = audit.chain_hash(values)
    tx.execute(insert(audit_events).values(values))


async def test_the_chain(house_on_both: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house = house_on_both
    monkeypatch.setattr(actions, "PIECE", 4)
    token = await house.sign_in("root", ADMIN)
    await fill(house, 22)
    everything = await rows(house, token)

    async def verified() -> dict[str, Any]:
        found: dict[str, Any] = (await house.call("GET", "/audit-events/verify", as_=token)).json()
        return found

    right = await verified()
    assert (right["ok"], right["wrong_position"]) == (True, None)
    assert (right["checked"], right["head"]) == (len(everything), everything[0]["hash"])

    third = everything[-3]
    await house.context.db.write(change, third["position"], actor_name="Somebody else")
    assert await verified() == {
        "ok": False,
        "checked": 2,
        "wrong_position": third["position"],
        "head": everything[-2]["hash"],
    }
    await house.context.db.write(change, third["position"], actor_name=third["actor"]["name"])
    assert (await verified())["ok"]

    await house.context.db.write(smuggle, everything[4]["position"])
    assert (await verified())["wrong_position"] == everything[0]["position"] + 1
    await house.context.db.write(take_away, everything[0]["position"] + 1)
    await house.context.db.write(take_away, everything[6]["position"])
    assert (await verified())["wrong_position"] == everything[5]["position"]


async def test_every_filter_uses_an_index(house: House) -> None:
    query = {
        "person_id": "ada", "action": "job.start", "target_id": "x", "project_id": "p",
    }  # fmt: skip
    for name, value in query.items():
        plan = await house.context.db.read(explain, f"{name} = '{value}' ORDER BY position DESC")
        assert f"USING INDEX ix_audit_events_{name.removesuffix('_id')}" in plan, plan
        assert "TEMP B-TREE" not in plan
    day = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    plan = await house.context.db.read(explain, f"at > '{day}' ORDER BY at DESC, position DESC")
    assert "USING INDEX ix_audit_events_at" in plan
    assert "TEMP B-TREE" not in plan


def explain(tx: Transaction, condition: str) -> str:
    sql = f"EXPLAIN QUERY PLAN SELECT * FROM audit_events WHERE {condition} LIMIT 51"
    return " ".join(str(row) for row in tx.all(text(sql)))


async def test_no_forged_cursor_breaks_the_list(house_on_both: House) -> None:
    house = house_on_both
    token = await house.sign_in("root", ADMIN)
    for values in (
        [True], [None], ["1"], [1.5], [2**63], [-(2**70)], [[1]], [{}], [], [1, 2], 7, "x", None,
    ):  # fmt: skip
        cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
        answer = await house.call("GET", f"/audit-events?cursor={cursor}", as_=token)
        assert answer.status_code == 400, values
    for at in ("x", 5, None, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\ud800"):
        cursor = base64.urlsafe_b64encode(json.dumps([at, 1]).encode()).decode()
        query = f"/audit-events?until=2030-01-01T00:00:00Z&cursor={cursor}"
        assert (await house.call("GET", query, as_=token)).status_code == 400, at

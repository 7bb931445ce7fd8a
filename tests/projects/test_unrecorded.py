"""What git moved and the database does not have: recorded afterwards, once, as whoever did it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from services.core import audit, events
from services.core.actor import SYSTEM
from services.core.tables import audit_events
from services.core.tables import events as events_table
from services.projects import recording
from services.projects.intents import Intents, Plan
from services.projects.pushed import Command
from services.projects.refs import ZERO
from tests.projects.git import Client, address
from tests.projects.made import Made

LATE = {"recorded_late": True}
MOVES = (recording.PUSH, "file.write", "file.remove", "branch.create")


@contextmanager
def crashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lose the transaction that records, as a crash between git and the database does."""

    def lost(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", lost)
        yield


async def settle(made: Made) -> None:
    """Let the loop take its turn."""
    await recording.turn(made.house.work(SYSTEM))


async def trail(made: Made) -> list[Any]:
    """Read what the trail says of moved refs."""
    mine = (audit_events.c.project_id == made.id) & audit_events.c.action.in_(MOVES)
    query = select(audit_events).where(mine).order_by(audit_events.c.position)
    return list(await made.house.context.db.read(lambda tx: tx.execute(query).all()))


async def moved(made: Made) -> list[Any]:
    """Read what the event stream says of moved refs."""
    pushed = events_table.c.kind == "project.pushed"
    query = select(events_table.c.data).where(pushed).order_by(events_table.c.position)
    rows = await made.house.context.db.read(lambda tx: tx.execute(query).all())
    return [row.data["moved"] for row in rows]


def notes(made: Made) -> list[str]:
    """List the notes on disk."""
    folder = made.house.home / "platform" / "git-intents"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


async def test_nothing_is_left_of_what_went_well(made: Made, client: Client) -> None:
    assert (await made.put("a", b"1")).status_code == 200
    assert (await made.call("POST", "/branches", json={"name": "side"})).status_code == 201
    assert (await made.call("POST", "/branches", json={"name": "side"})).status_code == 409
    await client.ok("clone", "-q", address(made.house, "alice/wine", made.token), "work")
    await client.commit("work", {"b": b"2"})
    await client.ok("push", "-q", "origin", "main", at="work")
    assert notes(made) == []
    before = await trail(made)
    await settle(made)
    assert await trail(made) == before


async def test_an_edit_is_recorded_late(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    first = (await made.put("a", b"1")).json()["id"]
    with crashing(monkeypatch):
        assert (await made.put("a", b"2")).status_code == 500
        assert (await made.call("DELETE", "/content/a")).status_code == 500
        branched = await made.call("POST", "/branches", json={"name": "side"})
        assert branched.status_code == 500
    assert len(notes(made)) == 3
    await settle(made)
    commits = (await made.call("GET", "/commits")).json()["items"]
    last, second, _ = (one["id"] for one in commits)
    rows = (await trail(made))[1:]
    assert [(row.action, row.actor_name, row.after) for row in rows] == [
        ("file.write", "alice", {"branch": "main", "path": "a", "commit": second} | LATE),
        ("file.remove", "alice", {"branch": "main", "path": "a", "commit": last} | LATE),
        ("branch.create", "alice", {"branch": "side", "commit": last} | LATE),
    ]
    assert rows[0].before == {"commit": first}
    assert all(row.request_id and row.person_id == row.actor_id for row in rows)
    assert (await moved(made))[-1] == [{"ref": "refs/heads/side", "before": None, "after": last}]
    assert notes(made) == []
    await settle(made)
    assert len(await trail(made)) == 4


async def test_a_push_is_recorded_late(
    made: Made, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.ok("clone", "-q", address(made.house, "alice/wine", made.token), "work")
    commit = await client.commit("work", {"a": b"1"})
    with crashing(monkeypatch):
        await client.run("push", "-q", "origin", "HEAD:refs/heads/trunk", at="work")
    assert await trail(made) == []
    await settle(made)
    [row] = await trail(made)
    told = [{"ref": "refs/heads/trunk", "before": None, "after": commit}]
    assert (row.action, row.actor_name) == (recording.PUSH, "alice")
    assert row.after == {"moved": told, "count": 1, "recorded_late": True}
    # The only branch of a first push becomes the default one, late as well.
    assert (await made.call("GET")).json()["default_branch"] == "trunk"
    assert (made.path / "HEAD").read_text() == "ref: refs/heads/trunk\n"
    assert notes(made) == []


async def test_what_was_recorded_before_the_crash_is_not_told_twice(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("services.projects.intents.Intent.settle", lambda self: self.leave())
        assert (await made.put("a", b"1")).status_code == 200
    assert len(notes(made)) == 1
    await settle(made)
    assert len(await trail(made)) == 1
    assert notes(made) == []


async def test_what_git_never_did_is_not_told(made: Made) -> None:
    first = (await made.put("a", b"1")).json()["id"]
    second = (await made.put("a", b"2")).json()["id"]
    for command in (
        Command("refs/heads/main", second, "f" * 40),  # never arrived
        Command("refs/heads/main", second, first),  # to be moved back
        Command("refs/heads/side", ZERO, first),
        Command("refs/heads/main", second, ZERO),
        Command("refs/heads/main", first, "--all"),
        Command("refs/heads/../../config", ZERO, first),
        Command("main", ZERO, first),
    ):
        intent = made.house.context.get(Intents).begin()
        intent.say(Plan.of(made.house.work(SYSTEM), recording.PUSH, made.id, [command]))
        intent.leave()
    empty = made.house.context.get(Intents).begin()
    empty.leave()
    torn = made.house.context.get(Intents).begin()
    torn.path.write_text('{"action": "project.p')
    torn.leave()
    await settle(made)
    assert len(await trail(made)) == 2
    assert notes(made) == []


async def test_a_branch_that_has_moved_on_was_moved_all_the_same(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crashing(monkeypatch):
        await made.put("a", b"1")
    await made.put("a", b"2")
    await settle(made)
    assert [row.after.get("recorded_late") for row in await trail(made)] == [None, True]


async def test_what_git_still_works_at_is_waited_for(made: Made) -> None:
    intents = made.house.context.get(Intents)
    intent = intents.begin()
    intent.say(Plan.of(made.house.work(SYSTEM), recording.PUSH, made.id, []))
    with subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, pass_fds=[intent.descriptor]
    ) as outliving:
        intent.leave()  # the platform was killed, git goes on
        assert list(intents.left()) == []
        assert outliving.stdin
        outliving.stdin.close()
    assert [one.path for one in intents.left()] == [intent.path]


async def test_a_project_that_is_gone_is_not_told_of(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(events, "publish", lambda *_, **__: 1 / 0)
        assert (await made.put("a", b"1")).status_code == 500
    assert (await made.call("DELETE")).status_code in (200, 204)
    await settle(made)
    assert await trail(made) == []
    assert notes(made) == []

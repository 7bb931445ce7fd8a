"""git over HTTP, with the real git client."""

from __future__ import annotations

import os

from sqlalchemy import select

from services import projects
from services.core.tables import audit_events, events
from tests.projects.git import Client, address
from tests.projects.made import Made


async def test_clone_push_resolve(made: Made, client: Client) -> None:
    url = address(made.house, "alice/wine", made.token)
    await client.ok("clone", "-q", url, "work")
    first = await client.commit("work", {"a.txt": b"one\n", "b/c.bin": os.urandom(3000)})
    await client.ok("push", "-q", "origin", "main", at="work")
    await client.ok("tag", "-a", "v1", "-m", "first", at="work")
    second = await client.commit("work", {"a.txt": b"two\n"})
    await client.ok("push", "-q", "origin", "main", "v1", at="work")
    assert await client.ok("ls-remote", url, "refs/heads/main") == f"{second}\trefs/heads/main"
    await client.ok("clone", "-q", url, "again")
    assert (client.folder / "again" / "a.txt").read_bytes() == b"two\n"
    context = made.house.context
    for ref, commit in (("main", second), ("v1", first), (first[:9], first), (second, second)):
        assert await projects.resolve_commit(context, made.id, ref) == commit


async def test_a_push_is_in_the_trail_and_told(made: Made, client: Client) -> None:
    url = address(made.house, "alice/wine", made.token)
    await client.ok("clone", "-q", url, "work")
    commit = await client.commit("work", {"a": b"1"})
    await client.ok("push", "-q", "origin", "main", at="work")
    rows = made.house.context.db.read_now(
        lambda tx: tx.all(select(audit_events).where(audit_events.c.action == "project.push"))
    )
    moved = {"moved": [{"ref": "refs/heads/main", "before": None, "after": commit}], "count": 1}
    assert [(row.actor_name, row.after) for row in rows] == [("alice", moved)]
    told = made.house.context.db.read_now(
        lambda tx: tx.all(select(events.c.data).where(events.c.kind == "project.pushed"))
    )
    assert [row.data for row in told] == [moved]

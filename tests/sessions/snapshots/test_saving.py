"""A live session's files are saved as they change, by a real agent over a real platform."""

from __future__ import annotations

from services.core.ids import new_id
from spawners.fakes import HOLD, FakeRuntime
from tests.sessions.snapshots.conftest import Bench, git


async def test_what_changes_is_safe_within_seconds(bench: Bench) -> None:
    bench.start_agent()
    await bench.start_session()
    first = await bench.snapshot()
    assert first["number"] == 1
    assert first["parent"] == bench.commit
    assert first["changed"] is False
    assert (bench.project / "main.py").read_bytes() == await bench.content(1, "main.py")
    (bench.project / "new").mkdir()
    (bench.project / "new" / "notes.txt").write_text("draft")
    (bench.project / "main.py").write_text("print(2)\n")
    number = await bench.safe("new/notes.txt", b"draft")
    assert await bench.safe("main.py", b"print(2)\n") >= number
    newest = await bench.snapshot()
    assert newest["changed"] is True
    assert newest["files"] == 3
    (bench.project / "data" / "a.csv").unlink()
    gone = await bench.snapshot(lambda one: one["files"] == 2)
    assert await bench.content(gone["number"], "data/a.csv") is None
    assert await bench.content(1, "data/a.csv") == b"1,2\n"


async def test_commits_that_were_never_pushed_are_safe_too(live: Bench) -> None:
    (live.project / "main.py").write_text("print(3)\n")
    git(live.project, "commit", "-q", "-a", "-m", "mine alone")
    head = git(live.project, "rev-parse", "HEAD")
    saved = await live.snapshot(lambda one: one["parent"] == head)
    assert saved["changed"] is False
    store = live.house.home / "platform" / "snapshots" / f"{live.workspace_id}.git"
    assert git(store, "log", "-1", "--format=%s", head) == "mine alone"
    project = live.house.home / "platform" / "git" / f"{live.project_id}.git"
    assert saved["commit"] not in git(project, "rev-list", "--all")


async def test_the_last_state_is_saved_before_the_session_is_over(live: Bench) -> None:
    (live.project / "last.txt").write_text("the very last")
    await live.stop_session()
    found = (await live.snapshots())[0]
    assert await live.content(found["number"], "last.txt") == b"the very last"


async def test_a_new_agent_goes_on_where_the_old_one_was_killed(live: Bench) -> None:
    before = await live.snapshot()
    await live.end_agent()
    (live.project / "meanwhile.txt").write_text("written while no agent was there")
    live.start_agent(FakeRuntime(HOLD, after=live.runtime))
    number = await live.safe("meanwhile.txt", b"written while no agent was there")
    assert number == before["number"] + 1


async def test_nobody_else_sees_a_snapshot(live: Bench) -> None:
    other = await live.house.sign_in("eve")
    person = live.house.tokens.actors[other].id
    body = {"person": person, "role": "contributor"}
    await live.call("POST", f"/projects/{live.project_id}/members", json=body)
    (live.project / "secret.txt").write_text("mine")
    await live.safe("secret.txt", b"mine")
    saved = (await live.snapshots())[0]
    for path in (
        f"/workspaces/{live.workspace_id}/snapshots",
        f"/workspaces/{live.workspace_id}/snapshots/{saved['number']}",
        f"/workspaces/{live.workspace_id}/snapshots/{saved['number']}/files",
        f"/workspaces/{live.workspace_id}/snapshots/{saved['number']}/content/secret.txt",
        f"/workspaces/{new_id()}/snapshots",
    ):
        answer = await live.house.call("GET", path, as_=other)
        assert answer.status_code == 404, path
    for ref in (saved["commit"], saved["commit"][:8]):
        answer = await live.house.call(
            "GET", f"/projects/{live.project_id}/files?ref={ref}", as_=other
        )
        assert answer.status_code == 404, ref

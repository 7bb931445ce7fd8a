"""What snapshots are for: a job of one, a branch of one, going back to one, asking for one now."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import update

from services import workloads
from services.core.work import Work
from services.sessions import snapshots
from tests.sessions.snapshots.conftest import Bench, git


async def start_job(live: Bench, **more: object) -> dict[str, object]:
    """Start a job of the workspace."""
    body = {"project_id": live.project_id, "command": ["true"], **more}
    made: dict[str, object] = (await live.call("POST", "/jobs", json=body)).json()
    return made


async def test_a_snapshot_is_taken_when_it_is_asked_for(live: Bench) -> None:
    path = f"/workspaces/{live.workspace_id}/snapshots"
    (live.project / "now.txt").write_text("now")
    began = time.monotonic()
    asked = (await live.call("POST", path)).json()
    assert time.monotonic() - began < 5
    assert await live.content(asked["number"], "now.txt") == b"now"
    again = (await live.call("POST", path)).json()  # nothing has changed: the same one
    assert again["number"] == asked["number"]
    many = await asyncio.gather(*(live.call("POST", path) for _ in range(5)))
    assert {one.json()["number"] for one in many} == {asked["number"]}


async def test_it_is_taken_before_the_platform_has_heard_that_the_session_runs(live: Bench) -> None:
    await live.until_started()
    table = workloads.workloads
    unheard = update(table).where(table.c.id == live.run_id).values(started_at=None)
    await Work(live.house.context).write(lambda tx: tx.execute(unheard))
    (live.project / "early.txt").write_text("early")
    asked = (await live.call("POST", f"/workspaces/{live.workspace_id}/snapshots")).json()
    assert await live.content(asked["number"], "early.txt") == b"early"


async def test_a_job_runs_the_files_as_they_are(live: Bench) -> None:
    clean = await start_job(live, workspace_id=live.workspace_id)
    assert clean["commit"] == clean["ref"] == live.commit
    (live.project / "main.py").write_text("print('uncommitted')\n")
    job = await start_job(live, workspace_id=live.workspace_id, command=None, file="main.py")
    newest = (await live.snapshots())[0]
    assert job["commit"] == newest["commit"]
    assert job["ref"] == f"snapshot {newest['number']}"
    files = f"/projects/{live.project_id}/content/main.py?ref={job['commit']}"
    assert (await live.call("GET", files)).content == b"print('uncommitted')\n"
    # By the session's own id too, which is what a program in it knows.
    same = await start_job(live, workspace_id=live.run_id)
    assert same["commit"] == newest["commit"]
    early = await start_job(live, workspace_id=live.workspace_id, snapshot=1)
    assert early["commit"] == live.commit
    # The agent fetches it like the code of any job.
    await live.until(lambda: any(s.workdir.exists() for s in live.runtime.started[1:]))
    async with asyncio.timeout(20):
        while True:
            ran = [s for s in live.runtime.started if s.key.workload_id == job["id"]]
            if ran:
                break
            await asyncio.sleep(0.02)
    assert (ran[0].workdir / "main.py").read_text() == "print('uncommitted')\n"


async def test_a_job_of_another_persons_workspace_or_project_is_refused(live: Bench) -> None:
    eve = await live.house.sign_in("eve")
    person = live.house.tokens.actors[eve].id
    body = {"person": person, "role": "contributor"}
    await live.call("POST", f"/projects/{live.project_id}/members", json=body)
    job = {"project_id": live.project_id, "command": ["true"], "workspace_id": live.workspace_id}
    for key in (live.workspace_id, live.run_id):
        answer = await live.house.call("POST", "/jobs", as_=eve, json={**job, "workspace_id": key})
        assert answer.status_code == 404
    other = (await live.call("POST", "/projects", json={"name": "other"})).json()["id"]
    answer = await live.house.call(
        "POST", "/jobs", as_=live.token, json={**job, "project_id": other}
    )
    assert answer.status_code == 422
    for more in ({"ref": "main"}, {"workspace_id": None, "snapshot": 1}):
        answer = await live.house.call("POST", "/jobs", as_=live.token, json={**job, **more})
        assert answer.status_code == 422


async def test_a_snapshot_opens_beside_as_a_branch(live: Bench) -> None:
    (live.project / "idea.py").write_text("x = 1\n")
    number = await live.safe("idea.py", b"x = 1\n")
    path = f"/workspaces/{live.workspace_id}/snapshots/{number}/branch"
    made = (await live.call("POST", path, json={"name": "idea"})).json()
    files = f"/projects/{live.project_id}/files?ref=idea"
    items = (await live.call("GET", files)).json()["items"]
    assert "idea.py" in [one["name"] for one in items]
    assert made["commit"] == (await live.call("GET", files)).json()["commit"]
    taken = await live.house.call("POST", path, as_=live.token, json={"name": "idea"})
    assert taken.status_code == 409
    bad = await live.house.call("POST", path, as_=live.token, json={"name": "../x"})
    assert bad.status_code == 422


async def test_a_stopped_workspace_goes_back(live: Bench) -> None:
    (live.project / "main.py").write_text("print('good')\n")
    good = await live.safe("main.py", b"print('good')\n")
    (live.project / "main.py").write_text("print('bad')\n")
    await live.safe("main.py", b"print('bad')\n")
    path = f"/workspaces/{live.workspace_id}/restore"
    runs = await live.house.call("POST", path, as_=live.token, json={"number": good})
    assert runs.status_code == 409
    assert "stop it first" in runs.json()["error"]["message"]
    await live.stop_session()
    none = await live.house.call("POST", path, as_=live.token, json={"number": 999})
    assert none.status_code == 404
    asked = (await live.call("POST", path, json={"number": good})).json()
    work = Work(live.house.context)
    commit = await work.read(snapshots.restore_for_start, live.workspace_id)
    assert commit == asked["commit"]
    await work.write(snapshots.restored, live.workspace_id, "0" * 40)  # that was another one
    assert await work.read(snapshots.restore_for_start, live.workspace_id) == commit
    await work.write(snapshots.restored, live.workspace_id, asked["commit"])
    assert await work.read(snapshots.restore_for_start, live.workspace_id) is None
    # It is in the project's repository, where an agent can fetch it, and not shown there.
    bare = live.house.home / "platform" / "git" / f"{live.project_id}.git"
    assert git(bare, "show", f"{commit}:main.py") == "print('good')"
    origin = f"http://x:{live.token}@127.0.0.1:{live.house.port}"
    listed = await asyncio.to_thread(
        git, live.home, "ls-remote", f"{origin}/services/smalti/git/ada/wine.git"
    )
    assert "refs/smalti" not in listed
    short = await live.house.call(
        "GET", f"/projects/{live.project_id}/files?ref={commit[:10]}", as_=live.token
    )
    assert short.status_code == 404


async def test_nobody_pushes_to_what_is_ours(live: Bench) -> None:
    url = f"http://x:{live.token}@127.0.0.1:{live.house.port}/services/smalti/git/ada/wine.git"
    for ref in ("refs/smalti/kept/x", "refs/smalti/restores/x"):
        process = await asyncio.create_subprocess_exec(
            "git", "push", url, f"HEAD:{ref}", cwd=live.project, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        assert process.returncode != 0
        assert b"hidden ref" in said


async def test_a_deleted_workspace_leaves_nothing(live: Bench) -> None:
    await live.stop_session()
    await snapshots.forget(Work(live.house.context), live.workspace_id)
    assert await live.snapshots() == []
    assert not list((live.house.home / "platform" / "snapshots").iterdir())

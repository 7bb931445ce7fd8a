"""The life of a run, from the control plane's command to its being forgotten."""

from __future__ import annotations

import subprocess
from pathlib import Path

from services.planes.protocol import Outcome, Phase, RunOrder
from spawners.fakes import HOLD, BrokenRuntime, FakeRuntime, Script, SlowRuntime
from spawners.runtime import RunEnd, RunKey, RunPhase
from tests.planes.agent.conftest import Plane, make_order, until
from tests.planes.agent.control import Control
from tests.planes.agent.gitserver import TOKEN, GitServer


async def test_job_runs_and_is_forgotten(plane: Plane, control: Control, order: RunOrder) -> None:
    script = Script(log=b"one\ntwo\n", outputs={"m.json": b"{}", "d/e.txt": b"x" * 5000})
    runtime = plane.start(FakeRuntime(script))
    await control.run("w1", order)
    final = await control.final("w1")
    assert (final.outcome, final.exit_code, final.reason) == (Outcome.SUCCEEDED, 0, None)
    assert final.last_lines == "one\ntwo"
    assert [entry.path for entry in final.outputs or []] == ["d/e.txt", "m.json"] or [
        entry.path for entry in final.outputs or []
    ] == ["m.json", "d/e.txt"]
    assert control.log("w1") == b"one\ntwo\n"
    assert control.outputs["w1", 1]["d/e.txt"] == b"x" * 5000
    await plane.settled()
    assert runtime.states() == []


async def test_run_finds_its_code_and_names(
    plane: Plane, control: Control, order: RunOrder, commit: str
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order.model_copy(update={"env": {"A": "b", "SMALTI_TOKEN": "no"}}))
    await control.phase("w1", Phase.RUNNING)
    [spec] = runtime.started
    assert (spec.workdir / "main.py").read_bytes() == b"print('hello')\n"
    assert ask_git(spec.workdir, "log", "-1", "--format=%H %s") == f"{commit} commit of 2\n"
    assert ask_git(spec.workdir, "status", "--porcelain") == ""
    assert spec.env["A"] == "b"
    assert spec.env["SMALTI_TOKEN"] == TOKEN
    assert spec.env["SMALTI_COMMIT"] == commit
    assert spec.env["SMALTI_OUTPUTS"] == str(spec.outputs)
    assert plane.home / "agent" / "cache" / "git" / "proj.git" / "objects" in spec.readable
    desired = plane.home / "agent" / "desired" / "w1.json"
    assert desired.stat().st_mode & 0o777 == 0o600


def ask_git(folder: Path, *arguments: str) -> str:
    """Run git as a program in the run would."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout + done.stderr


async def test_run_may_commit_and_the_cache_does_not_change(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    folder = runtime.started[0].workdir
    objects = plane.home / "agent" / "cache" / "git" / "proj.git" / "objects"
    before = sorted(objects.rglob("*"))
    (folder / "new").write_text("new")
    ask_git(folder, "checkout", "-q", "-b", "mine")
    ask_git(folder, "add", "new")
    ask_git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "mine")
    assert ask_git(folder, "log", "-1", "--format=%s") == "mine\n"
    assert sorted(objects.rglob("*")) == before


async def test_commit_is_fetched_once_and_runs_do_not_share_files(
    plane: Plane, control: Control, git: GitServer, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    (runtime.started[0].workdir / "main.py").write_bytes(b"changed")
    fetches = git.fetches
    await control.run("w2", order)
    await control.phase("w2", Phase.RUNNING)
    assert git.fetches == fetches
    assert (runtime.started[1].workdir / "main.py").read_bytes() == b"print('hello')\n"


async def test_missing_commit_environment_and_file_are_errors_with_reasons(
    plane: Plane, control: Control, order: RunOrder, commit: str
) -> None:
    plane.start()
    await control.run("w1", make_order("0" * 39 + "1"))
    elsewhere = order.environment.model_copy(update={"revision": 7})
    await control.run("w2", order.model_copy(update={"environment": elsewhere}))
    await control.run("w3", make_order(commit, file="nope.py"))
    await control.run("w4", make_order(commit, file="../main.py"))
    await control.run("w5", make_order(commit, file="data/x.csv"))
    await control.run("w6", order.model_copy(update={"token": "sml_wrong"}))
    wanted = {
        "w1": ("commit 000000000000 is not in the project", False),
        "w2": ("environment default revision 7 is not on this plane", False),
        "w3": (f"there is no file nope.py at commit {commit[:12]}", False),
        "w4": ("../main.py is not a path within the project", False),
        "w5": ("files ending in '.csv' cannot be run: data/x.csv", False),
    }
    for name, (reason, retryable) in wanted.items():
        final = await control.final(name)
        assert (final.outcome, final.reason) == (Outcome.ERROR, reason)
        assert final.retryable is retryable
    await control.final("w6")
    await plane.settled()


async def test_refused_token_is_told(plane: Plane, control: Control, order: RunOrder) -> None:
    plane.start()
    await control.run("w1", order.model_copy(update={"token": "sml_wrong"}))
    final = await control.final("w1")
    assert final.reason == "the project's repository did not accept the run's token"
    assert final.retryable


async def test_ends_are_told(plane: Plane, control: Control, order: RunOrder) -> None:
    scripts = {
        "w1": Script(exit_code=3),
        "w2": Script(exit_code=-11),
        "w3": Script(exit_code=-9, end=RunEnd.TIME_LIMIT),
        "w4": Script(exit_code=-9, end=RunEnd.OUT_OF_MEMORY),
        "w5": Script(exit_code=127, end=RunEnd.NOT_STARTED, reason="no such program: foo"),
    }
    plane.start(FakeRuntime(lambda spec: scripts[spec.key.workload_id]))
    for name in scripts:
        await control.run(name, order.model_copy(update={"timeout": 60.0}))
    reasons = [(await control.final(name)).reason for name in scripts]
    assert reasons == [
        "exit code 3",
        "killed by SIGSEGV",
        "time limit of 60 s reached",
        "memory limit of 512 MiB reached",
        "no such program: foo",
    ]
    assert all(report.outcome is Outcome.FAILED for report in control.finals.values())


async def test_stop_ends_a_run(plane: Plane, control: Control, order: RunOrder) -> None:
    plane.start(FakeRuntime(Script(hold=True, log=b"x", outputs={"a": b"1"})))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    await control.stop_run("w1")
    final = await control.final("w1")
    assert (final.outcome, final.reason) == (Outcome.STOPPED, "stopped on request")
    assert [entry.path for entry in final.outputs or []] == ["a"]
    await plane.settled()


async def test_stop_before_start(plane: Plane, control: Control, order: RunOrder) -> None:
    await control.run("w1", order)
    await control.stop_run("w1")
    runtime = plane.start()
    final = await control.final("w1")
    assert (final.outcome, final.reason) == (Outcome.STOPPED, "stopped before it was started")
    assert runtime.started == []


async def test_stop_interrupts_a_fetch_that_hangs(
    plane: Plane, control: Control, git: GitServer, order: RunOrder
) -> None:
    git.broken = 10**6
    plane.start()
    await control.run("w1", order)
    await control.phase("w1", Phase.PREPARING)
    await control.stop_run("w1")
    assert (await control.final("w1")).outcome is Outcome.STOPPED
    await plane.settled()


async def test_forget_of_a_running_run_ends_it(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    await control.forget("w1")
    await plane.settled()
    assert runtime.states() == []
    assert control.finals == {}


async def test_next_attempt_replaces_the_one_before(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    await control.run("w1", order, attempt=2)
    await control.phase("w1", Phase.RUNNING, attempt=2)
    assert [state.key for state in runtime.states()] == [RunKey("w1", 2)]


async def test_lost_run_is_an_error_to_be_tried_again(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    runtime.lose(RunKey("w1", 1))
    final = await control.final("w1")
    assert final.outcome is Outcome.ERROR
    assert final.retryable
    assert (final.reason or "").startswith("its process disappeared")


async def test_runtime_failure_is_an_error(plane: Plane, control: Control, order: RunOrder) -> None:
    plane.start(BrokenRuntime(times=1))
    await control.run("w1", order)
    final = await control.final("w1")
    assert final.outcome is Outcome.ERROR
    assert final.retryable
    assert "broken on purpose" in (final.reason or "")


async def test_broken_stop_and_remove_are_tried_again(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(BrokenRuntime(frozenset({"stop", "remove"}), times=2, script=HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    await control.stop_run("w1")
    assert (await control.final("w1")).outcome is Outcome.STOPPED
    await plane.settled()
    assert runtime.left == 0


async def test_stop_during_a_slow_start(plane: Plane, control: Control, order: RunOrder) -> None:
    runtime = plane.start(SlowRuntime(HOLD))
    await control.run("w1", order)
    await until(lambda: runtime.waiting == 1)
    await control.stop_run("w1")
    runtime.release()
    assert (await control.final("w1")).outcome is Outcome.STOPPED
    assert all(state.phase is not RunPhase.RUNNING for state in runtime.states())


async def test_full_disk_refuses_new_runs(plane: Plane, control: Control, order: RunOrder) -> None:
    plane.disk_floor = 1 << 60
    plane.start()
    await control.run("w1", order)
    final = await control.final("w1")
    assert final.outcome is Outcome.ERROR
    assert final.retryable
    assert "nearly full" in (final.reason or "")


async def test_links_in_a_checkout_stay_links(
    plane: Plane, control: Control, git: GitServer, tmp_path: Path
) -> None:
    git.create("proj")
    commit = git.commit("proj", {"a": "/etc/passwd", "run.sh": b"#!/bin/sh\n", "sub/b": "../a"})
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", make_order(commit))
    await control.phase("w1", Phase.RUNNING)
    folder = runtime.started[0].workdir
    assert (folder / "a").is_symlink()
    assert (folder / "sub" / "b").readlink() == Path("../a")
    assert (folder / "run.sh").stat().st_mode & 0o111

"""Volumes of sessions: an ordinary clone, made whole or not at all, thrown away with care."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import shutil
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.planes.agent import volumes as agent_volumes
from services.planes.agent import watching
from services.planes.agent.git import Unreachable
from services.planes.agent.programs import CannotPrepare
from services.planes.agent.sessions import PORTS, Sessions
from services.planes.agent.trash import Trash
from services.planes.agent.volumes import YOUNG, Volumes
from services.planes.protocol import Outcome, RunOrder, SessionOrder
from spawners.runtime import RunKey
from tests.planes.agent.conftest import Plane, make_order, until
from tests.planes.agent.control import API, Control
from tests.planes.agent.gitserver import TOKEN, GitServer

SHOWN = "http://front.door/git/proj.git"


def session_order(commit: str, volume: str = "wine", branch: str | None = "main") -> RunOrder:
    session = SessionOrder(
        tool="jupyterlab", base_url="/user/ada/wine/", volume=volume, branch=branch
    )
    return make_order(commit, kind="session", argv=None, session=session)


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path / "volumes", Trash(tmp_path / "trash"), 60)


def url(control: Control) -> str:
    return f"{control.origin}/git/proj.git"


def said(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


async def test_a_new_volume_is_an_ordinary_clone_at_the_commit(
    volumes: Volumes, control: Control, git: GitServer
) -> None:
    git.create("proj")
    first = git.commit("proj", {"a": b"1"})
    second = git.commit("proj", {"a": b"2"})
    made = await volumes.ensure(session_order(first), url(control), SHOWN)
    assert (made.project / "a").read_bytes() == b"1"
    assert said(made.project, "rev-parse", "HEAD") == first
    assert said(made.project, "status", "-sb") == "## main...origin/main [behind 1]"
    assert said(made.project, "remote", "get-url", "origin") == SHOWN
    assert not (made.project / ".git/objects/info/alternates").exists(), "it needs nothing else"
    assert said(made.project, "rev-parse", "origin/main") == second
    assert made.home.stat().st_mode & 0o777 == 0o700
    for file in (made.project / ".git").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


async def test_without_a_branch_it_is_the_default_one_and_a_new_name_is_a_new_branch(
    volumes: Volumes, control: Control, commit: str
) -> None:
    assert control.git
    said(control.git.root / "proj.git", "symbolic-ref", "HEAD", "refs/heads/main")
    made = await volumes.ensure(session_order(commit, branch=None), url(control), SHOWN)
    assert said(made.project, "symbolic-ref", "--short", "HEAD") == "main"
    made = await volumes.ensure(session_order(commit, "other", "feature/new"), url(control), SHOWN)
    assert said(made.project, "symbolic-ref", "--short", "HEAD") == "feature/new"


@pytest.mark.parametrize(
    "branch", ["-x", "--upload-pack=id", "a..b", "a b", "x.lock", "@{-1}", "a/"]
)
async def test_names_that_are_no_branch(
    volumes: Volumes, control: Control, commit: str, branch: str
) -> None:
    with pytest.raises(CannotPrepare, match="not a name of a branch"):
        await volumes.ensure(session_order(commit, branch=branch), url(control), SHOWN)
    assert os.listdir(volumes.folder) == []


async def test_one_that_is_there_is_left_as_it_is(
    volumes: Volumes, control: Control, git: GitServer, commit: str
) -> None:
    made = await volumes.ensure(session_order(commit), url(control), SHOWN)
    (made.project / "main.py").write_text("mine")
    fetches = git.fetches
    later = git.commit("proj", {"later": b""})
    await volumes.ensure(session_order(later), url(control), SHOWN)
    assert (made.project / "main.py").read_text() == "mine"
    assert not (made.project / "later").exists()
    assert git.fetches == fetches


async def test_an_interrupted_one_is_made_again(
    volumes: Volumes, control: Control, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def never(*_: object) -> None:
        (tmp_path / "volumes/.building-wine/project").mkdir()
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(agent_volumes, "_clone", never)
        task = asyncio.create_task(volumes.ensure(session_order(commit), url(control), SHOWN))
        await reached.wait()
        # As a kill leaves it, and as one that is merely interrupted does.
        shutil.copytree(volumes.folder / ".building-wine", volumes.folder / ".building-killed")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not volumes.exists("wine")
    again = Volumes(volumes.folder, Trash(tmp_path / "trash"), 60)
    assert os.listdir(again.folder) == []
    made = await again.ensure(session_order(commit), url(control), SHOWN)
    assert (made.project / "main.py").exists()


async def test_it_waits_for_a_control_plane_that_is_away(
    volumes: Volumes, control: Control, commit: str
) -> None:
    with pytest.raises(Unreachable):
        await volumes.ensure(session_order(commit), "http://127.0.0.1:1/git/proj.git", SHOWN)
    with pytest.raises(CannotPrepare, match="names no volume"):
        await volumes.ensure(session_order(commit, "../../x"), url(control), SHOWN)


async def test_only_what_is_old_unnamed_and_unused_is_thrown_away(volumes: Volumes) -> None:
    for name in ("named", "used", "young", "old"):
        (volumes.folder / name / "project").mkdir(parents=True)
        if name != "young":
            past = datetime.now(UTC).timestamp() - YOUNG - 10
            os.utime(volumes.folder / name, (past, past))
    assert volumes.sweep({"named"}, {"used"}) == ["old"]
    assert sorted(os.listdir(volumes.folder)) == ["named", "used", "young"]


async def test_the_agent_asks_which_volumes_must_stay(
    plane: Plane, control: Control, commit: str
) -> None:
    plane.pace = dataclasses.replace(plane.pace, clean=0.05)
    folder = plane.home / "agent" / "volumes"
    for name in ("named", "old"):
        (folder / name / "project").mkdir(parents=True)
        os.utime(folder / name, (0, 0))
    plane.start()
    asked = f"GET {API}/agent/volumes"
    await control.until(lambda: control.requests.count(asked) > 1)
    assert sorted(os.listdir(folder)) == ["named", "old"], "no answer is no permission"
    control.volumes = ["named"]
    await until(lambda: os.listdir(folder) == ["named"])


async def test_what_cannot_be_started_says_why(plane: Plane, control: Control, commit: str) -> None:
    plane.start()
    await control.run("w1", session_order(commit))
    final = await control.final("w1")
    assert (final.outcome, final.retryable) == (Outcome.ERROR, True)
    assert final.reason == "the tools for workspaces are not on this plane yet"
    tools = plane.home / "environments" / ".tools" / "1" / "bin"
    tools.mkdir(parents=True)
    (tools / "jupyterhub-singleuser").touch()
    await control.run("w2", session_order(commit))
    final = await control.final("w2")
    assert (final.outcome, final.retryable) == (Outcome.ERROR, False)
    assert final.reason == (
        "environment default revision 1 has no kernel for notebooks: "
        "add the package ipykernel to it"
    )
    order = session_order(commit)
    assert order.session
    other = order.session.model_copy(update={"tool": "rstudio"})
    await control.run("w3", order.model_copy(update={"session": other}))
    assert (await control.final("w3")).reason == "this plane has no tool rstudio"
    await plane.settled()
    assert plane.files("sessions") == []


def test_ports_are_never_given_twice_and_are_known_after_a_restart(tmp_path: Path) -> None:
    environment = tmp_path / "env"
    (environment / "lib/python3.11/site-packages/ipykernel").mkdir(parents=True)
    (environment / "lib/python3.11/site-packages/ipykernel/__init__.py").touch()
    trash = Trash(tmp_path / "trash")
    order = session_order("0" * 40)
    given = set()
    for number in range(20):
        sessions = Sessions(tmp_path / "sessions", tmp_path / "tools", trash)
        key = RunKey(f"w{number}", 1)
        folder = sessions.make(key, order, environment, "http://front.door")
        given.add(json.loads((folder / "session.json").read_text())["port"])
    assert len(given) == 20
    assert all(port in PORTS for port in given)


def test_names_of_persons_stay_values_in_the_settings_of_git(tmp_path: Path) -> None:
    environment = tmp_path / "env"
    (environment / "share/jupyter/kernels/ir").mkdir(parents=True)
    (environment / "share/jupyter/kernels/ir/kernel.json").write_text("{}")
    name = 'A"d\\a\n[core]\n\tpager = id;#'
    order = session_order("0" * 40).model_copy(update={"person_name": name})
    sessions = Sessions(tmp_path / "sessions", tmp_path / "tools", Trash(tmp_path / "trash"))
    folder = sessions.make(RunKey("w", 1), order, environment, "http://front.door")
    command = ["git", "config", "--file", str(folder / "gitconfig")]
    found = subprocess.run([*command, "user.name"], capture_output=True, text=True, check=True)
    assert found.stdout == 'A"d\\a [core]  pager = id;#\n'
    pager = subprocess.run([*command, "core.pager"], check=False, capture_output=True)
    assert pager.returncode == 1
    assert os.listdir(folder / "jupyter/kernels") == ["ir"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"last": "yesterday"}', '{"last": "2026-01-01T00:00:00Z", "more": 1}',
     '{"last": "2026-01-01T00:00:00Z", "connections": -1}', "x" * 100_000],
)  # fmt: skip
def test_an_activity_file_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "activity.json"
    assert watching.read_activity(file) is None
    file.write_text(text)
    assert watching.read_activity(file) is None


def test_an_activity_file_is_not_followed_nor_waited_for(tmp_path: Path) -> None:
    seen = '{"last": "2126-01-01T00:00:00", "busy": null, "connections": 2}'
    file, link, pipe = tmp_path / "file", tmp_path / "link", tmp_path / "pipe"
    file.write_text(seen)
    link.symlink_to(file)
    os.mkfifo(pipe)
    assert watching.read_activity(link) is None
    assert watching.read_activity(pipe) is None
    assert watching.read_activity(tmp_path) is None
    read = watching.read_activity(file)
    assert read is not None
    assert read.connections == 2
    assert read.last <= datetime.now(UTC), "nothing happened in the future"


def test_who_listens_is_seen() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert watching.listener(port) is None
        server.listen()
        assert watching.listener(port) == os.getuid()

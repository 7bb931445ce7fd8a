"""Checkouts: what git is given, what is cached, what is thrown away."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from services.planes.agent import git as agent_git
from services.planes.agent.cleaning import Cleaner
from services.planes.agent.git import GitError, Repositories, Unreachable, environment
from services.planes.agent.programs import CannotPrepare, command_line, variables
from services.planes.agent.trash import Trash
from services.planes.agent.trees import SMALL_BYTES, Trees
from services.planes.protocol import Outcome
from spawners.runtime import RunKey
from tests.planes.agent.conftest import Plane, make_order, until
from tests.planes.agent.control import Control
from tests.planes.agent.gitserver import TOKEN, GitServer


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path / "trees", Repositories(tmp_path / "git", 60))


def url(control: Control) -> str:
    return f"{control.origin}/git/proj.git"


async def test_large_trees_are_copied_whole(
    trees: Trees, control: Control, git: GitServer, tmp_path: Path
) -> None:
    git.create("proj")
    files: dict[str, bytes | str] = {f"d{i % 5}/f{i}": os.urandom(100) for i in range(150)}
    files["big"] = os.urandom(SMALL_BYTES + 1)
    files["run"] = b"#!/bin/sh\n" + b"#" * 100
    commit = git.commit("proj", files)
    for name in ("one", "two"):
        await trees.checkout(make_order(commit), url(control), tmp_path / name)
        for path, content in files.items():
            assert (tmp_path / name / path).read_bytes() == content
        assert (tmp_path / name / "run").stat().st_mode & stat.S_IXUSR
    command = ["git", "status", "--porcelain"]
    said = subprocess.run(command, cwd=tmp_path / "two", check=True, capture_output=True)
    assert said.stdout == b""


async def test_older_and_newer_commits_come_from_one_repository(
    trees: Trees, control: Control, git: GitServer, tmp_path: Path
) -> None:
    git.create("proj")
    commits = [git.commit("proj", {"n": b"%d" % number}) for number in range(3)]
    for number in (2, 0, 1):
        await trees.checkout(make_order(commits[number]), url(control), tmp_path / str(number))
        assert (tmp_path / str(number) / "n").read_bytes() == b"%d" % number
    assert git.fetches <= 2  # the newest brought its ancestors along


async def test_damaged_cache_is_fetched_anew(
    trees: Trees, control: Control, git: GitServer, commit: str, tmp_path: Path
) -> None:
    await trees.checkout(make_order(commit), url(control), tmp_path / "one")
    objects = trees.objects("proj")
    for file in objects.rglob("*"):
        if file.is_file() and len(file.name) == 38:
            file.chmod(0o600)
            file.write_bytes(b"rot")
    trees.forget("proj", commit)
    subprocess.run(["rm", "-rf", str(trees.folder / "proj")], check=True)
    await trees.checkout(make_order(commit), url(control), tmp_path / "two")
    assert (tmp_path / "two" / "main.py").exists()


async def test_unreachable_and_absent_repositories(
    trees: Trees, control: Control, git: GitServer, commit: str, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:1/git/proj.git"
    with pytest.raises(Unreachable):
        await trees.checkout(make_order(commit), nowhere, tmp_path / "a")
    with pytest.raises(CannotPrepare, match="repository is not there"):
        await trees.checkout(make_order(commit), f"{control.origin}/git/no.git", tmp_path / "b")
    with pytest.raises(Unreachable, match=r"transport|protocol"):
        await trees.checkout(make_order(commit), f"file://{git.root}/proj.git", tmp_path / "c")


async def test_unreachable_repository_is_an_error_of_ours(
    plane: Plane, control: Control, git: GitServer, commit: str
) -> None:
    git.broken = 1000
    plane.start()
    await control.run("w1", make_order(commit))
    final = await control.final("w1")
    assert (final.outcome, final.retryable) == (Outcome.ERROR, True)
    assert (final.reason or "").startswith("the project's repository cannot be reached")


async def test_token_is_in_no_argument_and_not_on_disk(
    control: Control, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, ...]] = []
    real = agent_git.git

    async def noting(*arguments: str, config: dict[str, str] | None = None) -> str:
        seen.append(arguments)
        return await real(*arguments, config=config)

    monkeypatch.setattr(agent_git, "git", noting)
    repositories = Repositories(tmp_path / "git", 60)
    await repositories.ensure("proj", commit, url(control), TOKEN)
    assert any("fetch" in arguments for arguments in seen)
    assert not any(TOKEN in part for arguments in seen for part in arguments)
    for file in (tmp_path / "git").rglob("*"):
        assert file.is_dir() or TOKEN.encode() not in file.read_bytes()


async def test_hooks_and_configuration_of_others_do_nothing(
    trees: Trees, control: Control, git: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text('[filter "lfs"]\nsmudge = touch owned\nrequired = true\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    git.create("proj")
    pointer = b"version https://git-lfs.github.com/spec/v1\n"
    attributes = b"*.bin filter=lfs\n"
    commit = git.commit(
        "proj", {".gitattributes": attributes, "a.bin": pointer, ".gitmodules": b"[submodule]\n"}
    )
    await trees.checkout(make_order(commit), url(control), tmp_path / "one")
    assert (tmp_path / "one" / "a.bin").read_bytes() == pointer
    assert "HOME" in environment({})
    assert environment({})["HOME"] != str(tmp_path)


async def test_cleaning_keeps_to_the_size(
    trees: Trees, control: Control, git: GitServer, tmp_path: Path
) -> None:
    git.create("proj")
    commits = [git.commit("proj", {"n": os.urandom(40_000)}) for _ in range(4)]
    for number, commit in enumerate(commits):
        await trees.checkout(make_order(commit), url(control), tmp_path / str(number))
    trash = Trash(tmp_path / "trash")
    repositories = trees._repositories
    await Cleaner(trees, repositories, trash, 1 << 40).clean({"proj"})
    assert len(list((trees.folder / "proj").iterdir())) == 4
    await Cleaner(trees, repositories, trash, 1).clean({"proj"})
    assert list((trees.folder / "proj").iterdir()) == []
    assert trees.objects("proj").is_dir()
    await trees.checkout(make_order(commits[0]), url(control), tmp_path / "again")
    await Cleaner(trees, repositories, trash, 1).clean(set())
    assert not trees.objects("proj").is_dir()
    trash.empty()
    assert list(trash.folder.iterdir()) == []


async def test_trash_removes_what_a_run_locked(tmp_path: Path) -> None:
    trash = Trash(tmp_path / "trash")
    locked = tmp_path / "run"
    (locked / "a" / "b").mkdir(parents=True)
    (locked / "a" / "b" / "c").write_bytes(b"")
    (locked / "a").chmod(0)
    trash.throw(locked)
    trash.throw(locked)
    trash.empty()
    await until(lambda: not list(trash.folder.iterdir()))


def test_command_lines(tmp_path: Path) -> None:
    commit = "0" * 40
    environment_folder = tmp_path / "env"
    for name in ("a.py", "n.ipynb", "s.sh", "r.R", "-x.py"):
        (tmp_path / name).write_text("")
    python = str(environment_folder / "bin" / "python")

    def line(**order: object) -> tuple[str, ...]:
        return command_line(make_order(commit, **order), tmp_path, environment_folder)

    assert line(argv=["a", "b"]) == ("a", "b")
    assert line(shell="a | b") == ("/bin/sh", "-c", "a | b")
    assert line(file="a.py", args=["--x"]) == (python, "a.py", "--x")
    assert line(file="-x.py") == (python, "./-x.py")
    assert line(file="s.sh")[0].endswith("sh")
    assert line(file="n.ipynb")[1].endswith("notebook_runner.py")
    (environment_folder / "bin").mkdir(parents=True)
    rscript = environment_folder / "bin" / "Rscript"
    rscript.write_text("")
    rscript.chmod(0o755)
    assert line(file="r.R") == (str(rscript), "r.R")


def test_variables_of_ours_are_not_replaced(tmp_path: Path) -> None:
    order = make_order("0" * 40, env={"SMALTI_RUN_ID": "x", "SMALTI_NEW": "x", "B": "2"})
    found = variables(order, RunKey("w", 1), "http://api", tmp_path / "env", tmp_path / "outputs")
    assert (found["SMALTI_RUN_ID"], found["B"]) == ("w", "2")
    assert "SMALTI_NEW" not in found


async def test_git_says_what_was_wrong_without_tokens() -> None:
    with pytest.raises(GitError, match="not a git command"):
        await agent_git.git("sml_abc")

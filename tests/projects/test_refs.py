"""From names to commits, and what differs between two."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from services.core.settings import Settings
from services.projects import history, refs, runtime, trees
from services.projects.refs import NoSuchRef
from services.projects.runtime import GitFailed, OutputTooLarge, Repositories, Repository
from tests.projects.git import Client
from tests.projects.test_rules import BAD_REFS

PROJECT = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository as projects have it."""
    repositories = Repositories(Settings(home=str(tmp_path)))
    repositories.folder.mkdir(parents=True)
    return repositories.create(PROJECT, "main")


@pytest.fixture
async def work(repository: Repository, client: Client) -> Client:
    """A clone of it with two commits, pushed."""
    await client.ok("clone", "-q", str(repository.path), ".")
    await client.commit(".", {"a.txt": b"1\n2\n3\n", "b/c.bin": bytes(range(256))}, "one")
    await client.commit(".", {"a.txt": b"1\n2\nthree\n", "new": b"x\n"}, "two")
    await client.ok("push", "-q", "origin", "main")
    return client


def plain(repository: Repository, *arguments: str) -> str:
    """Run git there without us."""
    command = ["git", f"--git-dir={repository.path}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


async def test_loose_and_packed(repository: Repository, work: Client) -> None:
    first, second = await work.ok("rev-parse", "HEAD~"), await work.ok("rev-parse", "HEAD")
    for name, where in (("heads/x/y", first), ("tags/light", first)):
        plain(repository, "update-ref", f"refs/{name}", where)
    plain(
        repository, "-c", "user.name=x", "-c", "user.email=x", "tag", "-a", "-m", "x", "v1", first
    )
    plain(repository, "-c", "user.name=x", "-c", "user.email=x", "tag", "-a", "-m", "x", "vv", "v1")
    wanted = {
        "main": second, "refs/heads/main": second, "x/y": first, "light": first, "v1": first,
        "vv": first, "refs/tags/v1": first, first: first, first[:7]: first, second[:12]: second,
    }  # fmt: skip
    for _ in range(2):
        for ref, commit in wanted.items():
            assert await refs.resolve(repository, ref) == commit, ref
        plain(repository, "pack-refs", "--all")
    assert not (repository.path / "refs" / "heads" / "main").exists()


NOT_THERE = [
    *BAD_REFS, "none", "0" * 40, "f" * 40, "abcdef1", "main^{tree}", "main:a.txt", "HEAD~1",
    "refs/heads/none", "refs/../HEAD", "refs/heads/../../HEAD", "config", "../config", "objects",
]  # fmt: skip


async def test_what_is_not_there(repository: Repository, work: Client) -> None:
    for ref in NOT_THERE:
        with pytest.raises(NoSuchRef) as caught:
            await refs.resolve(repository, ref)
        assert caught.value.status == 422
        assert "no branch, tag or commit named" in caught.value.message


async def test_trees_and_blobs_are_no_commits(repository: Repository, work: Client) -> None:
    for thing in ("HEAD^{tree}", "HEAD:a.txt"):
        identity = await work.ok("rev-parse", thing)
        for ref in (identity, identity[:10]):
            with pytest.raises(NoSuchRef):
                await refs.resolve(repository, ref)


async def test_a_branch_cannot_pose_as_a_commit(repository: Repository, work: Client) -> None:
    first, second = await work.ok("rev-parse", "HEAD~"), await work.ok("rev-parse", "HEAD")
    (repository.path / "refs" / "heads" / first).write_text(second)
    assert await refs.resolve(repository, first) == first
    plain(repository, "update-ref", f"refs/heads/{first[:8]}", second)
    assert await refs.resolve(repository, first[:8]) == second


async def test_a_branch_is_found_fast(repository: Repository, work: Client) -> None:
    began = time.process_time()
    for _ in range(200):
        await refs.resolve(repository, "main")
    assert (time.process_time() - began) / 200 < 0.002


async def test_difference(repository: Repository, work: Client) -> None:
    second = await work.ok("rev-parse", "HEAD")
    await work.ok("mv", "b/c.bin", "moved\tü.bin")
    await work.ok("rm", "-q", "new")
    third = await work.commit(".", {"a.txt": b"1\n", "bin": bytes(200)}, "three")
    await work.ok("push", "-q", "origin", "main")
    found = await history.difference(repository, second, third)
    files = {
        one.path: (one.status, one.old_path, one.additions, one.deletions) for one in found.files
    }
    assert files == {
        "a.txt": ("modified", None, 0, 2),
        "bin": ("added", None, None, None),
        "moved\tü.bin": ("renamed", "b/c.bin", None, None),
        "new": ("deleted", None, 0, 1),
    }
    assert "-three\n" in found.patch
    assert not found.cut
    assert (await history.difference(repository, third, third)).files == []


async def test_a_long_patch_is_cut(repository: Repository, work: Client) -> None:
    first = await work.ok("rev-parse", "HEAD")
    second = await work.commit(".", {"long": b"a line of text\n" * 200_000})
    await work.ok("push", "-q", "origin", "main")
    found = await history.difference(repository, first, second)
    assert found.cut
    assert len(found.patch) <= history.PATCH_MOST
    assert found.files[0].additions == 200_000


async def test_entries(repository: Repository, work: Client) -> None:
    commit = await work.ok("rev-parse", "HEAD")
    found = await trees.entry(repository, commit, "b/c.bin")
    assert found is not None
    assert (found.kind, found.size) == ("file", 256)
    for path in ("b", "none", "b/none", "a.txt/x", "*", ":(glob)*"):
        there = await trees.entry(repository, commit, path)
        assert there is None or there.kind == "directory"


async def test_git_is_bounded(repository: Repository, work: Client) -> None:
    with pytest.raises(OutputTooLarge):
        await repository.run("log", "-p", "main", "--", most=100)
    with pytest.raises(GitFailed):
        await repository.run("log", "none", "--")
    repository_of_none = Repository(repository.path.with_name("none.git"), repository.git)
    with pytest.raises(GitFailed):
        await repository_of_none.run("log")


async def test_nothing_of_the_machine_is_read(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    variables = runtime.environment(Settings(home="/x"))
    assert "GIT_DIR" not in variables
    assert "canary" not in variables.values()
    listed = (await repository.run("config", "--list", "--show-scope")).decode()
    assert {line.split("\t")[0] for line in listed.splitlines()} <= {"local", "command"}


def test_repositories_are_named_by_ids_only(tmp_path: Path) -> None:
    repositories = Repositories(Settings(home=str(tmp_path)))
    for bad in ("../x", "", "x", "a" * 36, PROJECT + "/", f"{PROJECT}\n"):
        with pytest.raises(ValueError, match="id"):
            repositories.of(bad)

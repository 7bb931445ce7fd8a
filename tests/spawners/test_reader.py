"""The reader of sessions' folders, confined as it is in earnest, on folders that mean harm."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from spawners.process import ProcessRuntime, ProcessSettings
from spawners.runtime import Isolation, RunKey
from tests.spawners.reading import Reading


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[ProcessRuntime]:
    made = ProcessRuntime(ProcessSettings(state=tmp_path / "state"))
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def project(tmp_path: Path, runtime: ProcessRuntime) -> Iterator[Path]:
    """A person's folder, as deep in a closed home as an agent's is."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    folder = home / "project"
    folder.mkdir()
    (folder / "main.py").write_text("print(1)\n")
    yield folder
    subprocess.run(["chmod", "-R", "u+rwX", str(home)], check=False)


def given(runtime: ProcessRuntime, project: Path) -> None:
    """Make everything in the folder the person's."""
    if runtime.isolation is not Isolation.FULL:
        return
    uid = runtime._people.uid("person-1")
    for folder, folders, files in os.walk(project):
        for name in [".", *folders, *files]:
            os.lchown(os.path.join(folder, name), uid, uid)


def git(project: Path, *arguments: str) -> str:
    """Run git as somebody in the folder."""
    who = {f"GIT_{a}_{b}": "a@b" for a in ("AUTHOR", "COMMITTER") for b in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(
        ["git", "-c", "safe.directory=*", *arguments], cwd=project, env=env, check=True,
        capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


async def test_only_what_changed_is_read_and_sent(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    for number in range(200):
        (project / f"f{number}").write_bytes(os.urandom(2000))
    given(runtime, project)
    async with Reading(runtime, project, tmp_path / "store") as reading:
        first = await reading.look()
        assert len(reading.files(first)) == 201
        assert reading.sent > 400_000
        reading.sent = 0
        again = await reading.look()
        assert again["commit"] == first["commit"]
        assert reading.sent == 0
        (project / "f7").write_text("changed")
        os.chmod(project / "f8", 0o755)
        second = await reading.look()
        assert reading.content(second, b"f7") == b"changed"
        assert reading.files(second)[b"f8"] == b"100755"
        assert reading.sent < 20_000
        (project / "f9").unlink()
        third = await reading.look()
        assert b"f9" not in reading.files(third)
        reading.fsck()


async def test_nothing_outside_the_folder_is_read(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    if runtime.isolation is Isolation.NONE:
        pytest.skip("no sandbox works here")
    secret = tmp_path / "secret"
    secret.write_text("the platform's key")
    (project / "link").symlink_to(secret)
    (project / "folder").symlink_to(tmp_path)
    (project / "passwd").symlink_to("/etc/shadow")
    given(runtime, project)
    stop = threading.Event()

    def swap() -> None:
        """Make a file and a folder into links and back, as quickly as can be."""
        while not stop.is_set():
            for name, target in (("race", secret), ("races", tmp_path)):
                path = project / name
                path.symlink_to(target)
                path.unlink()
                if name == "race":
                    path.write_text("own")
                    path.unlink()
                else:
                    path.mkdir()
                    (path / "secret").write_text("own")
                    shutil.rmtree(path)

    racer = threading.Thread(target=swap)
    racer.start()
    try:
        async with Reading(runtime, project, tmp_path / "store") as reading:
            for _ in range(30):
                said = await reading.look()
                files = reading.files(said)
                assert files[b"link"] == files[b"folder"] == files[b"passwd"] == b"120000"
                for path in (b"race", b"races/secret"):
                    if files.get(path) == b"100644":
                        assert reading.content(said, path) in (b"own", b"")
    finally:
        stop.set()
        racer.join()


async def test_what_is_no_file_is_named_and_stops_nothing(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    os.mkfifo(project / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(project / "sock"))
    (project / "closed").write_text("x")
    (project / "closed").chmod(0)
    (project / "shut").mkdir()
    (project / "shut" / "inner").write_text("x")
    (project / "sub" / ".git").mkdir(parents=True)
    (project / "sub" / "code.py").write_text("x")
    (project / "GIT~1").write_text("x")
    (project / ".gitmodules").symlink_to("main.py")
    (project / "with\nline").write_text("x")
    Path(os.fsdecode(os.fsencode(project) + b"/\xff\xfe")).write_text("not UTF-8")
    (project / ("n" * 255)).write_text("long")
    (project / ":(top)x").write_text("magic")
    given(runtime, project)
    (project / "shut").chmod(0)
    async with Reading(runtime, project, tmp_path / "store") as reading:
        said = await reading.look()
        files = reading.files(said)
        unsafe = {text.split(": ")[0]: text.split(": ", 1)[1] for text in said["unsafe"]}
        assert files.keys() >= {b"main.py", b"sub/code.py", b"\xff\xfe", b"with\nline", b":(top)x"}
        assert b"n" * 255 in files
        assert not files.keys() & {b"pipe", b"sock", b"GIT~1", b".gitmodules"}
        assert unsafe["pipe"] == unsafe["sock"] == "not a file (a pipe, socket or device)"
        assert "history" in unsafe["sub/.git/"]
        assert "git does not take" in unsafe["GIT~1"]
        if runtime.isolation is not Isolation.NONE:
            assert "Permission denied" in unsafe["closed"]
            assert "Permission denied" in unsafe["shut/"]
        reading.fsck()
    listening.close()


async def test_the_persons_git_configuration_runs_nothing(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    git(project, "init", "-q", "-b", "main")
    script = project / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    script.chmod(0o755)
    (project / ".gitattributes").write_text("* filter=evil diff=evil\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "one")
    config = f"""
[core]
    fsmonitor = {script}
    hooksPath = {project}
    sshCommand = {script}
    alternateRefsCommand = {script}
[filter "evil"]
    clean = {script}
    smudge = {script}
    process = {script}
    required = true
"""
    with (project / ".git" / "config").open("a") as file:
        file.write(config)
    (project / "data.txt").write_text("plain\r\n")
    given(runtime, project)
    async with Reading(runtime, project, tmp_path / "store") as reading:
        said = await reading.look()
        assert reading.content(said, b"data.txt") == b"plain\r\n"
        assert b"evil.sh" in reading.files(said)
        head = git(project, "rev-parse", "HEAD")
        log = subprocess.run(
            ["git", "log", "--format=%P", "-1", said["commit"]],
            cwd=reading.store, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert log.stdout.strip() == head
    assert not mark.exists()


async def test_a_broken_history_costs_only_itself(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "one")
    (project / "two.py").write_text("2")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "two")
    first = git(project, "rev-parse", "HEAD~1")
    os.unlink(project / ".git" / "objects" / first[:2] / first[2:])
    given(runtime, project)
    async with Reading(runtime, project, tmp_path / "store") as reading:
        said = await reading.look()
        assert b"two.py" in reading.files(said)
        assert any("history could not be read" in text for text in said["unsafe"])
        (project / "two.py").write_text("3")
        assert reading.content(await reading.look(), b"two.py") == b"3"


async def test_what_git_ignores_and_what_can_be_made_again_is_left_out(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    git(project, "init", "-q", "-b", "main")
    (project / ".gitignore").write_text("*.log\n/data/\n!keep.log\n")
    for path in ("a.log", "keep.log", "data/big.csv", "data/forced.csv", ".venv/bin/python",
                 "env/pyvenv.cfg", "node_modules/x/index.js", "__pycache__/a.pyc"):  # fmt: skip
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(path)
    git(project, "add", "-f", "data/forced.csv")
    given(runtime, project)
    async with Reading(runtime, project, tmp_path / "store") as reading:
        said = await reading.look()
        kept = {b".gitignore", b"main.py", b"keep.log", b"data/forced.csv"}
        assert set(reading.files(said)) == kept
        told = {text.split(": ")[0] for text in said["unsafe"]}
        assert told == {"a.log", "data/big.csv", ".venv/", "env/", "node_modules/", "__pycache__/"}
        (project / ".gitignore").write_text("/data/\n")
        assert b"a.log" in reading.files(await reading.look())
        git(project, "rm", "-q", "--cached", "data/forced.csv")
        given(runtime, project)
        assert b"data/forced.csv" not in reading.files(await reading.look())


async def test_bounds_are_kept_and_large_files_go_apart(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    (project / "large.bin").write_bytes(os.urandom(3 << 20))
    (project / "huge.bin").touch()
    os.truncate(project / "huge.bin", 5 << 20)
    given(runtime, project)
    store = tmp_path / "store"
    async with Reading(runtime, project, store, prompt=1 << 20, largest=4 << 20) as reading:
        said = await reading.look()
        assert set(reading.files(said)) == {b"main.py"}
        assert "huge.bin: 5 MiB, larger than the limit of 4 MiB" in said["unsafe"]
        assert "large.bin: 3 MiB, not yet sent" in said["unsafe"]
        path, size = said["waiting"][0]
        assert (base64.b64decode(path), size) == (b"large.bin", 3 << 20)
        await reading.large(path)
        said = await reading.look()
        assert reading.content(said, b"large.bin") == (project / "large.bin").read_bytes()
        assert not said["waiting"]
        with (project / "large.bin").open("ab") as file:
            file.write(b"more")
        said = await reading.look()
        assert "large.bin: 3 MiB, the newest version is not yet sent" in said["unsafe"]
        assert len(reading.content(said, b"large.bin")) == 3 << 20
    async with Reading(runtime, project, tmp_path / "few", files=2) as reading:
        (project / "c").write_text("3")
        said = await reading.look()
        assert len(reading.files(said)) == 2
        assert any("more than 2 files" in text for text in said["unsafe"])


async def test_a_file_that_never_stands_still_is_saved_as_it_is_read(
    runtime: ProcessRuntime, project: Path, tmp_path: Path
) -> None:
    stop = threading.Event()
    given(runtime, project)

    def write() -> None:
        with (project / "log.txt").open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"line\n" * 100)
                if file.tell() > 4 << 20:
                    file.truncate(0)
                    file.seek(0)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        async with Reading(runtime, project, tmp_path / "store") as reading:
            commits = set()
            for _ in range(200):  # on a busy machine nothing may be written between two looks
                said = await reading.look()
                commits.add(said["commit"])
                if len(commits) > 5:
                    break
                await asyncio.sleep(0)
            assert len(commits) > 5
            assert b"log.txt" in reading.files(said)
            reading.fsck()
    finally:
        stop.set()
        writer.join()


async def test_the_reader_has_no_network_and_cannot_write(
    runtime: ProcessRuntime, project: Path
) -> None:
    if runtime.isolation is Isolation.NONE:
        pytest.skip("no sandbox works here")
    given(runtime, project)
    reading = runtime.reader(RunKey("w1", 1), "person-1", project, ())
    at = reading.argv.index("-c")
    code = (
        "import os,socket,sys\n"
        "found=[]\n"
        "try: open(sys.argv[1]+'/main.py','a'); found.append('write')\n"
        "except OSError: pass\n"
        "try: socket.create_connection(('127.0.0.1', int(sys.argv[2])), 2); found.append('net')\n"
        "except OSError: pass\n"
        "print(os.getuid(), found, sorted(os.listdir(os.path.dirname(sys.argv[1]))))\n"
    )
    server = socket.create_server(("127.0.0.1", 0))
    done = subprocess.run(
        [*reading.argv[: at + 1], code, str(project), str(server.getsockname()[1])],
        env=reading.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    server.close()
    assert "[] ['project']" in done.stdout, done
    if runtime.isolation is Isolation.FULL:
        assert not done.stdout.startswith("0 ")

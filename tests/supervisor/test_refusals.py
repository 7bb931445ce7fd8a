"""Everything that cannot work is refused with one clear sentence and a status other than 0."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.supervisor import checks
from services.supervisor.child import Child
from services.supervisor.home import Home, SupervisorError
from services.supervisor.loop import Supervisor
from services.supervisor.processes import Process
from tests.instance import SMALTI_ADMIN, Instance


def refused(instance: Instance, **environment: str) -> str:
    """Try to start; return the one sentence that was said."""
    done = instance.command("up", **environment)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    sentence = done.stderr.strip()
    assert "\n" not in sentence
    return sentence


@pytest.fixture
def unstarted(tmp_path: Path) -> Instance:
    """An instance that has never run."""
    return Instance(tmp_path, processes="frontdoor,hub")


def test_port_in_use_names_port_and_holder(unstarted: Instance) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", unstarted.port))
        stranger.listen()
        sentence = refused(unstarted)
    assert sentence.startswith(f"Port {unstarted.port} is already in use by ")
    assert f"pid {os.getpid()}" in sentence
    assert "SMALTI_PORT=" in sentence


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1"])
def test_port_that_is_none(unstarted: Instance, port: str) -> None:
    assert refused(unstarted, SMALTI_PORT=port).startswith("SMALTI_PORT must be a number")


def test_unwritable_state_folder(unstarted: Instance) -> None:
    sentence = refused(unstarted, SMALTI_HOME="/proc/smalti")
    assert sentence.startswith("The state folder /proc/smalti cannot be written")
    assert "SMALTI_HOME" in sentence


def test_state_folder_that_is_a_file(unstarted: Instance, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = refused(unstarted, SMALTI_HOME=str(tmp_path / "file" / "below"))
    assert "cannot be written (Not a directory)" in sentence


def test_full_disk_names_the_number(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    inside = f"mount -t tmpfs -o size=4m none {small} && exec {SMALTI_ADMIN} up"
    unshare = ["unshare", "--mount", "--map-root-user", "--user", "sh", "-c"]
    if os.getuid() == 0:
        unshare = ["unshare", "--mount", "sh", "-c"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mount namespaces are not to be had here")
    environment = {**os.environ, "SMALTI_HOME": str(small)}
    done = subprocess.run(
        [*unshare, inside], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Only 4 MiB are free on the disk of")
    assert "needs at least 512 MiB" in done.stderr


@pytest.mark.parametrize(
    ("magic", "name"), [(0x6969, "NFS"), (0xFF534D42, "CIFS"), (0x01021997, "9P")]
)
def test_network_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, magic: int, name: str
) -> None:
    monkeypatch.setattr(checks, "file_system_magic", lambda path: magic)
    with pytest.raises(SupervisorError, match=rf"network file system \({name}\)"):
        checks.check_file_system(Home(tmp_path))


def test_fuse_is_refused_only_when_it_is_remote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "file_system_magic", lambda path: 0x65735546)
    monkeypatch.setattr(checks, "mount_type", lambda path: "fuse.sshfs")
    assert checks.network_file_system(tmp_path) == "fuse.sshfs"
    monkeypatch.setattr(checks, "mount_type", lambda path: "fuseblk")
    assert checks.network_file_system(tmp_path) is None


def test_magic_of_a_real_file_system() -> None:
    assert checks.file_system_magic(Path("/proc")) == 0x9FA0
    assert checks.mount_type(Path("/proc/self")) == "proc"


def test_no_git(unstarted: Instance) -> None:
    sentence = refused(unstarted, PATH="/nowhere")
    assert sentence == "Smalti needs git, which is not installed (or not on PATH)."


@pytest.mark.parametrize("name", ["Admin", "a/b", "x" * 40, "-a"])
def test_bad_name_of_the_first_admin(unstarted: Instance, name: str) -> None:
    assert refused(unstarted, SMALTI_ADMIN_USER=name).startswith("SMALTI_ADMIN_USER must")


def test_weak_password_of_the_first_admin(unstarted: Instance) -> None:
    sentence = refused(unstarted, SMALTI_ADMIN_PASSWORD="short")
    assert sentence == "SMALTI_ADMIN_PASSWORD must have at least 10 characters."


def supervisor_of(tmp_path: Path, script: str) -> tuple[Supervisor, list[str]]:
    """A supervisor of one process that runs a line of Python."""
    home = Home(tmp_path)
    home.make_folders()
    said: list[str] = []
    process = Process("platform", (sys.executable, "-c", script))
    return Supervisor(home, [process], {}, said.append), said


def test_a_process_that_finds_no_way_is_quoted(tmp_path: Path) -> None:
    """So the platform refuses a database that is newer than the code."""
    said = "The database is newer than this version."
    script = f"import sys, time; time.sleep(0.2); print({said!r}); sys.exit(78)"
    supervisor, _ = supervisor_of(tmp_path, script)
    supervisor.children[0].process = Process(
        "platform", supervisor.children[0].process.command, port="platform"
    )
    supervisor.ports["platform"] = 1
    with pytest.raises(SupervisorError, match=said) as refusal:
        supervisor.bring_up(adopt=True)
    assert refusal.value.status == 78
    supervisor.bring_down()


def test_a_process_that_cannot_start_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    supervisor, _ = supervisor_of(tmp_path, "import sys; sys.exit('no such tile')")
    supervisor.children[0].process = Process(
        "platform", supervisor.children[0].process.command, port="platform"
    )
    supervisor.ports["platform"] = 1
    with pytest.raises(SupervisorError, match="ended with status 1, saying: no such tile"):
        supervisor.bring_up(adopt=True)
    supervisor.bring_down()


def test_a_crash_loop_rests_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.supervisor.backoff.LONGEST", 0.01)
    home = Home(tmp_path)
    home.make_folders()
    said: list[str] = []
    child = Child(home, Process("hub", (sys.executable, "-c", "exit(3)")), said.append)
    child.start()
    end_by = time.monotonic() + 30
    while not child.backoff.looping and time.monotonic() < end_by:
        child.tend()
    assert "it keeps ending, so the next try is in 60 s" in said[-1]
    shutil.rmtree(tmp_path)


def test_a_full_disk_does_not_end_the_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    home.make_folders()
    said: list[str] = []
    child = Child(
        home, Process("hub", (sys.executable, "-c", "import time; time.sleep(60)")), said.append
    )
    full = OSError(28, "No space left on device")

    def fail(*arguments: object) -> None:
        raise full

    with monkeypatch.context() as disk:
        disk.setattr("services.supervisor.records.write_json", fail)
        child.start()
        child.tend()
        assert child.alive
        assert not (tmp_path / "run" / "hub.json").exists()
    child.tend()
    assert (tmp_path / "run" / "hub.json").exists(), "written as soon as there is room"
    child.stop()
    with monkeypatch.context() as disk:
        disk.setattr("services.supervisor.child.open_log", fail)
        child.tend()
        assert said[-1] == "hub cannot be started now: No space left on device"
    assert not child.alive

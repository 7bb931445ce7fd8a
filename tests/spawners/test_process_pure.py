"""The process runtime's pure decisions, on all kinds of values."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spawners.process import groups, orders
from spawners.process.people import UidMap
from spawners.runtime import RunKey, RuntimeFailure
from spawners.shim import endings

words = st.text(st.characters(categories=("L", "N"), include_characters="-_"), min_size=1)


@given(words, st.integers(0, 10**6))
def test_key_is_read_back_from_its_folder_name(workload: str, attempt: int) -> None:
    key = RunKey(workload[:100], attempt)
    assert RunKey.parse(orders.folder_name(key)) == key


@given(st.text(max_size=300))
def test_folder_name_is_plain_or_refused(text: str) -> None:
    try:
        name = orders.folder_name(RunKey(text, 1))
    except RuntimeFailure:
        return
    assert Path("/state", name).parent == Path("/state")
    assert Path(os.path.normpath(f"/state/{name}")).parent == Path("/state")


@given(st.integers(0, 1 << 50))
def test_human_size_is_near_the_number(count: int) -> None:
    number, unit = orders.human_size(count).split()
    factor = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[unit]
    assert abs(float(number) * factor - count) <= count * 0.001


@given(st.integers(0, 255), st.booleans())
def test_exit_code_of_an_exited_program(code: int, sandboxed: bool) -> None:
    found = endings.exit_code(code << 8, sandboxed)
    if sandboxed and 128 < code < 128 + signal.NSIG:
        assert found == 128 - code
    else:
        assert found == code


@given(st.integers(1, 64), st.booleans())
def test_exit_code_of_a_killed_program_is_negative(number: int, sandboxed: bool) -> None:
    assert endings.exit_code(number, sandboxed) == -number


@given(st.integers(-64, 255), st.binary(max_size=200), words)
def test_program_that_was_executed_is_not_called_missing(
    code: int, log: bytes, program: str
) -> None:
    found = endings.sandbox_failure(code, log, program, executed=True, sandboxed=True)
    if found is not None:
        assert code in (126, 127)
        assert log.startswith(b"setpriv: failed to execute ")


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        (b"bwrap: execvp x: No such file or directory\n", 127, "command not found: x"),
        (
            b"bwrap: execvp x: Permission denied\n",
            126,
            "command cannot be executed: x: Permission denied",
        ),
        (
            b"bwrap: Can't find source path /gone: No such file\n",
            126,
            "the sandbox could not be made: Can't find source path /gone: No such file",
        ),
        (b"", 126, "the sandbox could not be made: no word"),
    ],
)
def test_failure_of_the_sandbox_is_told(said: bytes, code: int, reason: str) -> None:
    found = endings.sandbox_failure(1, said, "x", executed=False, sandboxed=True)
    assert found == endings.Ending(code, endings.NOT_STARTED, reason)


def test_own_groups_are_read_for_both_versions() -> None:
    text = "5:cpu,cpuacct:/a:b\n4:memory:/m\n1:name=systemd:/s\n0::/user.slice/x\n"
    own = groups.parse_own(text)
    assert (own["cpu"], own["cpuacct"], own["memory"], own[""]) == (
        "/a:b",
        "/a:b",
        "/m",
        "/user.slice/x",
    )


def test_mounts_are_read_for_both_versions() -> None:
    text = (
        "30 25 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
        "31 30 0:27 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw\n"
        "35 30 0:31 /docker/x /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    )
    found = groups.parse_mounts(text)
    assert found[""] == ("/sys/fs/cgroup/unified", "/")
    assert found["cpuacct"] == ("/sys/fs/cgroup/cpu,cpuacct", "/docker/x")


@pytest.mark.parametrize(
    ("own", "root", "folder"),
    [
        ("/", "/", "/c"),
        ("/a/b", "/", "/c/a/b"),
        ("/docker/x", "/docker/x", "/c"),
        ("/docker/x/y", "/docker/x", "/c/y"),
        ("/elsewhere", "/docker/x", "/c"),
        ("/../outside", "/", "/c"),
    ],
)
def test_own_folder_in_containers_and_outside(own: str, root: str, folder: str) -> None:
    assert groups.own_folder(own, "/c", root) == folder


def _allocate(folder: str, names: list[str], wire: multiprocessing.connection.Connection) -> None:
    people = UidMap(Path(folder), 1000, 100)
    wire.send({name: people.uid(name) for name in names})


def test_two_processes_never_give_a_uid_twice(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    wires, processes = [], []
    for n in range(3):
        ours, theirs = context.Pipe()
        names = [f"p{(n * 10 + k) % 25}" for k in range(20)]
        process = context.Process(target=_allocate, args=(str(tmp_path), names, theirs))
        process.start()
        wires.append(ours)
        processes.append(process)
    found: dict[str, int] = {}
    for wire in wires:
        for name, uid in wire.recv().items():
            assert found.setdefault(name, uid) == uid
    for process in processes:
        process.join()
    assert sorted(found.values()) == list(range(1000, 1025))


def test_used_up_range_is_told(tmp_path: Path) -> None:
    people = UidMap(tmp_path, 1000, 2)
    assert (people.uid("a"), people.uid("b"), people.uid("a")) == (1000, 1001, 1000)
    with pytest.raises(RuntimeFailure):
        people.uid("c")
    assert UidMap(tmp_path, 1000, 2).uid("b") == 1001

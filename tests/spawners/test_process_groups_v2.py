"""Control groups of version 2 on a made-up folder, as far as plain files can show it.

The formats are those of the kernel's cgroup-v2.rst. Where the real thing is writable, the
limits' own tests run on it too (their parameter `v2`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from spawners.process import ProcessRuntime, ProcessSettings, groups
from spawners.runtime import RuntimeFailure
from spawners.shim import cgroups
from spawners.shim.cgroups import Caps, Group

FILES = {
    "cpu.max": "max 100000",
    "cpu.stat": "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 0\n",
    "memory.max": "max",
    "memory.swap.max": "max",
    "memory.current": "104857600\n",
    "memory.peak": "157286400\n",
    "memory.stat": "anon 52428800\nfile 31457280\nkernel 4096\ninactive_file 20971520\n",
    "memory.events": "low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\noom_group_kill 0\n",
    "pids.max": "max",
    "pids.events": "max 3\n",
    "cgroup.procs": "",
    "cgroup.kill": "",
    "cgroup.controllers": "cpu memory pids io\n",
    "cgroup.subtree_control": "",
}


@pytest.fixture
def group(tmp_path: Path) -> Group:
    """A group that looks like a real one."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return Group(2, {"": str(tmp_path)})


def test_limits_are_written_in_the_kernels_words(group: Group) -> None:
    cgroups.create(group, Caps(cpu=0.5, memory=1 << 20, processes=7))
    folder = Path(group.folder(""))
    assert (folder / "cpu.max").read_text() == "50000 100000"
    assert (folder / "memory.max").read_text() == "1048576"
    assert (folder / "memory.swap.max").read_text().startswith("0")
    assert (folder / "pids.max").read_text().startswith("7")


def test_figures_are_read(group: Group) -> None:
    assert cgroups.cpu_seconds(group) == 2.5
    assert cgroups.memory_now(group) == 80 << 20
    assert cgroups.memory_peak(group) == 120 << 20
    assert cgroups.memory_kills(group) == 1
    assert cgroups.refused_forks(group) == 3


def test_older_kernels_without_peak_and_swap_will_do(group: Group) -> None:
    folder = Path(group.folder(""))
    (folder / "memory.peak").unlink()
    (folder / "memory.swap.max").unlink()
    (folder / "pids.events").unlink()
    cgroups.create(group, Caps(cpu=1, memory=1 << 20, processes=7))
    assert cgroups.memory_peak(group) == 0
    assert cgroups.refused_forks(group) == 0


def test_join_names_the_process(group: Group) -> None:
    cgroups.join(group, 4711)
    assert cgroups.members(group) == {4711}


def test_controllers_are_delegated_once(group: Group) -> None:
    folder = Path(group.folder(""))
    groups._delegate(str(folder))
    assert (folder / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    (folder / "cgroup.subtree_control").write_text("memory pids cpu\n")
    groups._delegate(str(folder))
    assert (folder / "cgroup.subtree_control").read_text() == "memory pids cpu\n"


async def test_a_unit_that_does_not_run_is_no_place_for_runs(tmp_path: Path) -> None:
    settings = ProcessSettings(state=tmp_path / "state", runs_unit="smalti-nobody@here.service")
    runtime = ProcessRuntime(settings)
    with pytest.raises(RuntimeFailure, match=r"smalti-nobody@here\.service"):
        await runtime.open()

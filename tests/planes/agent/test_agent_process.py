"""The agent as its own process, with real runs: what a person's job sees, and kill -9."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.planes.protocol import Outcome, Phase, RunOrder
from tests.planes.agent.conftest import make_order, until
from tests.planes.agent.control import CREDENTIAL, Control
from tests.planes.agent.gitserver import TOKEN, GitServer


class AgentProcess:
    """`python -m services.planes.agent` on a home of its own."""

    def __init__(self, home: Path, control: Control) -> None:
        self.home = home
        self.log = home / "agent.log"
        self._process: asyncio.subprocess.Process | None = None
        (home / "run").mkdir()
        (home / "secrets").mkdir()
        (home / "run" / "ports.json").write_text(json.dumps({"platform": control.port}))
        (home / "secrets" / "agent-local.token").write_text(CREDENTIAL)

    async def start(self) -> None:
        """Start it."""
        env = {"PATH": os.environ["PATH"], "SMALTI_HOME": str(self.home), "PYTHONPATH": os.getcwd()}
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.planes.agent", env=env, stdout=log, stderr=log
            )

    async def end(self, number: signal.Signals) -> int:
        """End it by a signal; returns its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self._process.wait()

    def state(self) -> dict[str, object]:
        """What it leaves for `smalti-admin status`."""
        found: dict[str, object] = json.loads((self.home / "agent" / "state.json").read_text())
        return found

    def kept(self) -> list[str]:
        """What is left in its home of any run."""
        folders = ("desired", "runs", "outputs", "runtime/runs")
        found = [name for folder in folders for name in os.listdir(self.home / "agent" / folder)]
        return [name for name in found if not name.startswith("spare")]


@pytest.fixture
async def process(tmp_path: Path, control: Control) -> AsyncIterator[AgentProcess]:
    environment = tmp_path / "environments" / "default" / "1" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    made = AgentProcess(tmp_path, control)
    await made.start()
    yield made
    for command in list(control.commands.values()):
        if command.action != "forget":
            await control.forget(command.workload_id)
    if made._process is not None and made._process.returncode is not None:
        await made.start()
    await until(lambda: (made.home / "agent/runtime/runs").is_dir() and not made.kept(), timeout=20)
    await made.end(signal.SIGTERM)


MAIN = b"""
import json, os, subprocess, sys
print("here", os.path.basename(os.getcwd()), sys.argv[1:])
print(subprocess.run(["git", "log", "-1", "--format=%H"], capture_output=True, text=True).stdout)
open(os.path.join(os.environ["SMALTI_OUTPUTS"], "m.json"), "w").write(json.dumps({"a": 1}))
open("scratch", "w").write("the checkout is mine")
sys.exit(int(sys.argv[1]))
"""


async def test_real_job(process: AgentProcess, control: Control, git: GitServer) -> None:
    git.create("proj")
    commit = git.commit("proj", {"main.py": MAIN})
    await control.run("w1", make_order(commit, file="main.py", args=["3", "x y"]))
    final = await control.final("w1", timeout=20)
    assert (final.outcome, final.reason, final.exit_code) == (Outcome.FAILED, "exit code 3", 3)
    assert control.log("w1").decode().startswith("here w1.1 ['3', 'x y']\n" + commit)
    assert control.outputs["w1", 1] == {"m.json": b'{"a": 1}'}
    assert final.usage is not None
    assert final.usage.cpu_seconds > 0
    assert final.isolation in ("full", "namespaces", "none")
    await until(lambda: not process.kept())
    state = process.state()
    assert (state["connected"], state["plane"]) == (True, "local")
    # Nothing of a run's or of our own credential is in what was logged.
    log = process.log.read_text()
    assert TOKEN not in log
    assert CREDENTIAL not in log
    assert all(json.loads(line)["event"] for line in log.splitlines())
    assert await process.end(signal.SIGTERM) == 0
    assert process.state()["connected"] is False


async def test_ends_of_real_programs(
    process: AgentProcess, control: Control, commit: str, order: RunOrder
) -> None:
    small = order.limits.model_copy(update={"memory": 64 << 20})
    orders = {
        "succeeded": make_order(commit, shell="echo $SMALTI_PROJECT | tr a-z A-Z"),
        "killed": make_order(commit, shell="kill -SEGV $$"),
        "absent": make_order(commit, argv=["no-such-program"]),
        "late": make_order(commit, argv=["sleep", "60"], timeout=0.5, grace=0.5),
        "hungry": make_order(commit, argv=["python", "-c", "x = bytearray(1 << 30)"], limits=small),
    }
    for name, one in orders.items():
        await control.run(name, one)
    told = {name: (await control.final(name, timeout=20)).reason for name in orders}
    assert told["late"] == "time limit of 0.5 s reached"
    assert told["succeeded"] is None
    assert control.log("succeeded") == b"ADA/PROJ\n"
    assert told["killed"] == "killed by SIGSEGV"
    assert "no-such-program" in (told["absent"] or "")
    assert told["hungry"] == "memory limit of 64 MiB reached"


async def test_runs_outlive_a_terminated_agent(
    process: AgentProcess, control: Control, commit: str
) -> None:
    await control.run("w1", make_order(commit, shell="echo one; sleep 1; echo two"))
    await control.until(lambda: control.log("w1") == b"one\n")
    assert await process.end(signal.SIGTERM) == 0
    await process.start()
    final = await control.final("w1", timeout=20)
    assert final.outcome is Outcome.SUCCEEDED
    assert control.log("w1") == b"one\ntwo\n"


@pytest.mark.parametrize("seed", [11])
async def test_killed_again_and_again(
    process: AgentProcess, control: Control, git: GitServer, tmp_path: Path, seed: int
) -> None:
    """Jobs of all lengths while the agent is killed with -9: each ran once, nothing was lost."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    git.create("proj")
    program = (
        "import os,sys,time\n"
        "open(os.environ['SMALTI_OUTPUTS'] + '/o', 'w').write('out')\n"
        "print('started', flush=True)\n"
        "time.sleep(float(sys.argv[1]))\n"
        "print('x' * 100000)\nsys.exit(int(sys.argv[2]))\n"
    )
    commit = git.commit("proj", {"main.py": program.encode()})
    codes = {f"w{number}": number % 3 for number in range(16)}
    for number, (name, code) in enumerate(codes.items()):
        pause = f"{chance.random():.2f}"
        await control.run(name, make_order(commit, file="main.py", args=[pause, str(code)]))
        await asyncio.sleep(chance.random() * 0.1)
        if number % 4 == 3:
            await asyncio.sleep(chance.random() * 0.7)
            await process.end(signal.SIGKILL)
            await process.start()
    for name, code in codes.items():
        final = await control.final(name, timeout=30)
        assert final.exit_code == code, final
        assert (final.outcome is Outcome.SUCCEEDED) == (code == 0)
        # Exactly one start is in the log, and all that was written after it.
        assert control.log(name) == b"started\n" + b"x" * 100000 + b"\n"
        assert control.outputs[name, 1] == {"o": b"out"}
    await until(lambda: not process.kept(), timeout=15)


async def test_stop_reaches_a_real_run(
    process: AgentProcess, control: Control, commit: str
) -> None:
    await control.run("w1", make_order(commit, argv=["sleep", "100"]))
    await control.phase("w1", Phase.RUNNING)
    await control.stop_run("w1")
    assert (await control.final("w1", timeout=20)).outcome is Outcome.STOPPED

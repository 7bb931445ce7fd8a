"""An agent, a control plane that it talks to over real HTTP, and a real git server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.planes.agent.agent import Agent
from services.planes.agent.client import Client
from services.planes.agent.settings import Address, Pace, Settings
from services.planes.protocol import EnvironmentOrder, LimitsOrder, RunOrder
from services.supervisor.environment import CACHE
from spawners.fakes import FakeRuntime
from spawners.runtime import Runtime
from tests.instance import ENVIRONMENTS
from tests.planes.agent.control import CREDENTIAL, Control
from tests.planes.agent.gitserver import TOKEN, GitServer

QUICK = Pace(
    batch=0.01,
    progress=0.05,
    samples=0.1,
    repeat=0.5,
    backoff_first=0.02,
    backoff_near=0.2,
    backoff_far=0.5,
)


class Plane:
    """One plane's agent, which can be killed and started again on the same home."""

    def __init__(self, home: Path, control: Control) -> None:
        self.home = home
        self.control = control
        self.pace = QUICK
        self.cache_max = 1 << 30
        self.disk_floor = 0
        self.runtime: Any = FakeRuntime()
        self.agent: Agent | None = None
        self._task: asyncio.Task[None] | None = None

    def settings(self) -> Settings:
        """The agent's settings."""
        return Settings(
            home=self.home / "agent",
            environments=self.home / "environments",
            pace=self.pace,
            cache_max=self.cache_max,
            disk_floor=self.disk_floor,
        )

    def start(self, runtime: Runtime | None = None) -> Any:
        """Start an agent; its runtime is returned."""
        if runtime is not None:
            self.runtime = runtime
        (self.home / "agent").mkdir(exist_ok=True)
        origin = self.control.origin
        client = Client(lambda: Address(origin, CREDENTIAL, f"{origin}/api", loopback=True))
        self.agent = Agent(self.settings(), client, self.runtime)
        self._task = asyncio.create_task(self.agent.run())
        return self.runtime

    async def end(self) -> None:
        """End the agent as SIGTERM would; what is on disk stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def files(self, folder: str) -> list[str]:
        """Names in a folder of the agent's home."""
        found = (path.name for path in (self.home / "agent" / folder).iterdir())
        return sorted(name for name in found if not name.startswith("spare"))

    async def settled(self) -> None:
        """Wait until nothing is desired and nothing is left."""
        folders = ("desired", "runs", "outputs")
        await until(lambda: not any(self.files(folder) for folder in folders))


async def until(condition: Any, timeout: float = 10.0) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default and the tools environment as the supervisor builds them."""
    home = tmp_path_factory.mktemp("environments")
    # Of its own process: the build sets a umask.
    subprocess.run(
        [sys.executable, "-m", "services.supervisor.building", str(home)],
        check=True,
        env={**os.environ, CACHE: str(ENVIRONMENTS)},
    )
    return home / "environments"


@pytest.fixture
async def git(tmp_path: Path) -> GitServer:
    root = tmp_path / "repositories"
    root.mkdir()
    return GitServer(root)


@pytest.fixture
async def control(git: GitServer) -> AsyncIterator[Control]:
    made = Control(git)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def plane(tmp_path: Path, control: Control) -> AsyncIterator[Plane]:
    environment = tmp_path / "environments" / "default" / "1" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    made = Plane(tmp_path, control)
    yield made
    await made.end()


@pytest.fixture
def commit(git: GitServer) -> str:
    git.create("proj")
    return git.commit("proj", {"main.py": b"print('hello')\n", "data/x.csv": b"1,2\n"})


@pytest.fixture
def order(commit: str) -> RunOrder:
    return make_order(commit)


def make_order(commit: str, **changes: Any) -> RunOrder:
    """An order to run `true` at a commit of project `proj`."""
    values: dict[str, Any] = {
        "kind": "job",
        "project_id": "proj",
        "project": "ada/proj",
        "person_id": "person-1",
        "repository": "/git/proj.git",
        "commit": commit,
        "environment": EnvironmentOrder(name="default", revision=1, digest="sha256:0"),
        "token": TOKEN,
        "limits": LimitsOrder(cpu=1, memory=512 << 20),
    }
    if not {"argv", "shell", "file"} & set(changes):
        values["argv"] = ["true"]
    return RunOrder(**{**values, **changes})

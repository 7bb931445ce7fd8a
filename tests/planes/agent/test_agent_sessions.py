"""Sessions by the agent as its own process: a real JupyterLab, in the sandbox, behind a hub."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.planes.protocol import (
    Activity,
    LimitsOrder,
    Outcome,
    Phase,
    RunOrder,
    RunReport,
    SessionOrder,
)
from services.supervisor import building
from services.supervisor.environment import RECIPES
from services.supervisor.home import Home
from tests.instance import ENVIRONMENTS
from tests.planes.agent.conftest import make_order, until
from tests.planes.agent.control import Control
from tests.planes.agent.gitserver import GitServer
from tests.planes.agent.lab import PREFIX, Browser, Hub
from tests.planes.agent.test_agent_process import AgentProcess

PERSON = {"person_name": "Ada L.", "person_email": "ada@example.org"}


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default and the tools environment, as set-up makes them."""
    home = Home(tmp_path_factory.mktemp("built"))
    home.make_folders()
    ENVIRONMENTS.mkdir(exist_ok=True)
    for recipe in RECIPES:
        building.build(home, ENVIRONMENTS, recipe)
    return home.path("environments")


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = Hub()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def process(
    tmp_path: Path, control: Control, environments: Path
) -> AsyncIterator[AgentProcess]:
    (tmp_path / "environments").symlink_to(environments)
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


def session_order(commit: str, **changes: Any) -> RunOrder:
    """An order of a JupyterLab on volume `wine`."""
    values: dict[str, Any] = {"tool": "jupyterlab", "base_url": PREFIX, "volume": "wine"}
    values["branch"] = "main"
    values |= {
        name: changes.pop(name) for name in ("volume", "branch", "restore") if name in changes
    }
    limits = LimitsOrder(cpu=2, memory=2 << 30)
    return make_order(
        commit,
        kind="session",
        argv=None,
        session=SessionOrder(**values),
        **{"limits": limits, **PERSON, **changes},
    )


async def started(control: Control, hub: Hub, name: str, order: RunOrder) -> str:
    """Start a session and wait for its address."""
    control.secrets[name] = hub.variables()
    await control.run(name, order)
    report = await control.until(lambda: _answering(control, name), timeout=40)
    assert isinstance(report.address, str)
    return report.address


def _answering(control: Control, name: str) -> RunReport | None:
    report = control.reports.get((name, 1))
    assert report is None or report.phase is not Phase.FINISHED, (report, control.log(name))
    return report if report is not None and report.address else None


async def told(control: Control, name: str, wanted: Any, timeout: float = 20) -> Activity:
    """Wait until a report's activity is as wanted."""

    def found() -> Activity | None:
        report = control.reports.get((name, 1))
        activity = report.activity if report else None
        return activity if activity is not None and wanted(activity) else None

    activity: Activity = await control.until(found, timeout)
    return activity


async def test_a_kernel_and_its_state_outlive_a_killed_agent(
    process: AgentProcess, control: Control, hub: Hub, git: GitServer, commit: str
) -> None:
    address = await started(control, hub, "w1", session_order(commit))
    async with Browser(address) as browser:
        specs = await browser.ask("GET", "api/kernelspecs")
        shown = {k: v["spec"]["display_name"] for k, v in specs["kernelspecs"].items()}
        assert shown == {"python3": "Python (default, revision 1)"}
        kernel = await browser.open_notebook("fit.ipynb")
        assert await browser.execute(kernel, "x = 41\nprint('set')") == "set\n"
        await process.end(signal.SIGKILL)
        assert await browser.execute(kernel, "print(x + 1)") == "42\n"
        control.reports.clear()
        await process.start()
        again = await control.until(lambda: _answering(control, "w1"))
        assert again.address == address
        assert await browser.execute(kernel, "print(x + 2)") == "43\n"
        await told(control, "w1", lambda seen: seen.busy is None)
    await control.stop_run("w1")
    final = await control.final("w1", timeout=20)
    assert final.outcome is Outcome.STOPPED

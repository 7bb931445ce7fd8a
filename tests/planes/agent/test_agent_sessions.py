"""Sessions by the agent as its own process: a real JupyterLab, in the sandbox, behind a hub."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
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
from tests.planes.agent.conftest import make_order, until
from tests.planes.agent.control import Control
from tests.planes.agent.gitserver import TOKEN, GitServer
from tests.planes.agent.lab import PREFIX, SERVER_TOKEN, Browser, Hub
from tests.planes.agent.test_agent_process import AgentProcess

pytestmark = pytest.mark.timeout(300)  # whole JupyterLabs, on a machine that has more to do

PERSON = {"person_name": "Ada Lovelace", "person_email": "ada@example.org"}


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
    values |= {name: changes.pop(name) for name in set(values) | {"restore"} if name in changes}
    limits = LimitsOrder(cpu=2, memory=2 << 30)
    return make_order(
        commit,
        kind="session",
        argv=None,
        session=SessionOrder(**values),
        **{"limits": limits, "secrets": True, **PERSON, **changes},
    )


async def started(control: Control, hub: Hub, name: str, order: RunOrder) -> str:
    """Start a session and wait for its address."""
    control.secrets[name] = hub.variables()
    await control.run(name, order)
    report = await control.until(lambda: _answering(control, name), timeout=90)
    assert isinstance(report.address, str)
    return report.address


def _answering(control: Control, name: str) -> RunReport | None:
    report = control.reports.get((name, 1))
    assert report is None or report.phase is not Phase.FINISHED, (report, control.log(name))
    return report if report is not None and report.address else None


async def told(control: Control, name: str, wanted: Any, timeout: float = 60) -> Activity:
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
        page = await browser.page("lab")
        assert '"news": {"disabled": true}' in page
        assert '"can_install": false' in page
        asked = "lab/api/settings/@jupyterlab/apputils-extension:notification"
        notices = (await browser.ask("GET", asked))["schema"]["properties"]
        assert notices["fetchNews"]["default"] == "false"
        assert notices["checkForUpdates"]["default"] is False
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
    final = await control.final("w1", timeout=60)
    assert final.outcome is Outcome.STOPPED


GIT = """
import os, subprocess
def sh(line):
    done = subprocess.run(line, shell=True, text=True, stdout=-1, stderr=-2)
    print(done.stdout, end="")
    return done.returncode
"""


async def test_git_knows_its_person_and_asks_for_no_password(
    process: AgentProcess, control: Control, hub: Hub, git: GitServer, commit: str
) -> None:
    address = await started(control, hub, "w1", session_order(commit))
    async with Browser(address) as browser:
        kernel = await browser.open_notebook("a.ipynb")
        line = (
            "echo new > new.txt && git add new.txt && git commit -qm n && git push -q && git pull"
        )
        said = await browser.execute(kernel, f"{GIT}\nprint(sh({line!r}))")
        assert said == "Already up to date.\n0\n"
        shown = subprocess.run(
            ["git", "-C", str(git.root / "proj.git"), "log", "-1", "--format=%an %ae %s", "main"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout == "Ada Lovelace ada@example.org n\n"
        said = await browser.execute(kernel, "sh('git status -sb; git remote get-url origin')")
        assert said == f"## main...origin/main\n{control.origin}/git/proj.git\n"
        # A new branch needs no words either.
        line = "git switch -qc mine && git commit -q --allow-empty -m m && git push -q 2>&1"
        assert await browser.execute(kernel, f"print(sh({line!r}))") == "0\n"
        # The terminal finds the environment and our command line, and pushes as well.
        text = await browser.terminal("type -p python smalti | xargs dirname; git push --dry-run")
        environment = f"{process.home}/environments/default/1/bin"
        assert environment in text
        assert "Everything up-to-date" in text
    # The run's token is in no file that outlives the run.
    volume = process.home / "agent" / "volumes" / "wine"
    for secret in (TOKEN, SERVER_TOKEN):
        for folder in (volume, process.home / "agent" / "sessions", process.home / "agent.log"):
            found = subprocess.run(
                ["grep", "-rlF", secret, str(folder)], check=False, capture_output=True
            )
            assert found.stdout == b""


async def test_what_a_person_left_is_there_again_and_snapshots_are_put_back(
    process: AgentProcess, control: Control, hub: Hub, git: GitServer, commit: str
) -> None:
    address = await started(control, hub, "w1", session_order(commit))
    async with Browser(address) as browser:
        kernel = await browser.open_notebook("a.ipynb")
        said = await browser.execute(
            kernel,
            "import os\nopen('main.py','w').write('mine')\nopen('extra','w').write('e')\n"
            "open(os.path.expanduser('~/.bashrc'),'w').write('# mine')\nprint(os.getcwd())",
        )
        assert said == f"{process.home}/agent/volumes/wine/project\n"
    await control.stop_run("w1")
    await control.final("w1", timeout=60)
    later = git.commit("proj", {"later.py": b"later"})
    address = await started(control, hub, "w2", session_order(later, restore=later))
    look = (
        "import os\nprint(sorted(os.listdir()))\nprint(open('main.py').read())\n"
        "print(os.path.exists(os.path.expanduser('~/.bashrc')))"
    )
    async with Browser(address) as browser:
        kernel = await browser.open_notebook("a.ipynb")
        said = await browser.execute(kernel, look)
        assert said == "['.git', 'data', 'extra', 'later.py', 'main.py']\nprint('hello')\n\nTrue\n"


async def test_activity_is_told_truly_and_ends_with_the_right_to_it(
    process: AgentProcess, control: Control, hub: Hub, commit: str
) -> None:
    address = await started(control, hub, "w1", session_order(commit))
    async with Browser(address) as browser:
        kernel = await browser.open_notebook("fit.ipynb")
        await browser.execute(kernel, "print(1)")
        quiet = await told(control, "w1", lambda seen: seen.busy is None)
        assert quiet.connections == 0
        page = await browser.connect("api/events/subscribe")
        await told(control, "w1", lambda seen: seen.connections == 1)
        await browser.begin(kernel, "import time\nwhile True: time.sleep(0.1)")
        seen = await told(control, "w1", lambda seen: seen.busy)
        assert seen.busy == "kernel of fit.ipynb is busy"
        assert (datetime.now(UTC) - seen.last).total_seconds() < 10
        await browser.ask("POST", f"api/kernels/{kernel}/interrupt")
        await told(control, "w1", lambda seen: seen.busy is None)
        await browser.terminal("(while :; do :; done) & true")
        seen = await told(control, "w1", lambda seen: seen.busy)
        assert seen.busy == "a program in terminal 1 is busy"
        await browser.ask("DELETE", "api/terminals/1")
        last = (await told(control, "w1", lambda seen: seen.busy is None)).last
        # An open page that asks for news is no activity.
        for _ in range(3):
            for path in ("api/kernels", "api/sessions", "api/terminals", "api/contents/"):
                await browser.ask("GET", path)
        assert (await told(control, "w1", lambda seen: seen.connections == 1)).last == last
        # Nobody tells the server that a right has ended: it asks.
        hub.allowed = False
        began = time.monotonic()
        async with asyncio.timeout(40):
            async for _ in page:
                pass
        assert time.monotonic() - began < 30
        assert page.close_code == 4401
        with pytest.raises(AssertionError, match="403"):
            await browser.ask("GET", "api/kernels")
        await told(control, "w1", lambda seen: seen.connections == 0)


async def test_a_kernel_that_eats_all_memory_dies_and_the_server_lives(
    process: AgentProcess, control: Control, hub: Hub, commit: str
) -> None:
    limits = LimitsOrder(cpu=2, memory=700 << 20)
    address = await started(control, hub, "w1", session_order(commit, limits=limits))
    async with Browser(address) as browser:
        calm = await browser.open_notebook("calm.ipynb")
        await browser.execute(calm, "kept = 7")
        hungry = await browser.open_notebook("hungry.ipynb")
        await browser.begin(hungry, "x = []\nwhile True: x.append(b'x' * 10_000_000)")
        said = "memory limit of 700 MiB reached: the largest program was ended"
        await control.until(lambda: said in control.log("w1").decode(), timeout=40)
        assert await browser.execute(calm, "print(kept)") == "7\n"
        await control.until(lambda: said in (control.reports["w1", 1].reason or ""))
        assert control.reports["w1", 1].phase is Phase.RUNNING
    await control.stop_run("w1")
    final = await control.final("w1", timeout=60)
    assert (final.outcome, final.reason) == (Outcome.STOPPED, "stopped on request")


SPY = """
import glob, os, socket
def tried(act):
    try:
        return act()
    except OSError as error:
        return type(error).__name__
home = {home!r}
print(tried(lambda: os.listdir(home + "/agent/volumes")))
print(tried(lambda: os.listdir(home + "/agent/sessions")))
for path in ("/secrets/agent-local.token", "/agent/desired", "/agent/volumes/other/project",
             "/agent/runtime", "/run/ports.json"):
    print(tried(lambda: os.stat(home + path) and "seen"))
for path in ("/environments/default/1/x", "/environments/.tools/1/x", "/agent/sessions/w1.1/x",
             "/environments/default/1/lib", "/agent/sessions/w1.1/gitconfig"):
    print(tried(lambda: (os.rename if 0 else open)(home + path, "w") and "written"))
print(os.getuid() == os.stat(os.path.expanduser("~")).st_uid, os.path.expanduser("~"))
"""


async def test_a_session_sees_its_own_and_changes_nothing_shared(
    process: AgentProcess, control: Control, hub: Hub, commit: str
) -> None:
    other = session_order(commit, volume="other", person_id="person-2", base_url=PREFIX)
    await asyncio.gather(
        started(control, hub, "w2", other), started(control, hub, "w1", session_order(commit))
    )
    address = control.reports["w1", 1].address
    assert address
    assert address != control.reports["w2", 1].address
    async with Browser(address) as browser:
        kernel = await browser.open_notebook("a.ipynb")
        said = await browser.execute(kernel, SPY.format(home=str(process.home)))
    if control.reports["w1", 1].isolation == "none":
        pytest.skip("nothing is hidden on a machine without a sandbox")
    missing, refused = "FileNotFoundError", ("OSError", "PermissionError", "IsADirectoryError")
    lines = said.splitlines()
    assert lines[:2] == ["['wine']", "['w1.1']"]
    assert lines[2:7] == [missing] * 5
    assert all(line in refused for line in lines[7:12]), lines
    assert lines[12] == "True /home/person"

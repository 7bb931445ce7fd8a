"""Sessions as pods through the agent: a real JupyterLab, its files, its end, what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.planes.protocol import LimitsOrder, Outcome, Phase, RunOrder, RunReport
from tests.kubernetes.place import Place, PodPlane
from tests.planes.agent.control import Control
from tests.planes.agent.gitserver import GitServer
from tests.planes.agent.lab import Browser, Hub
from tests.planes.agent.test_agent_sessions import session_order as order_of
from tests.spawners.reading import Reading

pytestmark = pytest.mark.timeout(400)
SMALL = LimitsOrder(cpu=0.5, memory=1 << 30)


def session_order(commit: str, **changes: Any) -> RunOrder:
    """An order of a JupyterLab that fits on a small node."""
    return order_of(commit, **{"limits": SMALL, **changes})


@dataclass
class Bench:
    """An agent of a cluster, and the hub that its sessions ask."""

    control: Control
    place: Place
    plane: PodPlane
    hub: Hub
    api: str

    async def start(self, name: str, order: RunOrder) -> str:
        """Start a session and wait until it answers."""
        self.control.secrets[name] = self.hub.variables(self.api)
        await self.control.run(name, order)
        return await self.answering(name)

    async def answering(self, name: str) -> str:
        """Wait for a session's address."""

        def found() -> RunReport | None:
            report = self.control.reports.get((name, 1))
            assert report is None or report.phase is not Phase.FINISHED, (
                report,
                self.control.log(name),
            )
            return report if report is not None and report.address else None

        report = await self.control.until(found, timeout=self.place.patience)
        assert isinstance(report.address, str)
        return report.address

    async def stop(self, name: str) -> RunReport:
        """Stop a session and wait for its end."""
        await self.control.stop_run(name)
        return await self.control.final(name, timeout=self.place.patience)


@pytest.fixture
async def bench(
    control: Control, place: Place, plane: PodPlane, environments: Path
) -> AsyncIterator[Bench]:
    hub = Hub()
    await hub.start()
    place.with_tools(environments)
    yield Bench(control, place, plane, hub, await place.reachable(hub.port))
    await hub.stop()


async def test_code_runs_and_files_outlive_the_pod_until_nobody_names_them(
    bench: Bench, commit: str
) -> None:
    control, place = bench.control, bench.place
    bench.plane.pace = bench.plane.pace.__class__(**{**vars(bench.plane.pace), "clean": 0.5})
    bench.plane.start(volume_young=0.0)
    control.volumes = ["wine"]
    address = await bench.start("w1", session_order(commit))
    async with Browser(address) as browser:
        specs = await browser.ask("GET", "api/kernelspecs")
        shown = {k: v["spec"]["display_name"] for k, v in specs["kernelspecs"].items()}
        assert shown == {"python3": "Python (default, revision 1)"}
        kernel = await browser.open_notebook("fit.ipynb")
        code = "open('main.py', 'w').write('mine'); import os; print(sorted(os.listdir('.')))"
        assert await browser.execute(kernel, code) == "['.git', 'data', 'main.py']\n"
    [pod], [service] = await place.list("pods"), await place.list("services")
    assert await place.list("jobs") == []
    assert service["metadata"]["ownerReferences"][0]["uid"] == pod["metadata"]["uid"]
    assert address == f"http://{service['spec']['clusterIP']}:8888"
    final = await bench.stop("w1")
    assert (final.outcome, final.reason) == (Outcome.STOPPED, "stopped on request")
    await control.forget("w1")
    await place.until_empty()
    assert len(await place.list("persistentvolumeclaims")) == 1
    async with Browser(await bench.start("w2", session_order(commit))) as browser:
        kernel = await browser.open_notebook("fit.ipynb")
        assert await browser.execute(kernel, "print(open('main.py').read())") == "mine\n"
    await bench.stop("w2")
    await control.forget("w2")
    await place.until_empty()
    control.volumes = []
    async with asyncio.timeout(place.patience):
        while await place.list("persistentvolumeclaims"):
            await asyncio.sleep(0.1)


async def test_a_kernel_outlives_the_agent_and_git_knows_its_person(
    bench: Bench, git: GitServer, commit: str
) -> None:
    bench.plane.start()
    address = await bench.start("w1", session_order(commit))
    async with Browser(address) as browser:
        kernel = await browser.open_notebook("a.ipynb")
        assert await browser.execute(kernel, "x = 41\nprint('set')") == "set\n"
        await bench.plane.end()
        bench.control.reports.clear()
        bench.plane.start()
        assert await bench.answering("w1") == address
        assert await browser.execute(kernel, "print(x + 1)") == "42\n"
        line = "git commit -q --allow-empty -m n && git push -q && git log -1 --format=%an"
        code = f"import subprocess; print(subprocess.getoutput({line!r}))"
        assert await browser.execute(kernel, code) == "Ada Lovelace\n"
        await bench.control.until(
            lambda: (told := bench.control.reports["w1", 1].activity) and told.busy is None
        )
    await bench.stop("w1")
    await bench.control.forget("w1")
    await bench.place.until_empty()


async def test_files_are_read_where_they_are_and_put_back(
    bench: Bench, git: GitServer, commit: str, tmp_path: Path
) -> None:
    runtime = bench.plane.start()
    address = await bench.start("w1", session_order(commit))
    project, store = Path("/not/here"), tmp_path / "store"
    async with Reading(runtime, project, store, prompt=1 << 16) as reading:
        first = await reading.look()
        assert reading.content(first, b"main.py") == b"print('hello')\n"
        async with Browser(address) as browser:
            kernel = await browser.open_notebook("a.ipynb")
            code = "open('main.py', 'w').write('mine'); open('l', 'wb').write(b'l' * 200_000)"
            await browser.execute(kernel, code)
        second = await reading.look()
        assert reading.content(second, b"main.py") == b"mine"
        [[path, size]] = second["waiting"]
        assert size == 200_000
        await reading.large(path)
        assert reading.content(await reading.look(), b"l") == b"l" * 200_000
        reading.fsck()
    await bench.stop("w1")
    await bench.control.forget("w1")
    later = git.commit("proj", {"main.py": b"later"})
    order = session_order(later, restore=later)
    async with Browser(await bench.start("w2", order)) as browser:
        kernel = await browser.open_notebook("a.ipynb")
        said = await browser.execute(kernel, "print(open('main.py').read())")
        assert said == "later\n"
    await bench.stop("w2")


async def test_a_pod_that_is_deleted_is_told(bench: Bench, commit: str) -> None:
    bench.plane.start()
    await bench.start("w1", session_order(commit, grace=2.0))
    pod = await bench.place.pod()
    await bench.place.api.call("DELETE", f"{bench.place.path('pods')}/{pod['metadata']['name']}")
    final = await bench.control.final("w1", timeout=bench.place.patience)
    assert (final.outcome, final.retryable) == (Outcome.ERROR, True)
    assert "its pod was deleted" in str(final.reason)
    await bench.control.forget("w1")
    await bench.place.until_empty()


async def test_what_waits_for_room_says_so_and_can_be_stopped(bench: Bench, commit: str) -> None:
    bench.plane.start()
    much = LimitsOrder(cpu=4000, memory=512 << 20)
    bench.control.secrets["w1"] = bench.hub.variables(bench.api)
    await bench.control.run("w1", session_order(commit, limits=much))

    def told() -> bool:
        report = bench.control.reports.get(("w1", 1))
        return "no node has room" in str(report.reason if report else "")

    await bench.control.until(told, timeout=20)
    assert (await bench.stop("w1")).outcome is Outcome.STOPPED
    await bench.control.forget("w1")
    await bench.place.until_empty()

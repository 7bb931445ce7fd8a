"""What only a real cluster can do to a session: no image, no storage, no memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.planes.protocol import LimitsOrder, Outcome
from tests.kubernetes.place import PodPlane, RealPlace
from tests.kubernetes.test_sessions import Bench, session_order
from tests.planes.agent.control import Control
from tests.planes.agent.lab import Browser, Hub

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(400)]


@pytest.fixture
async def bench(tmp_path: Path, control: Control, real: RealPlace) -> AsyncIterator[Bench]:
    hub = Hub()
    await hub.start()
    plane = PodPlane(tmp_path, control, real)
    yield Bench(control, real, plane, hub, await real.reachable(hub.port))
    await plane.end()
    await hub.stop()


async def told(bench: Bench, words: str, seconds: float = 10.0) -> None:
    """Wait until a session says something of itself."""

    def says() -> bool:
        report = bench.control.reports.get(("w1", 1))
        return report is not None and words in (report.reason or "")

    await bench.control.until(says, timeout=seconds)


async def test_an_image_that_does_not_exist_is_told_and_given_up(bench: Bench, commit: str) -> None:
    pods = bench.place.pods
    bench.place.pods = type(pods)("127.0.0.1:9/none:1", pods.environment, pods.tools)
    bench.plane.start()
    await bench.control.run("w1", session_order(commit, secrets=False))
    await told(bench, "image pull", 40)
    final = await bench.control.final("w1", timeout=bench.place.patience)
    assert (final.outcome, final.retryable) == (Outcome.ERROR, True)
    assert "image pull" in str(final.reason)
    await bench.control.forget("w1")
    await bench.place.until_empty()


async def test_a_storage_class_that_is_not_there_is_told(bench: Bench, commit: str) -> None:
    bench.plane.start(volume_class="nowhere")
    await bench.control.run("w1", session_order(commit, secrets=False))
    await told(bench, "its volume")
    assert (await bench.stop("w1")).outcome is Outcome.STOPPED
    await bench.control.forget("w1")
    await bench.place.until_empty()


async def test_a_kernel_that_eats_all_memory_is_told(bench: Bench, commit: str) -> None:
    bench.plane.start()
    limits = LimitsOrder(cpu=0.5, memory=500 << 20)
    async with Browser(await bench.start("w1", session_order(commit, limits=limits))) as browser:
        calm = await browser.open_notebook("calm.ipynb")
        await browser.execute(calm, "kept = 7")
        hungry = await browser.open_notebook("hungry.ipynb")
        await browser.begin(hungry, "x = []\nwhile True: x.append(b'x' * 10_000_000)")
        await told(bench, "memory limit of 500 MiB reached", 60)
        assert await browser.execute(calm, "print(kept)") == "7\n"
    assert (await bench.stop("w1")).outcome is Outcome.STOPPED

"""What only a real cluster can do to a run: quota, eviction, crash loops."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.planes.protocol import Outcome, RunReport
from tests.kubernetes.place import PodPlane, RealPlace
from tests.planes.agent.conftest import make_order
from tests.planes.agent.control import Control

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(400)]
WAITS = ["python", "-c", "import time; print('there', flush=True); time.sleep(600)"]


@pytest.fixture
def plane(tmp_path: Path, control: Control, real: RealPlace) -> PodPlane:
    return PodPlane(tmp_path, control, real)


async def told(control: Control, words: str, seconds: float) -> None:
    """Wait until a run that waits says why."""

    def says() -> bool:
        report = control.reports.get(("w1", 1))
        return report is not None and words in (report.reason or "")

    await control.until(says, timeout=seconds)


async def final(control: Control, real: RealPlace) -> RunReport:
    return await control.final("w1", timeout=real.patience)


async def test_a_quota_of_zero_is_told_within_ten_seconds(
    control: Control, real: RealPlace, plane: PodPlane, commit: str
) -> None:
    body = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    await real.api.call("POST", f"/api/v1/namespaces/{real.namespace}/resourcequotas", body)
    plane.start()
    await control.run("w1", make_order(commit))
    await told(control, "the quota of the plane is used up (none)", 10)
    await control.stop_run("w1")
    assert (await final(control, real)).outcome is Outcome.STOPPED
    await real.until_empty()
    await plane.end()


async def test_an_evicted_pod_hands_over_and_is_told(
    control: Control, real: RealPlace, plane: PodPlane, commit: str
) -> None:
    plane.start()
    await control.run("w1", make_order(commit, argv=WAITS, grace=1.0))
    await control.until(lambda: b"there" in control.log("w1"), timeout=real.patience)
    name = (await real.pod())["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    await real.api.call("POST", f"{real.path('pods')}/{name}/eviction", body)
    ended = await final(control, real)
    assert (ended.outcome, ended.retryable) == (Outcome.ERROR, True)
    assert "the cluster took its pod away" in str(ended.reason)
    assert control.log("w1") == b"there\n"
    await real.until_empty()
    await plane.end()


async def test_a_collector_that_does_not_stay_up_is_told_and_given_up(
    control: Control, real: RealPlace, plane: PodPlane, commit: str
) -> None:
    plane.start(collector=("false",))
    await control.run("w1", make_order(commit))
    await told(control, "does not stay up", 30)
    ended = await final(control, real)
    assert ended.outcome is Outcome.ERROR
    assert "does not stay up" in str(ended.reason)
    await real.until_empty()
    await plane.end()

"""Jobs as pods through the agent: what comes home, how they end, what is left."""

from __future__ import annotations

import asyncio

import pytest

from services.planes.protocol import LimitsOrder, Outcome, Phase, RunReport
from tests.kubernetes.place import Place, PodPlane
from tests.planes.agent.conftest import make_order
from tests.planes.agent.control import Control

pytestmark = pytest.mark.timeout(240)
LEAVES = "import os; open(os.environ['SMALTI_OUTPUTS'] + '/a.txt', 'w').write('kept'); "


async def end_of(control: Control, place: Place, name: str) -> RunReport:
    return await control.final(name, timeout=place.patience)


async def at_work(control: Control, place: Place, name: str, word: bytes) -> None:
    """Wait until a run has said something."""
    await control.until(lambda: word in control.log(name), timeout=place.patience)


async def test_log_outputs_and_state_come_home_and_nothing_is_left(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    code = f"{LEAVES} print(os.getcwd(), sorted(os.listdir('.')))"
    plane.start()
    await control.run("w1", make_order(commit, argv=["python", "-c", code]))
    final = await end_of(control, place, "w1")
    assert (final.outcome, final.exit_code, final.reason) == (Outcome.SUCCEEDED, 0, None)
    assert control.outputs["w1", 1] == {"a.txt": b"kept"}
    assert b"/project ['.git', 'data', 'main.py']" in control.log("w1")
    assert final.log_end == len(control.log("w1"))
    assert final.started_at is not None
    assert final.finished_at is not None
    assert final.usage is not None
    assert final.usage.memory_peak > 0
    await place.until_empty()
    await plane.settled()


async def test_a_failed_program_keeps_its_code_last_lines_and_outputs(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    code = f"{LEAVES} print('so far'); raise SystemExit(7)"
    await control.run("w1", make_order(commit, argv=["python", "-c", code]))
    final = await end_of(control, place, "w1")
    assert (final.outcome, final.exit_code, final.reason) == (Outcome.FAILED, 7, "exit code 7")
    assert final.last_lines == "so far"
    assert control.outputs["w1", 1] == {"a.txt": b"kept"}


async def test_files_are_run_by_their_ending(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    await control.run("w1", make_order(commit, file="main.py"))
    await control.run("w2", make_order(commit, file="nothing.py"))
    await control.run("w3", make_order(commit, argv=["no-such-program"]))
    first, second, third = [await end_of(control, place, name) for name in ("w1", "w2", "w3")]
    assert (first.outcome, control.log("w1")) == (Outcome.SUCCEEDED, b"hello\n")
    assert second.outcome is Outcome.ERROR
    assert f"there is no file nothing.py at commit {commit[:12]}" in str(second.reason)
    assert (third.outcome, third.reason) == (Outcome.FAILED, "command not found: no-such-program")


async def test_a_commit_that_is_not_there_is_told(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    await control.run("w1", make_order("0" * 40, argv=["true"]))
    final = await end_of(control, place, "w1")
    assert final.outcome is Outcome.ERROR
    assert "the project could not be fetched" in str(final.reason)
    await place.until_empty()


async def test_stopping_asks_the_program_and_keeps_what_it_left(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    code = f"{LEAVES} import time; print('there', flush=True); time.sleep(600)"
    await control.run("w1", make_order(commit, argv=["python", "-c", code]))
    await at_work(control, place, "w1", b"there")
    await control.stop_run("w1")
    final = await end_of(control, place, "w1")
    assert (final.outcome, final.exit_code) == (Outcome.STOPPED, -15)
    assert control.outputs["w1", 1] == {"a.txt": b"kept"}
    await place.until_empty()


async def test_stopping_what_waits_for_room_leaves_nothing(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    much = LimitsOrder(cpu=4000, memory=512 << 20)
    await control.run("w1", make_order(commit, argv=["true"], limits=much))
    await control.until(lambda: "no node has room" in why(control, "w1"), timeout=20)
    await control.stop_run("w1")
    final = await end_of(control, place, "w1")
    assert final.outcome is Outcome.STOPPED
    await place.until_empty()


def why(control: Control, name: str) -> str:
    report = control.reports.get((name, 1))
    return (report.reason or "") if report is not None else ""


async def test_the_time_limit_ends_it_with_its_reason(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    argv = ["python", "-c", "import time; print('there', flush=True); time.sleep(600)"]
    await control.run("w1", make_order(commit, argv=argv, timeout=2.0, grace=1.0))
    final = await end_of(control, place, "w1")
    assert (final.outcome, final.reason) == (Outcome.FAILED, "time limit of 2 s reached")
    assert control.log("w1") == b"there\n"


async def test_the_memory_limit_ends_it_with_its_reason(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    argv = ["python", "-c", "x = bytearray(400 << 20); x[::4096] = b'1' * len(x[::4096]); input()"]
    argv[2] = argv[2].replace("input()", "import time; time.sleep(60)")
    limits = LimitsOrder(cpu=1, memory=128 << 20)
    await control.run("w1", make_order(commit, argv=argv, limits=limits))
    final = await end_of(control, place, "w1")
    assert (final.outcome, final.reason) == (Outcome.FAILED, "memory limit of 128 MiB reached")


async def test_an_image_that_does_not_exist_is_told_and_given_up(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    place.pods = type(place.pods)("127.0.0.1:9/none:1", place.pods.environment)
    plane.start()
    await control.run("w1", make_order(commit, argv=["true"]))
    await control.until(lambda: "image pull" in why(control, "w1"), timeout=10 + place.patience / 6)
    final = await end_of(control, place, "w1")
    assert final.outcome is Outcome.ERROR
    assert "image pull" in str(final.reason)
    assert final.retryable
    await place.until_empty()


async def test_a_deleted_pod_hands_over_what_it_has(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    code = f"{LEAVES} import time; print('there', flush=True); time.sleep(600)"
    await control.run("w1", make_order(commit, argv=["python", "-c", code], grace=2.0))
    await at_work(control, place, "w1", b"there")
    pod = await place.pod()
    await place.api.call("DELETE", f"{place.path('pods')}/{pod['metadata']['name']}")
    final = await end_of(control, place, "w1")
    assert (final.outcome, final.retryable) == (Outcome.ERROR, True)
    assert "its pod was deleted" in str(final.reason)
    assert control.outputs["w1", 1] == {"a.txt": b"kept"}
    assert control.log("w1") == b"there\n"
    await place.until_empty()


async def test_a_new_agent_adopts_by_labels_what_an_earlier_one_started(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    code = f"{LEAVES} import time; print('there', flush=True); time.sleep(6); print('end')"
    await control.run("w1", make_order(commit, argv=["python", "-c", code]))
    await at_work(control, place, "w1", b"there")
    await plane.end()
    started = (await place.pod())["metadata"]["uid"]
    plane.start()
    final = await end_of(control, place, "w1")
    assert final.outcome is Outcome.SUCCEEDED
    assert control.log("w1") == b"there\nend\n"
    assert control.outputs["w1", 1] == {"a.txt": b"kept"}
    assert started
    await place.until_empty()


async def test_many_at_once_all_come_home(
    control: Control, place: Place, plane: PodPlane, commit: str
) -> None:
    plane.start()
    small = LimitsOrder(cpu=0.01, memory=64 << 20)
    names = [f"w{number}" for number in range(6)]
    for name in names:
        await control.run(name, make_order(commit, argv=["echo", name], limits=small))
    finals = await asyncio.gather(*(end_of(control, place, name) for name in names))
    assert {final.outcome for final in finals} == {Outcome.SUCCEEDED}
    assert [control.log(name) for name in names] == [f"{name}\n".encode() for name in names]
    assert all(r.phase in Phase for r in control.received)
    await place.until_empty()

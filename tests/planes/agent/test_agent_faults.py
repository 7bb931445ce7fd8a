"""Nothing is lost or done twice when the network, the control plane or the agent itself fails."""

from __future__ import annotations

import asyncio
import random

import pytest

from services.planes.protocol import Outcome, Phase, RunOrder
from spawners.fakes import HOLD, FakeRuntime, Script
from spawners.runtime import RunKey, RunSpec
from tests.planes.agent.conftest import Plane, until
from tests.planes.agent.control import Control


async def test_work_goes_on_while_the_control_plane_is_away(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    await control.stop()
    runtime.write(RunKey("w1", 1), b"written while away\n")
    runtime.finish(RunKey("w1", 1), 4)
    await until(lambda: not plane.agent.connected.is_set())  # type: ignore[union-attr]
    await control.start()
    final = await control.final("w1")
    assert final.reason == "exit code 4"
    assert control.log("w1") == b"written while away\n"


async def test_inventory_is_told_on_each_connection_and_strangers_go(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    for name in ("w1", "w2", "w3"):
        await control.run(name, order)
        await control.phase(name, Phase.RUNNING)
    await control.stop()
    del control.commands["w2"]
    await control.start()
    await until(lambda: len(runtime.states()) == 2)
    assert {report.workload_id for report in control.hellos[-1].inventory} == {"w1", "w2", "w3"}
    assert {state.key.workload_id for state in runtime.states()} == {"w1", "w3"}
    await until(lambda: plane.files("desired") == ["w1.json", "w3.json"])


async def test_run_whose_desired_file_was_lost_is_adopted(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    runtime.write(RunKey("w1", 1), b"before ")
    await control.until(lambda: control.log("w1") == b"before ")
    await plane.end()
    (plane.home / "agent" / "desired" / "w1.json").write_bytes(b"{torn")
    again = plane.start(FakeRuntime(HOLD, after=runtime))
    await until(lambda: plane.files("desired") == ["w1.json"])
    again.write(RunKey("w1", 1), b"after")
    again.finish(RunKey("w1", 1))
    assert (await control.final("w1")).outcome is Outcome.SUCCEEDED
    assert control.log("w1") == b"before after"
    assert again.started == []


async def test_log_goes_on_from_where_the_stored_one_ends(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    runtime.write(RunKey("w1", 1), b"0123456789" * 100)
    await control.until(lambda: len(control.log("w1")) == 1000)
    del control.logs["w1", 1][500:]  # restored from an older backup, say
    runtime.write(RunKey("w1", 1), b"end")
    runtime.finish(RunKey("w1", 1))
    await control.final("w1")
    assert control.log("w1") == b"0123456789" * 100 + b"end"


async def test_unknown_run_is_forgotten(plane: Plane, control: Control, order: RunOrder) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    control.unknown.add("w1")
    runtime.write(RunKey("w1", 1), b"x")
    await plane.settled()
    assert runtime.states() == []


async def test_answer_404_of_a_stranger_ends_nothing(
    plane: Plane, control: Control, order: RunOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiohttp import web

    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    asked = asyncio.Event()

    def no_route(_: web.Request) -> tuple[str, int]:
        asked.set()
        raise web.HTTPNotFound(text="404 page not found")

    with monkeypatch.context() as patch:
        patch.setattr(control, "_key", no_route)
        runtime.write(RunKey("w1", 1), b"x")
        await asked.wait()
    await control.until(lambda: control.log("w1") == b"x")
    assert runtime.stops == []


async def test_final_report_is_repeated_until_forgotten(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    control.forget_finished = False
    runtime = plane.start(FakeRuntime(Script(exit_code=3)))
    await control.run("w1", order)
    await control.final("w1")
    seen = len(control.received)
    await control.until(lambda: len(control.received) > seen)
    await plane.end()
    control.finals.clear()
    control.reports.clear()
    plane.start(FakeRuntime(after=runtime))
    assert (await control.final("w1")).reason == "exit code 3"
    assert runtime.removed == []
    await control.forget("w1")
    await plane.settled()


async def test_late_command_does_not_bring_a_forgotten_run_back(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime())
    await control.run("w1", order)
    await plane.settled()
    late = control.stream[0]
    assert late.action == "run"
    await control.run("w2", order)
    control.stream += [late, late]
    await control.run("w3", order)
    await control.final("w3")
    await plane.settled()
    assert [spec.key.workload_id for spec in runtime.started] == ["w1", "w2", "w3"]


async def test_refused_credential_is_tried_on(
    plane: Plane, control: Control, order: RunOrder, caplog: pytest.LogCaptureFixture
) -> None:
    control.credential = "sml_other"
    plane.start()
    await until(lambda: len(control.requests) > 4)
    told = [record for record in caplog.records if "refuses" in record.getMessage()]
    assert len(told) == 1
    from tests.planes.agent.control import CREDENTIAL

    control.credential = CREDENTIAL
    await control.run("w1", order)
    assert (await control.final("w1")).outcome is Outcome.SUCCEEDED


async def test_report_that_is_refused_does_not_hold_up_the_others(
    plane: Plane, control: Control, order: RunOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = control._apply

    async def picky(report: object) -> bool:
        from aiohttp import web

        if getattr(report, "workload_id", "") == "w1" and getattr(report, "last_lines", None):
            text = '{"error": {"code": "unprocessable", "message": "no"}}'
            raise web.HTTPUnprocessableEntity(text=text, content_type="application/json")
        return await apply(report)  # type: ignore[arg-type]

    monkeypatch.setattr(control, "_apply", picky)
    plane.start(FakeRuntime(Script(log=b"x")))
    for name in ("w1", "w2", "w3"):
        await control.run(name, order)
    for name in ("w1", "w2", "w3"):
        assert (await control.final(name)).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_drill(plane: Plane, control: Control, order: RunOrder, seed: int) -> None:
    """Faults of every kind, and an agent killed again and again; checked from outside."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    count = 30
    text = {f"w{i}": b"line of %d\n" % i * chance.randrange(1, 4000) for i in range(count)}

    def script(spec: RunSpec) -> Script:
        name = spec.key.workload_id
        code = int(name[1:]) % 4
        return Script(code, text[name], {"o": text[name][:100]}, hold=int(name[1:]) % 5 == 0)

    faults = control.faults
    faults.random = random.Random(seed)
    faults.errors, faults.cuts, faults.duplicates, faults.reordered = 0.1, 0.1, 0.3, True
    runtime = plane.start(FakeRuntime(script))
    started: list[RunKey] = []
    stopped = {f"w{i}" for i in range(0, count, 5)}
    for number in range(count):
        await control.run(f"w{number}", order)
        await asyncio.sleep(chance.random() * 0.01)
        if number % 6 == 5:
            await plane.end()
            started += [spec.key for spec in runtime.started]
            runtime = plane.start(FakeRuntime(script, after=runtime))
        if number % 11 == 10:
            await control.stop()
            await asyncio.sleep(chance.random() * 0.1)
            await control.start()
    for name in stopped:
        await control.stop_run(name)
    for name in text:
        final = await control.final(name, timeout=20)
        if name in stopped:
            assert final.outcome is Outcome.STOPPED
        else:
            code = int(name[1:]) % 4
            assert (final.outcome is Outcome.SUCCEEDED) == (code == 0)
            assert final.exit_code == code
    await plane.settled()
    started += [spec.key for spec in runtime.started]
    assert len(started) == len(set(started)), "a process was started twice"
    assert runtime.states() == []
    for key in started:
        assert control.log(key.workload_id) == text[key.workload_id]
        assert control.outputs[key]["o"] == text[key.workload_id][:100]

"""Secret variables reach the run and nothing else, and never leave in its log."""

from __future__ import annotations

import base64
from pathlib import Path

from services.planes.agent import logs
from services.planes.protocol import Phase, RunOrder
from spawners.fakes import HOLD, FakeRuntime
from spawners.runtime import RunKey
from tests.planes.agent.conftest import Plane, until
from tests.planes.agent.control import Control

CANARY = "canary-5ecret-value-0123456789"
KEY = RunKey("w1", 1)


def with_secrets(order: RunOrder) -> RunOrder:
    """The order of a run that has secrets."""
    return order.model_copy(update={"secrets": True})


def anywhere(folder: Path, text: str) -> list[str]:
    """Files below a folder that hold a text."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and text in _text(path)]


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


async def test_they_are_variables_of_the_run_and_never_replace_the_platforms(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    control.secrets["w1"] = {"API_KEY": CANARY, "SMALTI_TOKEN": "x", "JUPYTERHUB_API_TOKEN": "t"}
    await control.run("w1", with_secrets(order))
    await control.phase("w1", Phase.RUNNING)
    env = runtime.started[0].env
    assert env["API_KEY"] == CANARY
    assert env["JUPYTERHUB_API_TOKEN"] == "t"
    assert env["SMALTI_TOKEN"] == order.token
    assert anywhere(plane.home, CANARY) == []


async def test_without_any_nothing_is_asked(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    plane.start()
    await control.run("w1", order)
    await control.final("w1")
    assert not [one for one in control.requests if one.endswith("/secrets")]


async def test_a_run_waits_while_the_vault_is_away(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    plane.start()
    control.vault_away = True
    control.secrets["w1"] = {"API_KEY": CANARY}
    await control.run("w1", with_secrets(order))

    def told() -> bool:
        report = control.reports.get(("w1", 1))
        return report is not None and "waiting for its secrets" in (report.reason or "")

    await control.until(told)
    assert control.reports["w1", 1].phase is Phase.PREPARING
    control.vault_away = False
    final = await control.final("w1")
    assert final.outcome == "succeeded"


async def test_a_stop_ends_the_waiting(plane: Plane, control: Control, order: RunOrder) -> None:
    plane.start()
    control.vault_away = True
    await control.run("w1", with_secrets(order))
    await control.phase("w1", Phase.PREPARING)
    await control.stop_run("w1")
    assert (await control.final("w1")).outcome == "stopped"


async def test_they_are_hidden_in_the_log_across_pieces_and_at_its_end(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    control.secrets["w1"] = {"API_KEY": CANARY}
    await control.run("w1", with_secrets(order))
    await control.phase("w1", Phase.RUNNING)
    coded = base64.b64encode(CANARY.encode())
    raw = b"x" * (logs.PIECE - 10) + CANARY.encode() + b"\n" + coded + b"\nlast " + CANARY.encode()
    for start in range(0, len(raw), 100_003):
        runtime.write(KEY, raw[start : start + 100_003])
    await until(lambda: len(control.log("w1")) > logs.PIECE)
    runtime.finish(KEY)
    final = await control.final("w1")
    log = control.log("w1")
    assert len(log) == len(raw)
    assert CANARY.encode() not in log
    assert coded not in log
    assert log.endswith(b"\nlast " + b"*" * len(CANARY))
    assert final.last_lines is not None
    assert CANARY not in final.last_lines


async def test_half_a_secret_waits_for_its_other_half(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    control.secrets["w1"] = {"API_KEY": CANARY}
    await control.run("w1", with_secrets(order))
    await control.phase("w1", Phase.RUNNING)
    runtime.write(KEY, b"key: " + CANARY[:10].encode())
    await until(lambda: control.log("w1") == b"key: ")
    runtime.write(KEY, CANARY[10:].encode() + b".")
    await until(lambda: control.log("w1") == b"key: " + b"*" * len(CANARY) + b".")


async def test_after_a_restart_they_are_asked_again_and_hidden(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    control.secrets["w1"] = {"API_KEY": CANARY}
    await control.run("w1", with_secrets(order))
    await control.phase("w1", Phase.RUNNING)
    runtime.write(KEY, b"one " + CANARY[:12].encode())
    await until(lambda: control.log("w1") == b"one ")
    await plane.end()
    assert anywhere(plane.home / "agent", CANARY) == []
    runtime.write(KEY, CANARY[12:].encode() + b" two\n")
    control.vault_away = True
    plane.start(runtime)
    await until(lambda: control.requests[-1].endswith("/secrets"))
    assert control.log("w1") == b"one "
    control.vault_away = False
    await until(lambda: control.log("w1") == b"one " + b"*" * len(CANARY) + b" two\n")


async def test_the_runs_own_token_is_hidden_too(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    runtime.write(KEY, f"token {order.token}!\n".encode())
    await until(lambda: control.log("w1").endswith(b"!\n"))
    assert order.token.encode() not in control.log("w1")

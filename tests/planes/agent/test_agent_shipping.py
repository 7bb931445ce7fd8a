"""Logs and outputs arrive whole, within their limits, whatever a program leaves behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from services.planes.agent import logs, outputs, uploads
from services.planes.agent.outputs import open_found, survey
from services.planes.protocol import LimitsOrder, Outcome, Phase, RunOrder
from spawners.fakes import HOLD, FakeRuntime, Script
from spawners.runtime import RunKey, RunSpec
from tests.planes.agent.conftest import Plane
from tests.planes.agent.control import Control

LIMITS = LimitsOrder(cpu=1, memory=1)


async def test_line_is_visible_within_a_second(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    runtime = plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    for number in range(3):
        await asyncio.sleep(0.3 * number)
        before = len(control.log("w1"))
        written = time.monotonic()
        runtime.write(RunKey("w1", 1), b"line\n")
        await control.until(lambda before=before: len(control.log("w1")) > before)
        assert time.monotonic() - written < 1.0


async def test_quiet_run_costs_no_requests(plane: Plane, control: Control, order: RunOrder) -> None:
    plane.start(FakeRuntime(HOLD))
    await control.run("w1", order)
    await control.phase("w1", Phase.RUNNING)
    before = len(control.requests)
    await asyncio.sleep(0.5)
    assert len(control.requests) <= before + 1


async def test_large_log_takes_turns_and_little_memory(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    size = 20 << 20
    text = os.urandom(1 << 20) * 20

    class Lean(FakeRuntime):
        async def read_log(self, key: RunKey, offset: int, limit: int) -> bytes:
            return text[offset : offset + limit] if key.workload_id == "big" else b"small"[offset:]

    plane.start(Lean(HOLD))
    await control.run("big", order)
    await control.phase("big", Phase.RUNNING)
    tracemalloc.start()
    try:
        await control.run("small", order)
        await control.until(lambda: control.log("small") == b"small")
        assert len(control.log("big")) < size
        plane.runtime.finish(RunKey("big", 1))
        await control.final("big", timeout=30)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert control.log("big") == text
    # What the control plane of this test keeps is in there too.
    assert peak < size * 1.2 + (25 << 20)


async def test_log_beyond_the_limit_is_told(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    control.log_max = 1000
    plane.start(FakeRuntime(Script(log=b"x" * 5000, exit_code=3)))
    await control.run("w1", order)
    final = await control.final("w1")
    assert final.reason == "exit code 3; the log was kept only up to byte 0: too_large"


async def test_log_and_outputs_wait_for_room_on_the_platforms_disk(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    control.no_room = True
    plane.start(FakeRuntime(Script(log=b"x" * 5000, outputs={"a": b"1", "b": b"2"})))
    await control.run("w1", order)

    def told() -> bool:
        report = control.reports.get(("w1", 1))
        return report is not None and report.reason == "waiting for room: storage_full"

    await control.until(told)
    assert not control.finals
    control.no_room = False
    final = await control.final("w1")
    assert (final.outcome, final.reason) == (Outcome.SUCCEEDED, None)
    assert control.log("w1") == b"x" * 5000
    assert control.outputs["w1", 1] == {"a": b"1", "b": b"2"}


async def test_room_is_not_waited_for_for_ever(
    plane: Plane, control: Control, order: RunOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "ROOM_PATIENCE", 0.0)
    monkeypatch.setattr(uploads, "ROOM_PATIENCE", 0.0)
    control.no_room = True
    plane.start(FakeRuntime(Script(log=b"x" * 5000, outputs={"a": b"1"})))
    await control.run("w1", order)
    final = await control.final("w1")
    assert final.outcome is Outcome.SUCCEEDED
    assert "the log was not all kept: storage_full" in (final.reason or "")
    assert "not taken by the platform (storage_full): a" in (final.reason or "")


async def test_outputs_that_are_refused_are_told_and_the_rest_kept(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    control.refuse_outputs = {"b": 413, "c": 400}
    plane.start(FakeRuntime(Script(outputs={"a": b"1", "b": b"2", "c": b"3", "d": b"4"})))
    await control.run("w1", order)
    final = await control.final("w1")
    assert final.outcome is Outcome.SUCCEEDED
    assert [entry.path for entry in final.outputs or []] == ["a", "d"]
    assert "not taken by the platform (refused): b" in (final.reason or "")


async def test_large_and_many_outputs_arrive_whole(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    files = {f"d{i % 7}/f{i}": os.urandom(i) for i in range(200)}
    files["big"] = os.urandom(uploads.SMALL * 3 + 17)
    control.faults.errors = control.faults.cuts = 0.05
    plane.start(FakeRuntime(Script(outputs=files)))
    await control.run("w1", order)
    final = await control.final("w1", timeout=20)
    assert control.outputs["w1", 1] == files
    told = {entry.path: (entry.size, entry.sha256) for entry in final.outputs or []}
    assert told == {p: (len(c), hashlib.sha256(c).hexdigest()) for p, c in files.items()}


async def test_limits_of_outputs_keep_what_fits(
    plane: Plane, control: Control, order: RunOrder
) -> None:
    limits = order.limits.model_copy(update={"outputs": 100, "output_files": 3})
    files = {"a": b"x" * 60, "b": b"x" * 60, "c": b"x" * 30, "d": b"", "e": b"", "f": b""}
    plane.start(FakeRuntime(Script(outputs=files)))
    await control.run("w1", order.model_copy(update={"limits": limits}))
    final = await control.final("w1")
    assert [entry.path for entry in final.outputs or []] == ["a", "c", "d"]
    assert final.reason == (
        "beyond the limit of 100 B of outputs: b; beyond the limit of 3 output files: e, f"
    )


def test_links_pipes_and_odd_names(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "plain").write_bytes(b"1")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "way").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xffd")).write_bytes(b"2")
    (folder / "new\nline").write_bytes(b"3")
    (folder / "b%FFd").write_bytes(b"4")
    (folder / "ünï cöde").write_bytes(b"5")
    kept, remarks = survey(folder, LIMITS)
    assert {found.path for found in kept} == {
        "sub/plain", "b%FFd", "b%FFd~", "new%0Aline", "ünï cöde"
    }  # fmt: skip
    assert set(remarks.names) == {
        "links are not kept", "special files are not kept", "kept under a plainer name"
    }  # fmt: skip
    contents = set()
    for found in kept:
        handle = open_found(folder, found)
        contents.add(os.read(handle, 10))
        os.close(handle)
    assert contents == {b"1", b"2", b"3", b"4", b"5"}


def test_folder_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "passwd").write_bytes(Path("/etc/passwd").read_bytes())
    kept, _ = survey(folder, LIMITS)
    (folder / "sub" / "passwd").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to("/etc")
    with pytest.raises(OSError):
        open_found(folder, kept[0])


def test_many_odd_files_are_counted_not_listed(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"l{number}").symlink_to("x")
    _, remarks = survey(tmp_path, LIMITS)
    assert remarks.texts() == ["links are not kept: l0, l1, l10, l100, l1000 and 1995 more"]


def test_deep_folders_end(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(outputs.DEPTH_MAX + 5):
        deep /= "d"
    deep.mkdir(parents=True)
    _, remarks = survey(tmp_path, LIMITS)
    assert list(remarks.names) == ["folders too deep to be kept"]


async def test_outputs_folder_that_is_gone(plane: Plane, control: Control, order: RunOrder) -> None:
    def script(spec: RunSpec) -> Script:
        spec.outputs.rmdir()
        return Script()

    plane.start(FakeRuntime(script))
    await control.run("w1", order)
    assert (await control.final("w1")).outcome is Outcome.SUCCEEDED

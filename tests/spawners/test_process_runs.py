"""Real programs under the process runtime: start, end, log, stop, remove."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from spawners.runtime import RunEnd, RunKey, RunPhase, RuntimeFailure
from tests.spawners.conftest import MakeYard
from tests.spawners.yard import LIMITS, Yard, until

ISOLATIONS = ["auto", "none"]


@pytest.fixture(params=ISOLATIONS)
async def each_yard(request: pytest.FixtureRequest, make_yard: MakeYard) -> Yard:
    """A yard as strong as can be, and one without any sandbox."""
    return await make_yard(isolation=request.param)


async def test_program_runs_in_its_folder_with_its_variables(each_yard: Yard) -> None:
    code = (
        "import os,sys; print(os.getcwd()); print(os.environ['WORD']);"
        "print(sorted(set(os.environ) - {'WORD','PWD','SMALTI_RUN_MARK','LC_CTYPE'}));"
        "print(sys.prefix); open(os.environ['TMPDIR'] + '/x', 'w'); open('made', 'w')"
    )
    state, log = await each_yard.run("python", "-c", code, env={"WORD": "smalti"})
    assert state.exit_code == 0, log
    cwd, word, names, prefix = log.decode().splitlines()
    spec = each_yard.spec()
    assert (cwd, word, prefix) == (str(spec.workdir), "smalti", sys.prefix)
    expected = ["HOME", "LANG", "LOGNAME", "PATH", "PYTHONUNBUFFERED", "TMPDIR", "USER"]
    assert names == str(expected)
    assert (spec.workdir / "made").exists()


async def test_phases_are_told_in_order_once(yard: Yard) -> None:
    state, _ = await yard.run("true")
    await until(lambda: len(yard.heard) > 1, "the end is told")
    assert [s.phase for s in yard.heard] == [RunPhase.RUNNING, RunPhase.EXITED]
    assert state.started_at is not None
    assert state.finished_at is not None
    assert state.finished_at >= state.started_at
    assert state.usage.cpu_seconds > 0


@pytest.mark.parametrize("code", [0, 1, 3, 126, 127, 255])
async def test_exit_code_is_the_programs_own(yard: Yard, code: int) -> None:
    state, _ = await yard.run("sh", "-c", f"exit {code}")
    assert (state.phase, state.exit_code, state.end) == (RunPhase.EXITED, code, None)


async def test_death_by_signal_is_negative(each_yard: Yard) -> None:
    state, _ = await each_yard.run("sh", "-c", "kill -9 $$")
    assert (state.exit_code, state.end) == (-signal.SIGKILL, None)


@pytest.mark.parametrize("isolation", ["auto", "namespaces", "none"])
async def test_missing_command_is_not_started(make_yard: MakeYard, isolation: str) -> None:
    yard = await make_yard(isolation=isolation)
    state, _ = await yard.run("no-such-command")
    assert (state.end, state.exit_code) == (RunEnd.NOT_STARTED, 127)
    assert state.reason == "command not found: no-such-command"
    state, _ = await yard.run("/etc/passwd", name="closed")
    assert (state.end, state.exit_code) == (RunEnd.NOT_STARTED, 126)


async def test_both_streams_stand_in_order_in_the_log(each_yard: Yard) -> None:
    code = "import os\nfor n in range(500): os.write(1 + n % 2, b'%d\\n' % n)"
    _, log = await each_yard.run("python", "-c", code)
    assert log.split() == [b"%d" % n for n in range(500)]


async def test_log_is_raw_bytes_and_readable_live(yard: Yard) -> None:
    spec = yard.spec("sh", "-c", "printf '\\377\\376\\000x'; sleep 60")
    await yard.runtime.start(spec)
    log = await yard.wrote(spec.key, b"x")
    assert log == b"\xff\xfe\x00x"
    state = yard.runtime.state(spec.key)
    assert state is not None
    assert (state.phase, state.log_size) == (RunPhase.RUNNING, 4)
    assert await yard.runtime.read_log(spec.key, 1, 2) == b"\xfe\x00"
    assert await yard.runtime.read_log(spec.key, 4, 10) == b""


async def test_hundred_megabytes_in_one_line_are_kept_whole(yard: Yard) -> None:
    code = "import os\nfor _ in range(100): os.write(1, b'a' * 999_999 + b'b')"
    state, log = await yard.run("python", "-c", code)
    assert state.exit_code == 0
    assert state.log_size == 100_000_000
    assert log[:1_000_000] == b"a" * 999_999 + b"b"
    tail = await yard.runtime.read_log(state.key, 99_999_990, 100)
    assert tail == b"a" * 9 + b"b"
    assert state.usage.memory_peak < 100 << 20


async def test_log_limit_drops_the_rest_and_the_program_goes_on(yard: Yard) -> None:
    limits = LIMITS.__class__(cpu=2.0, memory=LIMITS.memory, log=1000)
    state, log = await yard.run("sh", "-c", "yes | head -c 5000000; exit 7", limits=limits)
    assert state.exit_code == 7
    assert log[:1000] == b"y\n" * 500
    assert log[1000:] == b"\n[output beyond the limit of 1000 bytes was dropped]\n"
    assert state.log_size == len(log)


async def test_nothing_of_a_run_outlives_it(each_yard: Yard) -> None:
    code = "(setsid sleep 987.5 >/dev/null 2>&1 &) ; setsid sleep 987.5 & exit 0"
    state, _ = await each_yard.run("sh", "-c", code)
    assert state.exit_code == 0
    assert not _living(b"987.5")


def _living(word: bytes) -> list[int]:
    from spawners.shim import processes

    return [pid for pid, _ in processes.with_argument(word)]


async def test_second_start_of_a_key_does_nothing(yard: Yard) -> None:
    spec = yard.spec("sh", "-c", "echo once >> count; echo up; sleep 60")
    await asyncio.gather(*(yard.runtime.start(spec) for _ in range(3)))
    await yard.reached(spec.key, RunPhase.RUNNING)
    await yard.runtime.start(spec)
    await yard.wrote(spec.key, b"up")
    assert len(yard.runtime.states()) == 1
    assert (spec.workdir / "count").read_text() == "once\n"


async def test_stop_is_polite_then_firm(each_yard: Yard) -> None:
    polite = each_yard.spec(
        "sh", "-c", "trap 'echo bye; exit 4' TERM; echo up; sleep 60 & wait", name="polite"
    )
    deaf = each_yard.spec("sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done")
    for spec in (polite, deaf):
        await each_yard.runtime.start(spec)
        await each_yard.wrote(spec.key, b"up")
        await each_yard.runtime.stop(spec.key, 0.3 if spec is deaf else 20.0)
    state = await each_yard.over(polite.key)
    assert (state.exit_code, state.end, state.reason) == (4, RunEnd.STOPPED, "stopped")
    assert b"bye" in await each_yard.log(polite.key)
    state = await each_yard.over(deaf.key)
    assert (state.exit_code, state.end) == (-signal.SIGKILL, RunEnd.STOPPED)


async def test_shorter_grace_replaces_a_longer(yard: Yard) -> None:
    spec = yard.spec("sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done")
    await yard.runtime.start(spec)
    await yard.wrote(spec.key, b"up")
    await yard.runtime.stop(spec.key, 1000.0)
    await yard.runtime.stop(spec.key, 0.0, RunEnd.TIME_LIMIT)
    state = await yard.over(spec.key)
    assert state.end is RunEnd.STOPPED, "the first reason stays"


async def test_stop_straight_after_start_is_not_lost(yard: Yard) -> None:
    specs = [yard.spec("sleep", "60", name=f"early{n}") for n in range(5)]
    for spec in specs:
        started = asyncio.create_task(yard.runtime.start(spec))
        await until(lambda spec=spec: yard.runtime.state(spec.key), "the start is known")
        await yard.runtime.stop(spec.key, 0.5)
        await started
        assert (await yard.over(spec.key)).end is RunEnd.STOPPED


async def test_unknown_keys_are_harmless(yard: Yard) -> None:
    key = RunKey("nobody", 1)
    await yard.runtime.stop(key, 1.0)
    await yard.runtime.remove(key)
    assert yard.runtime.state(key) is None
    assert yard.runtime.samples(key) == []
    assert await yard.runtime.read_log(key, 0, 10) == b""


async def test_remove_frees_all_and_spares_what_runs(yard: Yard) -> None:
    spec = yard.spec("sh", "-c", "mkdir -p ~/a/b; echo > ~/a/b/c; echo > /tmp/d; echo up; sleep 60")
    await yard.runtime.start(spec)
    await yard.wrote(spec.key, b"up")
    await yard.runtime.remove(spec.key)
    assert yard.runtime.state(spec.key) is not None
    await yard.runtime.stop(spec.key, 0.0)
    await yard.over(spec.key)
    await yard.runtime.remove(spec.key)
    assert yard.runtime.states() == []
    assert list((yard.settings.state / "runs").iterdir()) == []


@pytest.mark.parametrize("name", ["../escape", "a/b", ".hidden", "x" * 300, "zero\0"])
async def test_key_that_is_no_file_name_is_refused(yard: Yard, name: str) -> None:
    spec = yard.spec("true")
    bad = spec.__class__(**{**spec.__dict__, "key": RunKey(name, 1)})
    with pytest.raises(RuntimeFailure):
        await yard.runtime.start(bad)
    assert yard.runtime.states() == []


async def test_start_that_fails_leaves_nothing(yard: Yard) -> None:
    spec = yard.spec("true", env={"BAD=NAME": "x"})
    with pytest.raises(RuntimeFailure):
        await yard.runtime.start(spec)
    gone = yard.spec("true")
    gone.outputs.rmdir()
    with pytest.raises(RuntimeFailure):
        await yard.runtime.start(gone)
    assert yard.runtime.states() == []
    state, _ = await yard.run("true")
    assert state.exit_code == 0


async def test_samples_are_taken_and_handed_over_once(make_yard: MakeYard) -> None:
    yard = await make_yard(sample_interval=0.1)
    spec = yard.spec("python", "-c", "x = bytearray(50 << 20)\nwhile True: pass")
    await yard.runtime.start(spec)
    found = await until(lambda: [s for s in yard.runtime.samples(spec.key) if s.memory > 50 << 20])
    assert found[0].cpu > 0.05
    await yard.runtime.stop(spec.key, 0.0)
    await yard.over(spec.key)


async def test_capacity_is_this_machines_or_the_operators(make_yard: MakeYard) -> None:
    found = await (await make_yard()).runtime.capacity()
    assert found.cpu > 0
    assert found.memory > 1 << 20
    told = await (await make_yard(cpu=3.0, memory=5, oversubscription=2.0)).runtime.capacity()
    assert (told.cpu, told.memory) == (6.0, 5)


async def test_an_order_that_is_too_long_for_a_message_reaches_no_disk(yard: Yard) -> None:
    canary = "canary-5ecret-value-0123456789"
    env = {"CANARY": canary, **{f"LARGE_{n}": "x" * 100_000 for n in range(5)}}
    program = 'test ${#LARGE_4} = 100000 && test -n "$CANARY" && echo there && sleep 60'
    spec = yard.spec("sh", "-c", program, env=env)
    await yard.runtime.start(spec)
    folder = yard.settings.state / "runs" / "run.1"
    await until(lambda: (folder / "log").exists() and b"there" in (folder / "log").read_bytes())
    held = [path for path in yard.folder.rglob("*") if path.is_file()]
    assert not [path for path in held if canary.encode() in path.read_bytes()]

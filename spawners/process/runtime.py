"""ProcessRuntime: runs as processes of this machine, each under a shim of its own.

Owns what an agent needs to know of its runs while it lives; the shims own the runs themselves.
Called by `services.planes.agent`. All it knows it can read again from the runs' folders, so
that it may be killed at any moment; there is no thread and no poll per run: a shim's end is an
event of its pidfd, and one loop takes samples of all.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from spawners.process import ability, groups, machine, orders, records, sampling, sweeping
from spawners.process import reading as readings
from spawners.process.nursery import Nursery
from spawners.process.people import UidMap
from spawners.process.records import OVER, Run
from spawners.process.sandbox import Rooms, Sandbox
from spawners.process.settings import ProcessSettings
from spawners.process.system import EtcFolders
from spawners.runtime import (
    Capacity,
    Isolation,
    Reading,
    RunEnd,
    RunKey,
    RunPhase,
    RunSpec,
    RunState,
    Runtime,
    RuntimeFailure,
    Sample,
)
from spawners.shim import cgroups, files, processes
from spawners.shim.cgroups import Group

log = logging.getLogger(__name__)

_INLINE_READ = 1 << 18
_ASK_AGAIN = 1.0


class ProcessRuntime(Runtime):
    """Starts, watches and ends processes on this machine."""

    def __init__(self, settings: ProcessSettings) -> None:
        self._settings = settings
        self._runs_folder = settings.state / "runs"
        self._runs: dict[RunKey, Run] = {}
        self._names: dict[str, Run] = {}
        self._starting: dict[str, asyncio.Future[None]] = {}
        self._changes: asyncio.Queue[RunState] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._people = UidMap(settings.state, settings.first_uid, settings.uids)
        self._etc = EtcFolders(settings.state / "etc")
        self._sandbox: Sandbox | None = None
        self._groups: Group | None = None
        self._boot_id = files.boot_id()
        self.nursery = Nursery(settings.state / "zygote.log", self._hear)
        self.isolation = Isolation.NONE
        self.isolation_reason: str | None = None

    @property
    def limits_by(self) -> str:
        """How limits are held here: "v2" or "v1" control groups, or "sampling"."""
        return f"v{self._groups.version}" if self._groups is not None else "sampling"

    async def open(self) -> None:
        """Find out what this machine can do, adopt what runs, start the zygote."""
        self._runs_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._settings.state.chmod(0o700)
        chosen = await asyncio.to_thread(ability.choose, self._settings, self._etc)
        self._sandbox, self.isolation_reason = chosen
        self.isolation = self._sandbox.isolation if self._sandbox else Isolation.NONE
        self._groups = self._find_groups()
        for folder in sorted(self._runs_folder.iterdir()):
            await self._adopt(folder)
        if all(run.state.phase in OVER for run in self._runs.values()):
            await asyncio.to_thread(self._etc.sweep)
        if self._groups is not None:
            for stray in groups.strays(self._groups, set(self._names)):
                await asyncio.to_thread(cgroups.kill, stray)
                await asyncio.to_thread(cgroups.remove, stray)
        self.nursery.open()
        self._spawn_task(self._sample())

    def _find_groups(self) -> Group | None:
        wish = self._settings
        try:
            return groups.detect(wish.groups, wish.state, wish.runs_unit)
        except ValueError as error:
            raise RuntimeFailure(str(error)) from error

    async def close(self) -> None:
        """Let go of the runs; they go on under their shims."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for run in self._runs.values():
            self._unwatch(run)
        self.nursery.close()
        if self._groups is not None:
            cgroups.remove(self._groups, 0.0)  # the kernel keeps it while a run's group is in it

    async def capacity(self) -> Capacity:
        """Cores and bytes of this machine, as far as its own limits allow."""
        wish = self._settings
        return machine.capacity(wish.cpu, wish.memory, wish.oversubscription)

    # Adoption

    async def _adopt(self, folder: Path) -> None:
        record = files.record(str(folder))
        if record is None:
            # A start that was cut off before a shim took it. Ours now, so that none ever does.
            files.claim(str(folder), {"shim": 0})
            record = files.record(str(folder))
        if record is None or not record["shim"]:
            await asyncio.to_thread(sweeping.remove_tree, folder)
            return
        run = records.adopt(folder, record)
        self._know(run)
        if run.state.phase in OVER:
            return
        if record["boot_id"] != self._boot_id:
            run.state = records.lose(run, records.REBOOTED)
        elif not self._watch_shim(run):
            self._spawn_task(self._settle(run))

    def _know(self, run: Run) -> None:
        self._runs[run.state.key] = run
        self._names[run.folder.name] = run

    def _watch_shim(self, run: Run) -> bool:
        """Watch for the end of a run's shim; False when it has ended already."""
        if run.shim is None:
            return False
        try:
            handle = os.pidfd_open(run.shim[0])
        except ProcessLookupError:
            return False
        if not processes.is_same(*run.shim):
            os.close(handle)
            return False
        run.watch = handle
        asyncio.get_running_loop().add_reader(handle, self._shim_ended, run)
        return True

    def _unwatch(self, run: Run) -> None:
        if run.watch is not None:
            asyncio.get_running_loop().remove_reader(run.watch)
            os.close(run.watch)
            run.watch = None

    # Start

    async def start(self, spec: RunSpec) -> None:
        """Have a shim born over a new folder, which is the mark that this key was started."""
        name = orders.folder_name(spec.key)
        if spec.key in self._runs:
            return
        folder = self._runs_folder / name
        waiting = asyncio.get_running_loop().create_future()
        run = Run(folder, RunState(spec.key, RunPhase.STARTING, self.isolation), None)
        self._know(run)
        self._starting[name] = waiting
        try:
            order = self._prepare(spec, run)
            self.nursery.ask(order)
            end = time.monotonic() + self._settings.start_patience
            self._ask_again(run, order, waiting, end)
            await waiting
        except BaseException as error:
            if await self._take_back(run) or isinstance(error, asyncio.CancelledError):
                raise
            log.warning("start of %s reported late: %s", name, error)
        finally:
            self._starting.pop(name, None)

    def _uid_of(self, person_id: str) -> int | None:
        if self.isolation is Isolation.FULL:
            return self._people.uid(person_id)
        return self._sandbox.shared_uid if self._sandbox is not None else None

    def reader(self, key: RunKey, person: str, folder: Path, readable: tuple[Path, ...]) -> Reading:
        """Say how to run the reader of a session's folder (see `reading`)."""
        uid = None if self._sandbox is None else self._uid_of(person)
        etc = self._etc.folder(uid if uid is not None else os.getuid())
        return readings.command(self._sandbox, etc, uid, folder, readable)

    def _prepare(self, spec: RunSpec, run: Run) -> bytes:
        folder = run.folder
        uid = self._uid_of(spec.person_id)
        rooms = None
        if self._sandbox is not None:
            etc = self._etc.folder(uid if uid is not None else os.getuid())
            rooms = Rooms(etc, folder / files.TMP, folder / files.HOME)
        order = orders.build(spec, folder, self._sandbox, rooms, uid)
        run.group = orders.put_into_group(order, self._groups, folder.name)
        run.mark = order["claim"]["mark"]
        try:
            for path in (folder, folder / files.TMP, folder / files.HOME):
                path.mkdir(mode=0o700)
            return orders.message(order)
        except OSError as error:
            raise RuntimeFailure(f"the run's folder cannot be made: {error.strerror}") from error

    def _ask_again(self, run: Run, order: bytes, waiting: asyncio.Future[None], end: float) -> None:
        """Look after an unanswered start in a while: the zygote may have died over it."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(_ASK_AGAIN, self._look_after, run, order, waiting, end)
        waiting.add_done_callback(lambda _: timer.cancel())

    def _look_after(
        self, run: Run, order: bytes, waiting: asyncio.Future[None], end: float
    ) -> None:
        """Ask anew, which is harmless: of two shims only one gets the claim."""
        if waiting.done():
            return
        try:
            if self._found_claim(run):
                waiting.set_result(None)
            elif time.monotonic() > end:
                raise RuntimeFailure("no shim took the run in time")
            else:
                self.nursery.ask(order)
                self._ask_again(run, order, waiting, end)
        except RuntimeFailure as error:
            waiting.set_exception(error)

    def _found_claim(self, run: Run) -> bool:
        record = files.record(str(run.folder))
        if record is None or not record["shim"]:
            return False
        self._meet(run, record["shim"], record["shim_start"])
        return True

    def _meet(self, run: Run, shim: int, shim_start: int) -> None:
        """Watch the shim that took a run, from the first time it is heard of."""
        if run.shim is None:
            run.shim = (shim, shim_start)
            if not self._watch_shim(run):
                self._spawn_task(self._settle(run))

    async def _take_back(self, run: Run) -> bool:
        """Undo a start that failed; False when a shim has the run after all."""
        if run.folder.is_dir():
            files.claim(str(run.folder), {"shim": 0})
            if self._found_claim(run):
                return False
            await asyncio.to_thread(sweeping.remove_tree, run.folder)
        self._forget(run)
        return True

    def _forget(self, run: Run) -> None:
        self._runs.pop(run.state.key, None)
        self._names.pop(run.folder.name, None)

    # What shims say

    def _hear(self, word: str, name: str, facts: list[str]) -> None:
        run = self._names.get(name)
        if run is None:
            return
        waiting = self._starting.get(name)
        if word == "C":
            self._meet(run, int(facts[0]), int(facts[1]))
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        elif word == "R":
            if run.state.phase is RunPhase.STARTING:
                run.state = records.running(run.state, int(facts[1]), float(facts[2]))
                self._changes.put_nowait(run.state)
        elif word == "N":
            self._read_record(run)
        elif waiting is not None and not waiting.done():
            why = os.strerror(int(facts[0]))
            waiting.set_exception(RuntimeFailure(f"no shim can be started: {why}"))

    def _read_record(self, run: Run) -> None:
        """Take over what a run's record says; each phase and remark is announced once."""
        before = run.state
        if before.phase in OVER:
            return
        run.state = records.advance(before, files.record(str(run.folder)))
        if (run.state.phase, run.state.reason) != (before.phase, before.reason):
            self._changes.put_nowait(run.state)

    def _shim_ended(self, run: Run) -> None:
        self._unwatch(run)
        self.nursery.receive()  # that it ran is told before that it ended
        self._read_record(run)
        if run.state.phase not in OVER:
            self._spawn_task(self._settle(run))

    async def _settle(self, run: Run) -> None:
        """Bring a run whose shim is gone to its true end, with nothing of it alive."""
        self._read_record(run)
        if run.state.phase in OVER:
            return
        if not await asyncio.to_thread(sweeping.end_leftovers, run):
            log.error("run %s left processes or a group that could not be ended", run.state.key)
        self._read_record(run)
        if run.state.phase not in OVER:
            run.state = records.lose(run, records.SHIM_KILLED)
            self._changes.put_nowait(run.state)

    def _spawn_task(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Stop, look, remove

    async def stop(self, key: RunKey, grace: float, end: RunEnd = RunEnd.STOPPED) -> None:
        """Leave the wish in the run's folder and wake its shim, adopted ones too."""
        run = self._runs.get(key)
        if run is None or run.state.phase in OVER or not run.folder.is_dir():
            return
        wish = {"end": str(end), "grace": max(0.0, grace), "reason": records.STOP_REASONS[end]}
        earlier = files.read(str(run.folder), files.STOP)
        if earlier is not None:  # the shim may not have seen it yet: its reason stays
            wish = earlier | {"grace": min(earlier["grace"], wish["grace"])}
        files.write(str(run.folder), files.STOP, wish)
        if run.watch is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(run.watch, signal.SIGTERM)

    def state(self, key: RunKey) -> RunState | None:
        """Say where a run stands, from memory."""
        run = self._runs.get(key)
        return run.now() if run is not None else None

    def states(self) -> list[RunState]:
        """Every run that is known and was not removed."""
        return [run.now() for run in self._runs.values()]

    async def changes(self) -> AsyncIterator[RunState]:
        """Yield each change of phase; runs adopted by `open` are told by `states`."""
        while True:
            yield await self._changes.get()

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(self._settings.sample_interval)
            for run in tuple(self._runs.values()):
                if run.state.phase is RunPhase.STARTING:
                    self._read_record(run)  # a hint may have been lost, a file is not
                if run.state.phase is RunPhase.RUNNING:
                    sampling.look(run)

    def samples(self, key: RunKey) -> list[Sample]:
        """Hand over the samples taken since the last call."""
        run = self._runs.get(key)
        if run is None:
            return []
        taken = list(run.samples)
        run.samples.clear()
        return taken

    async def read_log(self, key: RunKey, offset: int, limit: int) -> bytes:
        """Read from the log file; big pieces in a thread."""
        run = self._runs.get(key)
        if run is None:
            return b""
        path = run.folder / files.LOG
        if limit <= _INLINE_READ:
            return _read_at(path, offset, limit)
        return await asyncio.to_thread(_read_at, path, offset, limit)

    async def remove(self, key: RunKey) -> None:
        """Free an exited run's group and folder and forget it."""
        run = self._runs.get(key)
        if run is None or run.state.phase not in OVER:
            return
        self._unwatch(run)
        self._forget(run)
        if run.group is not None and not cgroups.remove(run.group, 0.0):
            await asyncio.to_thread(sweeping.end_leftovers, run)
        if not sweeping.remove_folder(run.folder):
            await asyncio.to_thread(sweeping.remove_tree, run.folder)


def _read_at(path: Path, offset: int, limit: int) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        # Not more than is there: pread makes room for all that is asked.
        return os.pread(handle, max(0, min(limit, os.fstat(handle).st_size - offset)), offset)
    finally:
        os.close(handle)

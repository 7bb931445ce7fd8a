"""The agent's loops: connection, commands, runtime's changes, clock.

Owns which workloads there are and hands each what concerns it; everything about one workload is
in `work`. Made by the entry point and by tests. Must never wait for one workload before it
serves another.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
import uuid
from collections import OrderedDict
from datetime import UTC, datetime

from services.planes.agent import rules, telling
from services.planes.agent.cleaning import Cleaner
from services.planes.agent.client import Away, Client, Gone, Refused, Rejected, TooMuch
from services.planes.agent.desired import Desired
from services.planes.agent.git import Repositories
from services.planes.agent.logs import LogShipping
from services.planes.agent.pace import Backoff
from services.planes.agent.pods import PodPreparing, Pods
from services.planes.agent.preparing import Preparing
from services.planes.agent.reports import Outbox
from services.planes.agent.rules import Kept
from services.planes.agent.secrets import Secrets
from services.planes.agent.settings import Settings
from services.planes.agent.snapshots import Snapshots
from services.planes.agent.trash import Trash
from services.planes.agent.trees import Trees
from services.planes.agent.uploads import Uploads
from services.planes.agent.work import Bench, Work
from services.planes.protocol import (
    CapacityReport,
    Command,
    Hello,
    HelloAnswer,
    Phase,
    RunOrder,
    RunReport,
)
from spawners.runtime import RunKey, RunState, Runtime, RuntimeFailure

log = logging.getLogger(__name__)

VERSION = "0.1.0"
TOMBSTONES = 20_000
ATTEMPTS = 20  # so many earlier ones are looked for when a workload comes
INVENTORY_BYTES = 1 << 20  # the control plane takes bodies of 2 MiB


class Agent:
    """One plane's agent: `run` serves until it is cancelled."""

    def __init__(
        self, settings: Settings, client: Client, runtime: Runtime, pods: Pods | None = None
    ) -> None:
        """`pods` says how runs are prepared for a cluster; without it they run on this machine."""
        self._settings = settings
        self._pods = pods
        self._client = client
        self._runtime = runtime
        self.connected = asyncio.Event()
        self._resync = asyncio.Event()
        self._works: dict[str, Work] = {}
        self._forgotten: OrderedDict[str, Kept] = OrderedDict()
        self._refused = False
        self._instance = uuid.uuid4().hex
        self._trash = Trash(settings.home / "trash")
        repositories = Repositories(settings.home / "cache" / "git", settings.git_patience)
        trees = Trees(settings.home / "cache" / "trees", repositories)
        self._cleaner = Cleaner(trees, repositories, self._trash, settings.cache_max)
        self._bench = self._furnish(trees)

    def _furnish(self, trees: Trees) -> Bench:
        settings, client, pace = self._settings, self._client, self._settings.pace
        first, longest = pace.backoff_first, pace.backoff_far / 4
        self._outbox_backoff = Backoff(first, longest)
        return Bench(
            runtime=self._runtime,
            client=client,
            desired=Desired(settings.home / "desired"),
            outbox=Outbox(client, pace.batch, pace.progress, self._outbox_backoff),
            preparing=self._preparing(trees),
            secrets=Secrets(client, first, longest),
            logs=LogShipping(client, self._runtime, first, longest),
            uploads=Uploads(client, first, longest),
            snapshots=Snapshots(settings, client, self._runtime),
            resync=self._resync,
            forgotten=self._on_forgotten,
            pace=pace,
        )

    def _preparing(self, trees: Trees) -> Preparing:
        given = (self._settings, self._client, trees, self._trash, self.connected.is_set)
        if self._pods is None:
            return Preparing(*given)
        return PodPreparing(*given, (self._pods, self._runtime))

    # -- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Adopt what is here, then serve. Cancel it to end; the runs go on."""
        await self._runtime.open()
        try:
            self._adopt()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._serve(), name="connection")
                group.create_task(self._follow(), name="changes")
                group.create_task(self._bench.outbox.run(), name="reports")
                group.create_task(self._tick(), name="clock")
                group.create_task(self._trash.run(), name="trash")
                group.create_task(self._bench.snapshots.run(), name="snapshots")
        finally:
            await asyncio.gather(*(work.close() for work in self._works.values()))
            await self._bench.snapshots.close()
            self._note(False)
            await self._client.close()
            await self._runtime.close()

    def busy(self) -> bool:
        """Tell whether anything is under way, for tests that wait for rest."""
        return any(work.busy for work in self._works.values()) or not self._bench.outbox.idle()

    def _adopt(self) -> None:
        """Take up the desired set as it was left; what runs besides it waits for hello."""
        for workload_id, kept in self._bench.desired.load().items():
            self._works[workload_id] = Work(self._bench, kept, adopted=True, on_disk=True)
        for state in self._runtime.states():
            work = self._works.get(state.key.workload_id)
            if work is not None and state.key != work.kept.key:
                work.leave(state.key)
        for work in self._works.values():
            work.wake()
        log.info("agent started", extra={"workloads": len(self._works)})

    # -- the control plane's word --------------------------------------------------------------

    async def _serve(self) -> None:
        pace = self._settings.pace
        backoff = Backoff(pace.backoff_first, pace.backoff_far)
        while True:
            try:
                self._client.refresh()
                near = self._client.at.loopback
                backoff.longest = pace.backoff_near if near else pace.backoff_far
                cursor, poll = await self._greet()
                backoff.reset()
                await self._listen(cursor, poll)
            except (Away, Gone, Rejected, TooMuch, RuntimeFailure) as error:
                self._on_away(error)
                await backoff.wait()

    async def _greet(self) -> tuple[int, float]:
        self._resync.clear()
        capacity = await self._runtime.capacity()
        answer = await self._client.hello(
            Hello(
                version=VERSION,
                instance=self._instance,
                isolation=self._runtime.isolation.value,
                capacity=CapacityReport(cpu=capacity.cpu, memory=capacity.memory, gpu=capacity.gpu),
                inventory=self._inventory(),
            )
        )
        self._take_all(answer)
        self._refused = False
        if not self.connected.is_set():
            log.info("connected", extra={"plane": answer.plane, "commands": len(answer.commands)})
            self.connected.set()
            self._note(True, answer.plane)
        self._outbox_backoff.cut()
        return answer.cursor, answer.poll

    async def _listen(self, cursor: int, poll: float) -> None:
        """Take in commands until the connection fails or all is to be asked anew."""
        resync = asyncio.create_task(self._resync.wait())
        asking = asyncio.create_task(self._client.commands(cursor, poll))
        try:
            while True:
                await asyncio.wait({asking, resync}, return_when=asyncio.FIRST_COMPLETED)
                if not asking.done():
                    return
                answer = asking.result()
                for command in answer.commands:
                    self._take(command)
                if resync.done():
                    return
                asking = asyncio.create_task(self._client.commands(answer.cursor, poll))
        finally:
            resync.cancel()
            asking.cancel()
            await asyncio.gather(resync, asking, return_exceptions=True)

    def _inventory(self) -> list[RunReport]:
        """Everything that is here. Finals beyond a body's size follow as reports."""
        reports: list[RunReport] = []
        room = INVENTORY_BYTES
        for work in self._works.values():
            report = work.report()
            if report.phase is Phase.FINISHED:
                size = len(report.model_dump_json())
                if size > room:
                    self._bench.outbox.put(report)
                    report = telling.bare(report)
                else:
                    room -= size
            reports.append(report)
        return [*reports, *(self._stranger(state) for state in self._strangers())]

    def _strangers(self) -> list[RunState]:
        states = self._runtime.states()
        return [state for state in states if state.key.workload_id not in self._works]

    @staticmethod
    def _stranger(state: RunState) -> RunReport:
        return RunReport(
            workload_id=state.key.workload_id,
            generation=0,
            attempt=state.key.attempt,
            phase=rules.reported_phase(state),
            isolation=state.isolation.value,
            started_at=state.started_at,
        )

    def _take_all(self, answer: HelloAnswer) -> None:
        """Make the answer to hello the truth: what it does not name is to be forgotten."""
        named = {command.workload_id for command in answer.commands}
        for workload_id, work in list(self._works.items()):
            if workload_id not in named:
                command = work.kept.command
                self._hand(rules.forgetting(workload_id, command.attempt, command.generation))
        for state in self._strangers():
            if state.key.workload_id not in named:
                self._hand(rules.forgetting(*state.key))
        for command in answer.commands:
            self._hand(command)

    def _take(self, command: Command) -> None:
        """Take in one command of the stream, which may be repeated or late."""
        work = self._works.get(command.workload_id)
        before = work.kept if work else self._forgotten.get(command.workload_id)
        if rules.merge(before, command) is not before:
            self._hand(command)
        elif work is not None and work.kept.final is not None:
            # Asked again for what has finished: our report may not have arrived.
            self._bench.outbox.put(work.kept.final)

    def _hand(self, command: Command) -> None:
        """Give a command that counts to its workload."""
        workload_id = command.workload_id
        if not rules.is_name(workload_id):
            log.error("command without a usable id", extra={"workload": workload_id[:80]})
            return
        work = self._works.get(workload_id)
        if work is not None:
            work.take(rules.replace(work.kept, command))
            return
        self._forgotten.pop(workload_id, None)
        kept = Kept(command=command)
        # Asked by key, not looked for: the cost of a command must not grow with what runs.
        attempts = range(max(1, command.attempt - ATTEMPTS), command.attempt + 1)
        keys = [RunKey(workload_id, attempt) for attempt in attempts]
        here = [key for key in keys if self._runtime.state(key) is not None]
        work = Work(self._bench, kept, adopted=kept.key in here, on_disk=False)
        self._works[workload_id] = work
        work.begin([key for key in here if key != kept.key])

    def _on_forgotten(self, kept: Kept) -> None:
        workload_id = kept.command.workload_id
        self._works.pop(workload_id, None)
        self._forgotten[workload_id] = kept
        if len(self._forgotten) > TOMBSTONES:
            self._forgotten.popitem(last=False)

    def _on_away(self, error: Exception) -> None:
        if self.connected.is_set():
            log.warning("connection lost", extra={"why": str(error)})
            self.connected.clear()
            self._note(False)
        if isinstance(error, Refused) and not self._refused:
            self._refused = True
            log.error(
                "the control plane refuses this agent's credential; trying on",
                extra={"why": str(error)},
            )

    # -- the runtime's word and the clock --------------------------------------------------------

    async def _follow(self) -> None:
        async for state in self._runtime.changes():
            work = self._works.get(state.key.workload_id)
            if work is not None:
                work.wake()

    async def _tick(self) -> None:
        pace = self._settings.pace
        repeated = cleaned = time.monotonic()
        while True:
            self._beat()
            await asyncio.sleep(pace.samples)
            now = time.monotonic()
            repeat = now - repeated >= pace.repeat
            repeated = now if repeat else repeated
            for work in list(self._works.values()):
                if work.live:
                    work.sampled()
                elif repeat and work.kept.final is not None:
                    self._bench.outbox.put(work.kept.final)
            if now - cleaned >= pace.clean:
                cleaned = now
                await self._clean()

    async def _clean(self) -> None:
        await self._clean_volumes()
        orders = self._orders()
        try:
            await self._cleaner.clean({order.project_id for order in orders})
        except OSError as error:
            log.warning("caches not cleaned", extra={"why": str(error)})

    def _orders(self) -> list[RunOrder]:
        return [order for work in self._works.values() if (order := work.kept.command.order)]

    async def _clean_volumes(self) -> None:
        """Throw away the volumes that the control plane does not name, if it can be asked."""
        try:
            named = await self._client.volumes()
            in_use = {order.session.volume for order in self._orders() if order.session}
            gone = self._bench.preparing.volumes.sweep(named, in_use)
            for volume in [*gone, *await self._runtime.sweep_volumes(named | in_use)]:
                log.info("volume thrown away", extra={"volume": volume})
        except (Away, Gone, Rejected, TooMuch, RuntimeFailure, OSError) as error:
            log.info("volumes not cleaned", extra={"why": str(error)})

    def _beat(self) -> None:
        """Touch the file by which a probe sees that the loop goes round."""
        try:
            (self._settings.home / "alive").touch()
        except OSError as error:
            log.warning("sign of life not written", extra={"why": error.strerror})

    def _note(self, connected: bool, plane: str | None = None) -> None:
        """Leave word for whoever looks after this machine."""
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        file = self._settings.home / "state.json"
        state = {"connected": connected, "since": since, "plane": plane, "pid": os.getpid()}
        try:
            file.with_suffix(".tmp").write_text(json.dumps(state))
            file.with_suffix(".tmp").replace(file)
        except OSError as error:
            log.warning("state not written", extra={"why": str(error)})

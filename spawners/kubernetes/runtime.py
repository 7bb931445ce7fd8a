"""KubernetesRuntime: runs as pods of a cluster, those of jobs each below a Job of its own.

Owns what an agent needs to know of its runs while it lives; the cluster owns the runs. Called by
`services.planes.agent`. All it knows it can read again from the cluster, by labels, so that it
may be killed at any moment. There is one list and one watch for each kind and no request for a
single pod to the API server while it runs; a run's log and outputs come from its own pod.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spawners.kubernetes import cluster as clusters
from spawners.kubernetes import manifests, names, runs, sessions
from spawners.kubernetes.api import Api, Refusal, Unreachable
from spawners.kubernetes.cluster import Cluster
from spawners.kubernetes.collecting import Away, Collectors, Door
from spawners.kubernetes.hearing import Acts, Hearing
from spawners.kubernetes.mirror import Mirror
from spawners.kubernetes.orders import SESSION_PORT
from spawners.kubernetes.reading import Seen, Stage
from spawners.kubernetes.runs import Run
from spawners.kubernetes.settings import KubernetesSettings
from spawners.runtime import (
    Capacity,
    FarReading,
    Isolation,
    RunEnd,
    RunKey,
    RunPhase,
    RunSpec,
    RunState,
    Runtime,
    RuntimeFailure,
    Sample,
    Shown,
)

log = logging.getLogger(__name__)

_START_PATIENCE = 30.0
_CAPACITY_LASTS = 60.0


class KubernetesRuntime(Runtime):
    """Starts, watches and ends pods of one namespace."""

    isolation = Isolation.NAMESPACES

    def __init__(self, settings: KubernetesSettings, api: Api) -> None:
        self._settings = settings
        self._api = api
        self._cluster = Cluster(api, settings)
        self._collectors = Collectors(settings.port)
        acts = Acts(self._begin_collecting, self._begin_serving)
        self._heard = heard = Hearing(settings, acts)
        self._runs = heard.runs
        self._tasks: set[asyncio.Task[None]] = set()
        self._capacity: tuple[float, Capacity] | None = None
        mine = {"labelSelector": names.selector(settings.plane)}
        self.mirrors = (
            Mirror(api, self._cluster.jobs, mine, heard.on_job),
            Mirror(api, self._cluster.pods, mine, heard.on_pod),
            Mirror(api, self._cluster.events, {"fieldSelector": "type=Warning"}, heard.on_event),
        )

    # -- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Adopt every run that is in the namespace, then hear of changes. RuntimeFailure."""
        try:
            for mirror in self.mirrors:  # Jobs first: a pod belongs to a run that is known
                await mirror.list()
            for name in await self._cluster.orphans(set(self._heard.names)):
                await self._cluster.drop_orphan(name)
        except Refusal as error:
            raise clusters.refused(error, self._settings.namespace) from error
        except Unreachable as error:
            raise RuntimeFailure(str(error)) from error
        for mirror in self.mirrors:
            self._spawn(mirror.follow())

    async def close(self) -> None:
        """Let go of the runs; they go on in the cluster."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._collectors.close()
        await self._api.close()

    async def capacity(self) -> Capacity:
        """What was set for this plane, else what the cluster's nodes can give."""
        wish = self._settings
        if wish.cpu is not None and wish.memory is not None:
            return Capacity(wish.cpu, wish.memory, wish.gpu)
        if self._capacity is None or time.monotonic() - self._capacity[0] > _CAPACITY_LASTS:
            try:
                found = Capacity(*await self._cluster.nodes())
            except Refusal as error:
                text = "the cluster does not tell what its nodes have: set what the plane may use"
                raise RuntimeFailure(text) from error
            except Unreachable as error:
                raise RuntimeFailure(str(error)) from error
            self._capacity = time.monotonic(), found
        return self._capacity[1]

    # -- start ---------------------------------------------------------------------------------

    async def start(self, spec: RunSpec) -> None:
        """Make the run's Secret and Job or pod; asks on for a while when the cluster is away."""
        if spec.key in self._runs:
            return
        settings, opens = self._settings, secrets.token_urlsafe(32)
        session = manifests.remote_of(spec).session
        made = [manifests.secret(spec, settings, opens)]
        if session is None:
            made += [manifests.job(spec, settings)]
        else:
            made += [sessions.pod(spec, settings), sessions.claim(session, settings)]
        run = self._heard.know(spec.key, session.volume if session else None)
        run.opens = opens
        try:
            await self._create(*made)
        except BaseException:
            self._heard.forget(run)
            raise

    async def _create(self, *made: dict[str, Any]) -> None:
        end, pause = time.monotonic() + _START_PATIENCE, 0.2
        while True:
            try:
                return await self._cluster.create(*made)
            except Refusal as error:
                raise clusters.refused(error, self._settings.namespace) from error
            except Unreachable as error:
                if time.monotonic() > end:
                    # Should it be there after all, the mirror finds it, and hello lets it go.
                    raise RuntimeFailure(str(error)) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 3.0)

    # -- what follows from what was heard --------------------------------------------------------

    def _begin_serving(self, run: Run, about: dict[str, Any]) -> None:
        self._spawn(self._serve(run, sessions.service(about, self._settings)))

    async def _serve(self, run: Run, service: dict[str, Any]) -> None:
        """Make a session's Service, or find it, until that is done or the session is over."""
        pause = 0.2
        while not run.over:
            try:
                run.service = await self._cluster.serve(service)
                return
            except Refusal as error:
                why = f"it cannot be given an address: {error.message}"
                if error.status != 404:  # 404: its pod went meanwhile
                    self._heard.move(run, runs.waiting(run.state, Seen(Stage.WAITING, why)))
            except Unreachable as error:
                log.info("service not made", extra={"run": str(run.state.key), "why": str(error)})
            await asyncio.sleep(pause)
            pause = min(pause * 2, 15.0)

    def _begin_collecting(self, run: Run, seen: Seen) -> None:
        self._spawn(self._collect(run, seen))

    async def _collect(self, run: Run, seen: Seen) -> None:
        """Learn from a run's pod how it ended; of a pod that is taken away, wait for its end."""
        lost = seen.stage is Stage.LOST
        patience = self._settings.leave_patience if lost else self._settings.answer_patience
        record, size, pause, heard = None, 0, 0.1, time.monotonic()
        while True:
            try:
                said = await self._collectors.state(await self._door(run))
                record, size, heard = dict(said["record"]), int(said["log_size"]), time.monotonic()
                if "finished_at" in record or not lost:
                    break
            except (Away, Refusal, Unreachable, KeyError, TypeError, ValueError) as error:
                fields = {"run": str(run.state.key), "why": str(error)}
                log.info("collector does not answer", extra=fields)
                if time.monotonic() - heard > patience or run.pod not in self._heard.pods:
                    run.ip = None
                    break
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
        self._heard.settle(run, runs.ended(run, seen, record, size))

    async def _door(self, run: Run) -> Door:
        if run.ip is None:
            raise Away("its pod has no address any more")
        if run.opens is None:
            run.opens = await self._cluster.opens(run.state.key)
        return Door(run.ip, run.opens)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- stop, look, remove --------------------------------------------------------------------

    async def stop(self, key: RunKey, grace: float, end: RunEnd = RunEnd.STOPPED) -> None:
        """Leave the wish in the run's pod; where that cannot be, delete the pod."""
        run = self._runs.get(key)
        if run is None or run.over or run.collecting:
            return
        run.wish, session = run.wish or end, run.volume is not None
        try:
            if run.state.phase is RunPhase.RUNNING:
                try:
                    return await self._collectors.stop(
                        await self._door(run), clusters.wish(run.wish, grace)
                    )
                except Away as error:
                    log.info("pod is deleted", extra={"run": str(key), "why": str(error)})
            await self._cluster.note_stop(key, session, run.wish)
            if run.pod is None:
                await self._cluster.delete(key, session)
                self._heard.settle(run, runs.gone(run))
            else:
                at_work = run.state.phase is RunPhase.RUNNING
                await self._cluster.delete_pod(run.pod, math.ceil(grace) if at_work else 1)
        except (Refusal, Unreachable) as error:
            raise RuntimeFailure(f"it could not be stopped: {error}") from error

    def state(self, key: RunKey) -> RunState | None:
        """Say where a run stands, from memory."""
        run = self._runs.get(key)
        return run.state if run is not None else None

    def states(self) -> list[RunState]:
        """Every run that is known and was not removed."""
        return [run.state for run in self._runs.values()]

    async def changes(self) -> AsyncIterator[RunState]:
        """Yield a run's state each time its phase or its reason changes."""
        while True:
            yield await self._heard.changes.get()

    def samples(self, key: RunKey) -> list[Sample]:
        """Hand over the samples that came with the log since the last call."""
        run = self._runs.get(key)
        if run is None:
            return []
        taken = list(run.samples)
        run.samples.clear()
        return taken

    async def read_log(self, key: RunKey, offset: int, limit: int) -> bytes:
        """Read from the log in the run's pod. RuntimeFailure when it does not answer."""
        run = self._runs.get(key)
        if run is None or (run.pod is None and run.ip is None) or not self._served(run):
            return b""
        try:
            piece = await self._collectors.log(await self._door(run), offset, limit)
        except (Refusal, Unreachable) as error:
            raise RuntimeFailure(str(error)) from error
        if not run.over:
            self._heard.move(run, runs.take(run, piece.sample, piece.session))
        return piece.data

    @staticmethod
    def _served(run: Run) -> bool:
        """Whether there may be a log: the program was started, as far as is known."""
        return run.state.phase is RunPhase.RUNNING or (
            run.over and run.state.started_at is not None
        )

    async def bring_outputs(self, key: RunKey, folder: Path, most: int) -> list[str]:
        """Fetch what the run left from its pod. RuntimeFailure, OSError."""
        run = self._runs.get(key)
        if run is None or not self._served(run):
            return []
        try:
            left = await self._collectors.outputs(await self._door(run), folder, most)
        except (Refusal, Unreachable) as error:
            raise RuntimeFailure(str(error)) from error
        shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        return [f"outputs that are no files, or too large, were left out: {shown}"] if left else []

    def shown(self, key: RunKey) -> Shown:
        """Say where a session answers: at its Service, once its tool does."""
        run = self._runs.get(key)
        if run is None or run.service is None or not run.listens:
            return Shown()
        return Shown(f"http://{run.service}:{SESSION_PORT}", run.activity)

    def reader(
        self, key: RunKey, person: str, folder: Path, readable: tuple[Path, ...]
    ) -> FarReading:
        """Have the files of a session read where they are, beside its collector."""

        async def connect(arguments: tuple[str, ...]) -> tuple[StreamReader, StreamWriter]:
            run = self._runs.get(key)
            if run is None:
                raise RuntimeFailure("its pod is not known here")
            try:
                return await self._collectors.reader(await self._door(run), arguments)
            except (Refusal, Unreachable) as error:
                raise RuntimeFailure(str(error)) from error

        return FarReading(connect)

    async def sweep_volumes(self, stay: set[str]) -> list[str]:
        """Delete the claims of volumes that need not stay. RuntimeFailure."""
        in_use = {run.volume for run in self._runs.values() if run.volume}
        before = datetime.now(UTC) - timedelta(seconds=self._settings.volume_young)
        try:
            return await self._cluster.sweep_claims(stay | in_use, before)
        except (Refusal, Unreachable) as error:
            if isinstance(error, Refusal) and error.status == 403:
                return []  # an agent without rights to volumes has made none
            raise RuntimeFailure(str(error)) from error

    async def remove(self, key: RunKey) -> None:
        """Release an ended run's pod and delete all that was made for it. RuntimeFailure."""
        run = self._runs.get(key)
        if run is None or not run.over:
            return
        try:
            released = await self._release(run)
            await self._cluster.delete(key, run.volume is not None)
            if not released and run.pod in self._heard.pods:
                # Its node may be gone for good: then nobody else ends it.
                await self._cluster.delete_pod(run.pod or "", 0)
        except (Refusal, Unreachable) as error:
            raise RuntimeFailure(f"it could not be removed: {error}") from error
        self._heard.remove(run)

    async def _release(self, run: Run) -> bool:
        try:
            await self._collectors.done(await self._door(run))
        except (Away, Refusal):
            return False
        return True

"""KubernetesRuntime: runs as pods of a cluster, each below a Job of its own.

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
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

from spawners.kubernetes import cluster as clusters
from spawners.kubernetes import manifests, names, reading, runs
from spawners.kubernetes.api import Api, Refusal, Unreachable
from spawners.kubernetes.cluster import Cluster
from spawners.kubernetes.collecting import Away, Collectors, Door
from spawners.kubernetes.mirror import Mirror
from spawners.kubernetes.reading import Seen, Stage
from spawners.kubernetes.runs import Run
from spawners.kubernetes.settings import KubernetesSettings
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
        self._runs: dict[RunKey, Run] = {}
        self._names: dict[str, Run] = {}  # by the name of the Job
        self._pods: dict[str, Run] = {}  # by the name of the pod
        self._changes: asyncio.Queue[RunState] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._capacity: tuple[float, Capacity] | None = None
        mine = {"labelSelector": names.selector(settings.plane)}
        self.mirrors = (
            Mirror(api, self._cluster.jobs, mine, self._on_job),
            Mirror(api, self._cluster.pods, mine, self._on_pod),
            Mirror(api, self._cluster.events, {"fieldSelector": "type=Warning"}, self._on_event),
        )

    # -- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Adopt every run that is in the namespace, then hear of changes. RuntimeFailure."""
        try:
            for mirror in self.mirrors:  # Jobs first: a pod belongs to a run that is known
                await mirror.list()
            for name in await self._cluster.orphans(set(self._names)):
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
        """Make the run's Secret and Job; asks on for a while when the cluster is away."""
        if spec.key in self._runs:
            return
        opens = secrets.token_urlsafe(32)
        made = manifests.secret(spec, self._settings, opens), manifests.job(spec, self._settings)
        run = self._know(spec.key)
        run.opens = opens
        try:
            await self._create(spec.key, *made)
        except BaseException:
            self._forget(run)
            raise

    async def _create(self, key: RunKey, secret: dict[str, Any], job: dict[str, Any]) -> None:
        end, pause = time.monotonic() + _START_PATIENCE, 0.2
        while True:
            try:
                return await self._cluster.create(secret, job)
            except Refusal as error:
                raise clusters.refused(error, self._settings.namespace) from error
            except Unreachable as error:
                if time.monotonic() > end:
                    # Should it be there after all, the mirror finds it, and hello lets it go.
                    raise RuntimeFailure(str(error)) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 3.0)

    def _know(self, key: RunKey) -> Run:
        run = self._runs[key] = self._names[names.name(key)] = runs.new(key)
        return run

    def _forget(self, run: Run) -> None:
        self._runs.pop(run.state.key, None)
        self._names.pop(names.name(run.state.key), None)
        if run.pod is not None:
            self._pods.pop(run.pod, None)

    # -- what the cluster says -----------------------------------------------------------------

    def _on_job(self, there: bool, job: dict[str, Any]) -> None:
        name = job["metadata"]["name"]
        run = self._names.get(name)
        if not there:
            if run is not None and run.pod is None:
                self._settle(run, runs.gone(run, "its job was deleted in the cluster"))
            return
        if run is None:
            key = names.key_of(job["metadata"].get("labels", {}))
            if key is None or names.name(key) != name or "deletionTimestamp" in job["metadata"]:
                return
            run = self._know(key)  # another agent's before us, or one whose answer got lost
            self._changes.put_nowait(run.state)
        asked = job["metadata"].get("annotations", {}).get(names.STOP)
        if asked is not None and run.wish is None:
            run.wish = RunEnd(asked)
        if run.pod is None and (why := reading.job_failed(job)):
            self._settle(run, runs.gone(run, why))

    def _on_pod(self, there: bool, pod: dict[str, Any]) -> None:
        name = pod["metadata"]["name"]
        if not there:
            run = self._pods.pop(name, None)
            if run is not None and not run.collecting:
                self._settle(run, runs.gone(run))
            return
        key = names.key_of(pod["metadata"].get("labels", {}))
        run = self._runs.get(key) if key is not None else None
        if run is None or run.over:
            return
        run.pod = name
        self._pods[name] = run
        self._take(run, reading.look(pod))

    def _on_event(self, there: bool, event: dict[str, Any]) -> None:
        about = event.get("involvedObject", {})
        if not there or not str(about.get("name", "")).startswith("smalti-"):
            return
        of = self._names if about.get("kind") == "Job" else self._pods
        run = of.get(about["name"])
        if run is None or run.state.phase is not RunPhase.STARTING:
            return
        why = reading.warning(event, has_pod=run.pod is not None)
        if why is not None:
            self._move(run, runs.waiting(run.state, Seen(Stage.WAITING, why)))

    def _take(self, run: Run, seen: Seen) -> None:
        """Take in one look at a run's pod."""
        run.ip = seen.ip or run.ip
        if seen.stage is not Stage.WAITING or not seen.stuck:
            run.stuck_since = None
        if seen.stage is Stage.WAITING:
            self._take_waiting(run, seen)
        elif seen.stage is Stage.RUNNING:
            if run.state.phase is RunPhase.STARTING:
                self._move(run, runs.running(run.state, seen))
            if seen.leaving and not run.collecting:
                # The kubelet tells nothing more of a pod that it ends until all of it has ended.
                run.collecting = True
                self._spawn(self._collect(run, Seen(Stage.LOST, runs.POD_DELETED)))
        elif seen.stage is Stage.FAILED or run.ip is None:
            self._settle(run, runs.ended(run, seen, None, 0))
        elif not run.collecting:
            run.collecting = True
            self._spawn(self._collect(run, seen))

    def _take_waiting(self, run: Run, seen: Seen) -> None:
        if run.state.phase is not RunPhase.STARTING:
            return
        self._move(run, runs.waiting(run.state, seen))
        if seen.hopeless:
            self._give_up(run)
        elif seen.stuck and run.stuck_since is None:
            run.stuck_since = since = time.monotonic()
            loop = asyncio.get_running_loop()
            loop.call_later(self._settings.pull_patience, self._still_stuck, run, since)

    def _still_stuck(self, run: Run, since: float) -> None:
        if run.stuck_since == since and not run.over:
            self._give_up(run)

    def _give_up(self, run: Run) -> None:
        failed = Seen(Stage.FAILED, run.state.reason)
        self._settle(run, runs.ended(run, failed, None, 0))

    def _move(self, run: Run, state: RunState) -> None:
        """Take over a state and tell of it, if it says anything new."""
        if state != run.state:
            run.state = state
            self._changes.put_nowait(state)

    def _settle(self, run: Run, state: RunState) -> None:
        if not run.over:
            self._move(run, state)

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
                if time.monotonic() - heard > patience or run.pod not in self._pods:
                    run.ip = None
                    break
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
        self._settle(run, runs.ended(run, seen, record, size))

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
        run.wish = run.wish or end
        try:
            if run.state.phase is RunPhase.RUNNING:
                try:
                    return await self._collectors.stop(
                        await self._door(run), clusters.wish(run.wish, grace)
                    )
                except Away as error:
                    log.info("pod is deleted", extra={"run": str(key), "why": str(error)})
            await self._cluster.note_stop(key, run.wish)
            if run.pod is None:
                await self._cluster.delete(key)
                self._settle(run, runs.gone(run))
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
            yield await self._changes.get()

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
        if piece.sample is not None and not run.over:
            runs.sample(run, piece.sample)
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

    def reader(self, person_id: str, folder: Path, readable: tuple[Path, ...]) -> Reading:
        """Refuse: a workspace's folder is in the cluster and cannot be read from here."""
        raise RuntimeFailure("snapshots are not taken of workspaces in a cluster")

    async def remove(self, key: RunKey) -> None:
        """Release an ended run's pod and delete all that was made for it. RuntimeFailure."""
        run = self._runs.get(key)
        if run is None or not run.over:
            return
        try:
            released = await self._release(run)
            await self._cluster.delete(key)
            if not released and run.pod in self._pods:
                # Its node may be gone for good: then nobody else ends it.
                await self._cluster.delete_pod(run.pod or "", 0)
        except (Refusal, Unreachable) as error:
            raise RuntimeFailure(f"it could not be removed: {error}") from error
        self._forget(run)

    async def _release(self, run: Run) -> bool:
        try:
            await self._collectors.done(await self._door(run))
        except (Away, Refusal):
            return False
        return True

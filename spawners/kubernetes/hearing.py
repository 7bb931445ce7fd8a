"""Takes in what the cluster says of our runs: which there are, and how each one stands.

Owns the runs in memory and every change of a run's state. Made by `runtime`, called by its
mirrors for each change of a Job, a pod or an event. Must do no I/O: what is to be done about
something that was heard is told by `Acts`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spawners.kubernetes import names, reading, runs
from spawners.kubernetes.reading import Seen, Stage
from spawners.kubernetes.runs import Run
from spawners.kubernetes.settings import KubernetesSettings
from spawners.runtime import RunEnd, RunKey, RunPhase, RunState

Object = dict[str, Any]
REMOVED_KEPT = 20_000


@dataclass(frozen=True)
class Acts:
    """What is done about what was heard; each begins at once and is not waited for.

    collect   learn from a run's pod how it ended
    serve     give a session, whose pod's metadata this is, its address
    """

    collect: Callable[[Run, Seen], None]
    serve: Callable[[Run, Object], None]


class Hearing:
    """The runs of one plane, as they are heard of."""

    def __init__(self, settings: KubernetesSettings, acts: Acts) -> None:
        self._settings = settings
        self._acts = acts
        self.runs: dict[RunKey, Run] = {}
        self.names: dict[str, Run] = {}  # by the name of the Job, or of a session's pod
        self.pods: dict[str, Run] = {}  # by the name of the pod
        self._removed: OrderedDict[RunKey, None] = OrderedDict()
        self.changes: asyncio.Queue[RunState] = asyncio.Queue()

    def know(self, key: RunKey, volume: str | None = None) -> Run:
        """Take up a run; with a volume it is a session."""
        self._removed.pop(key, None)
        run = self.runs[key] = self.names[names.name(key)] = runs.new(key, volume)
        return run

    def forget(self, run: Run) -> None:
        """Let go of a run."""
        self.runs.pop(run.state.key, None)
        self.names.pop(names.name(run.state.key), None)
        if run.pod is not None:
            self.pods.pop(run.pod, None)

    def remove(self, run: Run) -> None:
        """Let go of a run that was deleted: what was said of it before is still to be heard."""
        self.forget(run)
        self._removed[run.state.key] = None
        if len(self._removed) > REMOVED_KEPT:
            self._removed.popitem(last=False)

    # -- what the cluster says -----------------------------------------------------------------

    def on_job(self, there: bool, job: Object) -> None:
        """Hear of a Job."""
        name = job["metadata"]["name"]
        run = self.names.get(name)
        if not there:
            if run is not None and run.pod is None:
                self.settle(run, runs.gone(run, "its job was deleted in the cluster"))
            return
        if run is None:
            key = names.key_of(job["metadata"].get("labels", {}))
            if key is None or key in self._removed or names.name(key) != name:
                return
            if "deletionTimestamp" in job["metadata"]:
                return
            run = self.know(key)  # another agent's before us, or one whose answer got lost
            self.changes.put_nowait(run.state)
        asked = job["metadata"].get("annotations", {}).get(names.STOP)
        if asked is not None and run.wish is None:
            run.wish = RunEnd(asked)
        if run.pod is None and (why := reading.job_failed(job)):
            self.settle(run, runs.gone(run, why))

    def on_pod(self, there: bool, pod: Object) -> None:
        """Hear of a pod."""
        name = pod["metadata"]["name"]
        if not there:
            run = self.pods.pop(name, None)
            if run is not None and not run.collecting:
                self.settle(run, runs.gone(run))
            return
        run = self._of_pod(pod["metadata"])
        if run is None or run.over:
            return
        run.pod = name
        self.pods[name] = run
        if run.volume is not None and not run.serving:
            run.serving = True
            self._acts.serve(run, pod["metadata"])
        self._take(run, reading.look(pod))

    def _of_pod(self, about: Object) -> Run | None:
        """Find a pod's run; a session's pod that is not known is adopted, as a Job is."""
        key = names.key_of(about.get("labels", {}))
        run = self.runs.get(key) if key is not None else None
        volume = about.get("labels", {}).get(names.VOLUME)
        if run is None and key is not None and volume and names.name(key) == about["name"]:
            if "deletionTimestamp" in about or key in self._removed:
                return None
            run = self.know(key, volume)
            self.changes.put_nowait(run.state)
        asked = about.get("annotations", {}).get(names.STOP)
        if run is not None and asked is not None and run.wish is None:
            run.wish = RunEnd(asked)
        return run

    def on_event(self, there: bool, event: Object) -> None:
        """Hear of a warning."""
        about = event.get("involvedObject", {})
        if not there or not str(about.get("name", "")).startswith("smalti-"):
            return
        run = self._about(about.get("kind"), about["name"])
        if run is None or run.state.phase is not RunPhase.STARTING:
            return
        why = reading.warning(event, has_pod=run.pod is not None)
        if why is not None:
            self.move(run, runs.waiting(run.state, Seen(Stage.WAITING, why)))

    def _about(self, kind: str | None, name: str) -> Run | None:
        if kind == "PersistentVolumeClaim":
            mine = (run for run in self.runs.values() if run.volume and not run.over)
            return next((run for run in mine if names.claim(run.volume or "") == name), None)
        return (self.names if kind == "Job" else self.pods).get(name)

    def _take(self, run: Run, seen: Seen) -> None:
        """Take in one look at a run's pod."""
        run.ip = seen.ip or run.ip
        if seen.stage is not Stage.WAITING or not seen.stuck:
            run.stuck_since = None
        if seen.stage is Stage.WAITING:
            self._take_waiting(run, seen)
        elif seen.stage is Stage.RUNNING:
            if run.state.phase is RunPhase.STARTING:
                self.move(run, runs.running(run.state, seen))
            if seen.leaving and not run.collecting:
                # The kubelet tells nothing more of a pod that it ends until all of it has ended.
                run.collecting = True
                self._acts.collect(run, Seen(Stage.LOST, runs.POD_DELETED))
        elif seen.stage is Stage.FAILED or run.ip is None:
            self.settle(run, runs.ended(run, seen, None, 0))
        elif not run.collecting:
            run.collecting = True
            self._acts.collect(run, seen)

    def _take_waiting(self, run: Run, seen: Seen) -> None:
        if run.state.phase is not RunPhase.STARTING:
            return
        self.move(run, runs.waiting(run.state, seen))
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
        self.settle(run, runs.ended(run, failed, None, 0))

    def move(self, run: Run, state: RunState) -> None:
        """Take over a state and tell of it, if it says anything new."""
        if state != run.state:
            run.state = state
            self.changes.put_nowait(state)

    def settle(self, run: Run, state: RunState) -> None:
        """Take over a run's final state, unless it has one."""
        if not run.over:
            self.move(run, state)

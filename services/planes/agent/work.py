"""The work on one workload: bringing what is here to what should be here, step by step.

Owns the order of things in a run's life: prepare, start, watch, finish, remove. Made by the
agent for each entry of the desired set; a task of its own lives only while there is something
to do. Each step looks at the kept command and at the runtime anew (`rules.next_step`), so that a
kill between any two steps is mended by the next start. Must never end with an error: whatever
goes wrong becomes a report with a reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.planes.agent import rules, telling
from services.planes.agent.client import Away, Client, Gone, NoRoom
from services.planes.agent.desired import Desired
from services.planes.agent.logs import LogShipping, RunLog
from services.planes.agent.pace import Backoff, take_back_cancel
from services.planes.agent.preparing import Preparing
from services.planes.agent.programs import CannotPrepare
from services.planes.agent.reports import Outbox
from services.planes.agent.rules import Kept, Step
from services.planes.agent.secrets import Secrets
from services.planes.agent.settings import Pace
from services.planes.agent.snapshots import Snapshots
from services.planes.agent.uploads import Uploads
from services.planes.protocol import LimitsOrder, Outcome, OutputEntry, Phase, RunReport
from spawners.runtime import RunKey, RunPhase, RunState, Runtime, RuntimeFailure

log = logging.getLogger(__name__)

_INTERRUPTIBLE = (Step.PREPARE, Step.WATCH, Step.FINISH)
_LIVE = (RunPhase.STARTING, RunPhase.RUNNING)
GRACE = 10.0
GONE_MAX = 5  # after so many refusals of a run that should be here, its shipping is given up


@dataclass(frozen=True)
class Bench:
    """All that the work on any workload needs."""

    runtime: Runtime
    client: Client
    desired: Desired
    outbox: Outbox
    preparing: Preparing
    secrets: Secrets
    logs: LogShipping
    uploads: Uploads
    snapshots: Snapshots
    resync: asyncio.Event  # set it to ask the control plane anew for all that should be here
    forgotten: Callable[[Kept], None]  # called when nothing is left of a workload
    pace: Pace


class Work:
    """One workload on this plane."""

    def __init__(self, bench: Bench, kept: Kept, adopted: bool, on_disk: bool) -> None:
        self._bench = bench
        self.kept = kept
        self.removed = False
        self._left: list[RunKey] = []  # earlier attempts, to be ended and removed
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._step: Step | None = None
        self._interrupted = False
        self._stopping = False
        self._gone = 0
        # What an earlier process shipped is only known to the control plane.
        self._log = self._new_log(None if adopted else 0)
        self._notes: list[str] = []
        self._again = Backoff(0.5, 30.0)
        self._announced = False  # whether a session's address was told
        self._saved = kept if on_disk else None

    # -- from outside --------------------------------------------------------------------------

    def take(self, kept: Kept) -> None:
        """Take in a new entry (merged by the agent) and write it down."""
        if kept == self.kept:
            return
        if kept.key != self.kept.key:
            self._left.append(self.kept.key)
            self._notes, self._stopping, self._gone = [], False, 0
            self.kept = kept
            self._log = self._new_log(0)
        self.kept = kept
        self._save()
        if kept.final is not None:
            self._bench.outbox.put(kept.final)
        if self._task is not None and self._step in _INTERRUPTIBLE and not self._interrupted:
            self._interrupted = bool(self._left) or self._next() is not self._step
            if self._interrupted:
                self._task.cancel()
        self.wake()

    def begin(self, left: list[RunKey]) -> None:
        """Write a new entry down and start on it; `left` are runs of other attempts here."""
        self._left.extend(left)
        self._save()
        self.wake()

    def leave(self, key: RunKey) -> None:
        """End and remove the run of an earlier attempt that was found here."""
        self._left.append(key)
        self.wake()

    def wake(self) -> None:
        """Look again at what is to be done: a command came, or the run's phase changed."""
        self._wake.set()
        if self._task is None and not self.removed:
            self._task = asyncio.create_task(self._run(), name=f"work {self.kept.key}")

    def report(self) -> RunReport:
        """Say what is of this workload now."""
        if self.kept.final is not None:
            return self.kept.final
        state = self._bench.runtime.state(self.kept.key)
        phase = rules.reported_phase(state)
        why = state.reason if state and state.phase is RunPhase.STARTING else None
        report = telling.report_on(self.kept.command, phase, state, why, self._log.end)
        if phase is not Phase.RUNNING or state is None:
            return report
        shown = self._bench.preparing.shown(self.kept.key, self.kept.command.order)
        self._announced = shown.get("address") is not None
        return report.model_copy(update={"reason": state.reason, **shown})

    def sampled(self) -> None:
        """Report the samples taken of a run that runs."""
        samples = telling.points(self._bench.runtime.samples(self.kept.key))
        if (samples or self._announced) and self.kept.final is None:
            self._bench.outbox.put(self.report().model_copy(update={"samples": samples}))

    @property
    def live(self) -> bool:
        """Tell whether its run runs now."""
        state = self._bench.runtime.state(self.kept.key)
        return state is not None and state.phase in _LIVE

    @property
    def busy(self) -> bool:
        """Tell whether something is being done for it."""
        return self._task is not None

    async def close(self) -> None:
        """Let go of the workload; its run goes on."""
        self.removed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # -- the loop ------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while not self.removed:
                self._wake.clear()
                if self._left:
                    await self._guarded(Step.KILL, self._end_left)
                    continue
                step = self._next()
                if step is Step.REST:
                    break
                await self._guarded(step, _STEPS[step].__get__(self))
        finally:
            self._task = None
        if self._wake.is_set():
            self.wake()

    def _next(self) -> Step:
        state = self._bench.runtime.state(self.kept.key)
        return rules.next_step(self.kept, state.phase if state else None)

    async def _guarded(self, step: Step, act: Callable[[], Awaitable[None]]) -> None:
        """Do one step; an interrupted one is simply followed by the next look."""
        failure: Exception | None = None
        self._step = step
        try:
            await act()
            self._again.reset()
        except asyncio.CancelledError:
            if not self._interrupted:
                raise
            take_back_cancel()
        except Exception as error:  # noqa: BLE001 - made into a report below
            if self._interrupted:
                take_back_cancel()  # it failed while it was left off: no failure of the run
            else:
                failure = error
        finally:
            self._step, self._interrupted = None, False
        if isinstance(failure, Gone):
            await self._on_gone(failure)
        elif failure is not None:
            fields = {"run": str(self.kept.key), "step": step.value}
            log.error("step failed", extra=fields, exc_info=failure)
            await self._give_up(step, failure)

    async def _end_left(self) -> None:
        """End and remove earlier attempts, one by one."""
        while self._left:
            await self._end(self._left[0])
            await self._clear(self._left[0])
            self._left.pop(0)

    async def _on_gone(self, error: Gone) -> None:
        """The control plane does not know this run: ask it anew what should be here."""
        self._gone += 1
        log.info("run not known", extra={"run": str(self.kept.key), "why": str(error)})
        if self._gone >= GONE_MAX:
            # It lists the run and yet refuses what we ship: finish without shipping.
            self._notes.append(f"log or outputs were not taken by the platform ({error})")
            self._log.closed = self._log.closed or "the log was not taken by the platform"
        self._bench.resync.set()
        await self._pause(self._bench.pace.backoff_far / 10 * self._gone)

    async def _give_up(self, step: Step, error: Exception) -> None:
        """Turn an unforeseen error into a report, or try again where that is all one can do."""
        why = f"{type(error).__name__}: {error}"
        if isinstance(error, OSError):
            why = error.strerror or why
        if step is Step.PREPARE:
            self._finish_with(Outcome.ERROR, f"the run could not be prepared: {why}", True)
        elif step is Step.FINISH:
            self._notes.append(f"log or outputs were not all kept: {why}")
            state = self._bench.runtime.state(self.kept.key)
            if state is not None:
                self._conclude(state, [])
        else:
            await self._pause(self._again.next())

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _prepare(self) -> None:
        bench, order = self._bench, self.kept.command.order
        if order is None:
            self._finish_with(Outcome.ERROR, "the order to run it did not arrive", True)
            return
        reason = bench.preparing.what(order)
        self._tell_preparing(reason)
        try:
            variables = await bench.secrets.wait(self.kept.key, order, self._tell_preparing)
            spec = await bench.preparing.prepare(self.kept.key, order, variables)
            # From here on it is not interrupted: a start is awaited to its end.
            self._step = None
            if not self._interrupted:
                await bench.runtime.start(spec)
        except CannotPrepare as error:
            self._finish_with(Outcome.ERROR, str(error), error.retryable)
        except RuntimeFailure as error:
            self._finish_with(Outcome.ERROR, f"it could not be started: {error}", True)

    async def _watch(self) -> None:
        self._put_state()
        self._bench.snapshots.follow(self.kept.key, self.kept.command.order)
        pace = self._bench.pace
        delay, backoff = pace.log_first, Backoff(pace.backoff_first, pace.backoff_far / 4)
        while True:
            await self._pause(delay)
            if self._wake.is_set():
                return
            if not self._announced and self.report().address:
                self._put_state()
            try:
                moved = await self._log.ship()
                delay = pace.log_quick if moved else min(delay * 1.5, pace.log_quiet)
                backoff.reset()
            except (Away, RuntimeFailure, OSError):
                delay = backoff.next()

    async def _stop(self) -> None:
        if not self._stopping:
            order = self.kept.command.order
            await self._bench.runtime.stop(self.kept.key, order.grace if order else GRACE)
            self._stopping = True
        await self._watch()

    async def _decline(self) -> None:
        self._finish_with(Outcome.STOPPED, "stopped before it was started", False)

    async def _kill(self) -> None:
        await self._end(self.kept.key)

    async def _finish(self) -> None:
        bench, key = self._bench, self.kept.key
        state = bench.runtime.state(key)
        if state is None:
            return
        self._put_state()
        await self._log.ship_all(self._held)
        outputs: list[OutputEntry] = []
        if self._gone < GONE_MAX:
            order = self.kept.command.order
            await bench.snapshots.conclude(key, order)
            limits = order.limits if order else LimitsOrder(cpu=0, memory=0)
            folder = bench.preparing.places(key).outputs
            self._notes += await bench.runtime.bring_outputs(key, folder, limits.outputs)
            outputs, notes = await bench.uploads.put_all(key, folder, limits, self._held)
            self._notes += notes
        tail = await self._log.tail(max(state.log_size, self._log.end or 0))
        self._conclude(state, outputs, tail)

    async def _remove(self) -> None:
        key = self.kept.key
        await self._clear(key)
        if self.kept.key != key or self.kept.command.action != "forget":
            return  # wanted again meanwhile
        self._bench.desired.drop(self.kept)
        self._bench.outbox.drop(key)
        self.removed = True
        self._bench.forgotten(self.kept)

    async def _end(self, key: RunKey) -> None:
        """End a run that nobody asks for any more and wait for its end."""
        asked = False
        while (state := self._bench.runtime.state(key)) is not None and state.phase in _LIVE:
            if not asked:
                await self._bench.runtime.stop(key, GRACE)
                asked = True
                continue
            # The wake-up is an event for all; a look per second covers one that was not for us.
            self._wake.clear()
            await self._pause(1.0)

    async def _clear(self, key: RunKey) -> None:
        await self._bench.runtime.remove(key)
        self._bench.preparing.clear(key)
        self._bench.secrets.forget(key)

    def _save(self) -> None:
        if self.kept.final is not None and self.kept.command.action == "forget":
            return  # it never runs again: being dropped is all that is left to be done
        try:
            self._bench.desired.save(self.kept, self._saved)
            self._saved = self.kept
        except OSError as error:
            # In memory it still holds; after a restart hello brings it back.
            fields = {"run": str(self.kept.key), "why": error.strerror}
            log.error("desired entry not written", extra=fields)

    def _held(self, error: Away) -> None:
        """Tell why an ended run is not finished yet."""
        if isinstance(error, NoRoom):
            report = self.report().model_copy(update={"reason": f"waiting for room: {error}"})
            self._bench.outbox.put(report)

    def _new_log(self, end: int | None) -> RunLog:
        key, order, secrets = self.kept.key, self.kept.command.order, self._bench.secrets
        return RunLog(self._bench.logs, key, end, lambda: secrets.mask(key, order))

    def _tell_preparing(self, reason: str | None) -> None:
        report = telling.report_on(self.kept.command, Phase.PREPARING, reason=reason)
        self._bench.outbox.put(report)

    def _put_state(self) -> None:
        self._bench.outbox.put(self.report())

    def _finish_with(self, outcome: Outcome, reason: str, retryable: bool) -> None:
        """Make the final report of a run that was never started."""
        self._settle(telling.unstarted(self.kept.command, outcome, reason, retryable))

    def _conclude(self, state: RunState, outputs: list[OutputEntry], tail: bytes = b"") -> None:
        """Make the final report of a run that ended."""
        verdict = rules.judge(state, self.kept.command.order)
        notes = [*([self._log.closed] if self._log.closed else []), *self._notes]
        report = telling.concluded(self.report(), state, verdict, outputs, notes)
        samples = telling.points(self._bench.runtime.samples(self.kept.key))
        lines = rules.tail_lines(tail)
        self._settle(report.model_copy(update={"samples": samples, "last_lines": lines}))

    def _settle(self, report: RunReport) -> None:
        reason = self._bench.secrets.hide(self.kept.key, report.reason)
        report = report.model_copy(update={"reason": reason})
        self.kept = Kept(command=self.kept.command, final=report)
        self._save()
        self._bench.outbox.put(report)
        fields = {"run": str(self.kept.key), "outcome": report.outcome, "why": report.reason}
        log.info("run finished", extra=fields)


_STEPS = {
    Step.PREPARE: Work._prepare,
    Step.WATCH: Work._watch,
    Step.STOP: Work._stop,
    Step.FINISH: Work._finish,
    Step.DECLINE: Work._decline,
    Step.KILL: Work._kill,
    Step.REMOVE: Work._remove,
}

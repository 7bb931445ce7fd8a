"""Telling the control plane what is: reports gathered and sent in batches.

Owns what waits to be reported: of each run the furthest report only, with all samples. Called
by the work on each workload; one task sends. A report leaves the box when the control plane has
taken it; until then it is sent again. What somebody waits for (an end, an address) is sent at
once; mere progress waits a little, so that a short run is told of in one report and not in
three. Must never hold up whoever reports.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from services.planes.agent.client import Away, Client, Gone, Rejected, TooMuch
from services.planes.agent.pace import Backoff
from services.planes.agent.rules import later
from services.planes.protocol import Phase, Reports, RunReport
from spawners.runtime import RunKey

log = logging.getLogger(__name__)

BATCH_MAX = 500
# What may stand in one batch beside the reports' own fields, in entries of some 150 bytes: the
# control plane takes bodies of 2 MiB.
ENTRIES_MAX = 4000


class Outbox:
    """Reports that wait to be sent."""

    def __init__(self, client: Client, batch: float, progress: float, backoff: Backoff) -> None:
        self._client = client
        self._batch = batch
        self._progress = max(progress - batch, 0.0)
        self._backoff = backoff
        self._waiting: dict[RunKey, RunReport] = {}
        self._sending: dict[RunKey, RunReport] = {}
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()

    def put(self, report: RunReport) -> None:
        """Take a report to be sent; joins what waits for the same run."""
        key = RunKey(report.workload_id, report.attempt)
        waiting = self._waiting.get(key)
        self._waiting[key] = later(waiting, report) if waiting is not None else report
        self._some.set()
        if _is_urgent(report):
            self._urgent.set()

    def drop(self, key: RunKey) -> None:
        """Take back what waits for a run that nobody wants to know of any more."""
        self._waiting.pop(key, None)

    def idle(self) -> bool:
        """Tell whether everything has been taken by the control plane."""
        return not self._waiting and not self._sending

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._some.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._progress):
                    await self._urgent.wait()
            await asyncio.sleep(self._batch)
            try:
                await self._send_once()
                self._backoff.reset()
            except Away:
                await self._backoff.wait()

    async def _send_once(self) -> None:
        self._urgent.clear()
        self._sending = self._take()
        try:
            await self._deliver(list(self._sending.values()))
        except BaseException:
            for key, report in self._sending.items():
                newer = self._waiting.get(key)
                self._waiting[key] = later(report, newer) if newer is not None else report
            raise
        finally:
            self._sending = {}
            if not self._waiting:
                self._some.clear()
            else:
                self._some.set()
                if any(_is_urgent(report) for report in self._waiting.values()):
                    self._urgent.set()

    def _take(self) -> dict[RunKey, RunReport]:
        taken: dict[RunKey, RunReport] = {}
        entries = 0
        for key, report in self._waiting.items():
            size = len(report.outputs or ()) + len(report.samples)
            size += len(report.last_lines or "") // 100
            if taken and (len(taken) == BATCH_MAX or entries + size > ENTRIES_MAX):
                break
            taken[key] = report
            entries += size
        for key in taken:
            del self._waiting[key]
        return taken

    async def _deliver(self, reports: list[RunReport]) -> None:
        """Post reports; a batch that is refused as such is halved down to the one at fault."""
        if not reports:
            return
        try:
            await self._client.report(Reports(reports=reports))
        except (Rejected, TooMuch, Gone) as error:
            if len(reports) > 1:
                middle = len(reports) // 2
                await self._deliver(reports[:middle])
                await self._deliver(reports[middle:])
                return
            await self._deliver_bare(reports[0], error)

    async def _deliver_bare(self, report: RunReport, error: Exception) -> None:
        fields = {"workload": report.workload_id, "attempt": report.attempt, "why": str(error)}
        log.error("report refused", extra=fields)
        bare = report.model_copy(update={"outputs": None, "samples": [], "last_lines": None})
        try:
            await self._client.report(Reports(reports=[bare]))
        except (Rejected, TooMuch, Gone) as again:
            log.error("report given up", extra={**fields, "why": str(again)})


def _is_urgent(report: RunReport) -> bool:
    return report.phase is Phase.FINISHED or report.address is not None

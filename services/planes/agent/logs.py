"""Shipping a run's log to the control plane, piece by piece.

Owns how far each log has been shipped. Called by the work on each workload: now and then while
the run runs, to the end when it has ended. The control plane's word on where the stored log
ends is always the one that counts. Secrets are hidden here, before anything leaves (`masking`).
Must never keep more than one piece of a run in memory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from services.planes.agent.client import Away, Client, Gone, NoRoom, Rejected, TooMuch
from services.planes.agent.masking import Mask
from services.planes.agent.pace import ROOM_PATIENCE, Backoff
from spawners.runtime import RunKey, Runtime, RuntimeFailure

log = logging.getLogger(__name__)

PIECE = 256 << 10  # the first piece; read without a thread
PIECE_MOST = 1 << 20  # the next ones, when there is more
IN_FLIGHT = 6
TAIL = 16 << 10
STUCK_MAX = 20  # puts in a row after which the stored log did not get longer


class LogShipping:
    """The log shipping of all runs: who may send now, first come first served."""

    def __init__(self, client: Client, runtime: Runtime, first: float, longest: float) -> None:
        self.client = client
        self.runtime = runtime
        self.pause = (first, longest)
        self.slots = asyncio.Semaphore(IN_FLIGHT)


class RunLog:
    """One run's log. `end` is where the stored log ends, None until the control plane said so."""

    def __init__(
        self,
        shipping: LogShipping,
        key: RunKey,
        end: int | None,
        mask: Callable[[], Awaitable[Mask]],
    ) -> None:
        self._shipping = shipping
        self._mask = mask
        self._key = key
        self._stuck = 0
        self._size = PIECE
        self.end = end
        self.closed: str | None = None  # why no more is sent

    async def ship(self, *, ended: bool = False) -> bool:
        """Send one piece; False when there is nothing to send now.

        Of a run that goes on, what may be the first half of a secret waits for the other half.

        Raises `client.Away`, `client.Gone`, RuntimeFailure.
        """
        if self.closed is not None:
            return False
        if self.end is None:
            self.end = await self._shipping.client.log_end(self._key)
        # The slot is held while a piece is in memory, and handed on after it: a run that
        # writes without end takes its turn among the others.
        mask = await self._mask()
        async with self._shipping.slots:
            piece = await self._piece(self.end, mask, ended)
            if not piece:
                return False
            full = len(piece) >= self._size - 2 * mask.reach
            self._size = PIECE_MOST if full else PIECE
            await self._put(self.end, piece)
        return True

    async def _piece(self, start: int, mask: Mask, ended: bool) -> bytes:
        """Read the next piece with the secrets in it hidden."""
        read = self._shipping.runtime.read_log
        if not mask:
            return await read(self._key, start, self._size)
        before = min(start, mask.reach)
        most = self._size - before - mask.reach
        data = await read(self._key, start - before, self._size)
        size = min(len(data) - before, most)
        if len(data) < self._size:  # nothing follows yet
            size = len(data) - before if ended else mask.settled(data) - before
        if size <= 0:
            return b""
        hide = mask.hide
        hidden = hide(data) if len(data) <= PIECE else await asyncio.to_thread(hide, data)
        return hidden[before : before + size]

    async def _put(self, offset: int, piece: bytes) -> None:
        self.end = None  # not known until the answer is here
        try:
            self.end = await self._shipping.client.put_log(self._key, offset, piece)
        except (TooMuch, Rejected) as error:
            self.end = offset
            self.closed = f"the log was kept only up to byte {offset}: {error}"
            log.warning("log closed", extra={"run": str(self._key), "why": str(error)})
            return
        self._stuck = 0 if self.end > offset else self._stuck + 1
        if self._stuck >= STUCK_MAX:
            self.closed = f"the log was kept only up to byte {self.end}"
        elif self._stuck:
            raise Away("the stored log did not get longer")

    async def ship_all(self, held: Callable[[Away], None]) -> None:
        """Send all that is left of an ended run's log; waits while the control plane is away.

        `held` is told of each refusal that it waits out. Raises `client.Gone`.
        """
        backoff, began = Backoff(*self._shipping.pause), time.monotonic()
        unreadable = 0
        while True:
            try:
                if not await self.ship(ended=True):
                    return
                backoff.reset()
            except Away as error:
                held(error)
                if isinstance(error, NoRoom) and time.monotonic() - began > ROOM_PATIENCE:
                    self.closed = f"the log was not all kept: {error}"
                    return
                await backoff.wait()
            except (RuntimeFailure, OSError) as error:
                unreadable += 1
                if unreadable == 5:
                    self.closed = f"the rest of the log could not be read: {error}"
                    return
                await backoff.wait()

    async def tail(self, size: int) -> bytes:
        """Read the last bytes of the log, secrets hidden; b"" when it cannot be read."""
        try:
            mask = await self._mask()
            start = max(0, size - TAIL)
            before = min(start, mask.reach)
            read = self._shipping.runtime.read_log
            return mask.hide(await read(self._key, start - before, before + TAIL))[before:]
        except (RuntimeFailure, OSError, Away, Gone):
            return b""

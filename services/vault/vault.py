"""Seals and opens values with the keepers of master keys, off the event loop.

One per process. Used by nouns that keep something secret; they call `seal` and `open_all`
outside of transactions. Where a value is born within one (a workload's private variables),
`seal_now` takes a data key that was wrapped beforehand. Must never log a value, nor keep a
data key in the clear longer than that small stock.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from services.core.bus import Bus
from services.vault import sealing
from services.vault.errors import KeysAway, VaultAway, WrongKey
from services.vault.masters import MasterKeys
from services.vault.sealing import KEY_BYTES, DataKey, Owner, Sealed

T = TypeVar("T")

THREADS = 8
STOCK = 16
LOW_STOCK = 8


class Vault:
    """The keepers of this platform: the one that wraps now, and any whose keys are still used."""

    def __init__(self, masters: MasterKeys, others: Sequence[MasterKeys], bus: Bus) -> None:
        self.masters = masters
        self._keepers = {keeper.provider: keeper for keeper in (*others, masters)}
        self._bus = bus
        self._threads = ThreadPoolExecutor(THREADS, "vault")
        self._stock: deque[DataKey] = deque()
        self._lock = threading.Lock()

    async def seal(self, owner: Owner, value: bytes) -> Sealed:
        """Seal a value. Raises VaultAway."""
        key = await self.ask(self.new_key)
        return sealing.seal(owner, value, key)

    async def open_all(self, found: Sequence[Sealed]) -> list[bytes]:
        """Open values, in their order. Raises VaultAway, Damaged."""
        return list(await asyncio.gather(*(self.ask(self.open_now, one) for one in found)))

    def seal_now(self, owner: Owner, value: bytes) -> Sealed:
        """Seal a value within a transaction, without asking anybody outside. Raises VaultAway."""
        if self.masters.local:
            return sealing.seal(owner, value, self._plainly(self.new_key))
        with self._lock:
            key = self._stock.popleft() if self._stock else None
            low = len(self._stock) < LOW_STOCK
        if low:
            self._bus.wake("vault")
        if key is None:
            raise VaultAway("The vault has no key at hand: its keeper cannot be asked now.")
        return sealing.seal(owner, value, key)

    async def restock(self) -> None:
        """Have enough wrapped data keys at hand for `seal_now`. Raises VaultAway."""
        while not self.masters.local and len(self._stock) < STOCK:
            key = await self.ask(self.new_key)
            with self._lock:
                self._stock.append(key)

    def drop_stock(self) -> None:
        """Let go of the keys at hand: the master key that wrapped them goes."""
        with self._lock:
            self._stock.clear()
        self._bus.wake("vault")

    def new_key(self) -> DataKey:
        """Make a data key and have it wrapped; blocks. Raises KeysAway, WrongKey."""
        plain = os.urandom(KEY_BYTES)
        name, wrapped = self.masters.wrap(plain)
        return DataKey(plain, wrapped, name)

    def open_now(self, found: Sealed) -> bytes:
        """Open a value; blocks. Raises KeysAway, WrongKey, Damaged."""
        return sealing.unseal(found, self.unwrap(found.wrapped_by, found.data_key))

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Unwrap a data key by the keeper that its master key's name tells; blocks."""
        keeper = self._keepers.get(name.partition(":")[0])
        if keeper is None:
            raise WrongKey(
                f"Secrets are sealed with the master key {name}, which the settings do not name "
                "(nothing has been changed)."
            )
        return keeper.unwrap(name, wrapped)

    async def ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a blocking function in a thread of ours; VaultAway for what a keeper cannot."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: self._plainly(function, *arguments)
        )

    @staticmethod
    def _plainly(function: Callable[..., T], *arguments: Any) -> T:
        try:
            return function(*arguments)
        except KeysAway as error:
            raise VaultAway(f"Secrets cannot be used now: {error}.", retry_after=5) from None
        except WrongKey as error:
            raise VaultAway(f"Secrets cannot be used now: {error}", retry_after=30) from None

    async def close(self) -> None:
        """End the threads."""
        self.drop_stock()
        await asyncio.to_thread(self._threads.shutdown)

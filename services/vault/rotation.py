"""Changing keys while the platform runs: step by step, each of which may be the last.

`master`: the keeper makes a new master key, every data key is wrapped anew by it, then the old
one is retired and let go. `data`: every value is sealed anew under a new data key. What has
been done stands on each sealed row, so a rotation that is interrupted goes on where it was.
Called by its loop and, to begin one, by `actions`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Row, insert, select, update

from services.core import audit, events
from services.core.database import Transaction
from services.core.errors import Conflict
from services.core.ids import new_id
from services.core.work import Work
from services.vault import sealing, store
from services.vault.errors import VaultAway
from services.vault.sealing import Sealed
from services.vault.tables import vault_rotations as table
from services.vault.vault import Vault

log = logging.getLogger("smalti.vault")

AT_ONCE = 50
PHASES = ("renew", "seal", "retire", "done")


def begin(tx: Transaction, what: str, from_key: str) -> str:
    """Begin a rotation; returns its id. Raises Conflict while another one is under way."""
    if under_way(tx) is not None:
        raise Conflict("a rotation is under way: wait for its end", code="rotation_under_way")
    row = {
        "id": new_id(),
        "what": what,
        "phase": "renew" if what == "master" else "seal",
        "from_key": from_key,
        "total": store.count(tx),
        "done": 0,
        "reason": None,
        "started_at": tx.now,
        "finished_at": None,
    }
    tx.execute(insert(table), row)
    audit.record(tx, "vault.rotate", "vault", str(row["id"]), after={"what": what})
    events.wake(tx, "vault-rotation")
    return str(row["id"])


def under_way(tx: Transaction) -> Row[Any] | None:
    """Load the rotation that is not finished."""
    return tx.first(select(table).where(table.c.finished_at.is_(None)))


def newest(tx: Transaction) -> Row[Any] | None:
    """Load the rotation that was begun last."""
    return tx.first(select(table).order_by(table.c.id.desc()).limit(1))


def _change(tx: Transaction, rotation_id: str, /, **values: Any) -> None:
    tx.execute(update(table).where(table.c.id == rotation_id).values(**values))


async def turn(work: Work, learn: Callable[[Work], Awaitable[None]]) -> None:
    """Go on with the rotation that is under way, to its end or until a keeper is away."""
    while (row := await work.read(under_way)) is not None:
        try:
            if row.phase == "renew":
                await _renew(work, row, learn)
            elif row.phase == "seal":
                await _some(work, row)
            else:
                await _retire(work, row)
        except VaultAway as error:
            await work.write(_change, row.id, reason=error.message)
            return


async def _renew(work: Work, row: Row[Any], learn: Callable[[Work], Awaitable[None]]) -> None:
    vault = work.context.get(Vault)
    await vault.ask(vault.masters.renew, row.from_key)
    await learn(work)
    vault.drop_stock()
    await work.write(_change, row.id, phase="seal", reason=None)


async def _some(work: Work, row: Row[Any]) -> None:
    vault = work.context.get(Vault)
    found = await work.read(store.behind, row.id, AT_ONCE)
    if not found:
        await work.write(_change, row.id, phase="retire", reason=None)
        return
    fresh: list[Sealed] = []
    for one in found:
        anew = _wrapped_anew if row.what == "master" else _sealed_anew
        fresh.append(await vault.ask(anew, vault, store.of_row(one)))
    await work.write(_put_back, row, found, fresh)


def _wrapped_anew(vault: Vault, old: Sealed) -> Sealed:
    name, wrapped = vault.masters.wrap(vault.unwrap(old.wrapped_by, old.data_key))
    return Sealed(old.owner, old.content, wrapped, name)


def _sealed_anew(vault: Vault, old: Sealed) -> Sealed:
    return sealing.seal(old.owner, vault.open_now(old), vault.new_key())


def _put_back(tx: Transaction, row: Row[Any], found: list[Row[Any]], fresh: list[Sealed]) -> None:
    done = sum(store.rewrite(tx, old, new, row.id) for old, new in zip(found, fresh, strict=True))
    _change(tx, row.id, done=table.c.done + done, reason=None)


async def _retire(work: Work, row: Row[Any]) -> None:
    """Retire old keys in the database first: from then on nothing new can be wrapped by them."""
    vault = work.context.get(Vault)
    current = await vault.ask(vault.masters.current)
    used = await work.write(store.retire_keys, current)
    await vault.ask(vault.masters.retire, used)
    vault.drop_stock()
    await work.write(_end, row.id)
    log.info("rotation of %s keys ended", row.what)


def _end(tx: Transaction, rotation_id: str) -> None:
    _change(tx, rotation_id, phase="done", finished_at=tx.now, reason=None)
    events.wake(tx, "vault")

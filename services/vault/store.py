"""SQL of the vault. Nothing here sees a value or a key in the clear."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from services.core.database import Transaction
from services.core.ids import new_id
from services.core.work import context_of
from services.vault.errors import VaultAway
from services.vault.sealing import Owner, Sealed
from services.vault.tables import sealed as table
from services.vault.tables import vault_keys


def keep(tx: Transaction, sealed: Sealed) -> None:
    """Store a sealed value that is new. Raises VaultAway when its master key has just gone."""
    _require_living(tx, sealed.wrapped_by)
    owner = sealed.owner
    row = {
        "id": new_id(),
        "owner_kind": owner.kind,
        "owner_id": owner.id,
        "name": owner.name,
        "version": 1,
        "rotation": "",
        **_values(tx, sealed),
    }
    tx.execute(insert(table), row)


def replace(tx: Transaction, sealed: Sealed) -> None:
    """Store a sealed value in place of the one that its owner has under this name, if any."""
    forget(tx, sealed.owner.kind, sealed.owner.id, sealed.owner.name)
    keep(tx, sealed)


def _values(tx: Transaction, sealed: Sealed) -> dict[str, Any]:
    return {
        "content": sealed.content,
        "data_key": sealed.data_key,
        "wrapped_by": sealed.wrapped_by,
        "sealed_at": tx.now,
    }


def _require_living(tx: Transaction, name: str) -> None:
    """Refuse what is wrapped by a key that was retired while it was on its way here."""
    from services.vault.vault import Vault

    living = select(vault_keys.c.name).where(
        vault_keys.c.name == name, vault_keys.c.retired_at.is_(None)
    )
    if tx.first(living) is None:
        context_of(tx).get(Vault).drop_stock()
        raise VaultAway("The vault's master key has just been changed: try again.", retry_after=1)


def forget(tx: Transaction, kind: str, owner_id: str, name: str | None = None) -> None:
    """Delete what an owner has, or one value of it."""
    mine = (table.c.owner_kind == kind) & (table.c.owner_id == owner_id)
    if name is not None:
        mine &= table.c.name == name
    tx.execute(delete(table).where(mine))


def sealed_of(tx: Transaction, kind: str, owner_ids: Iterable[str]) -> list[Sealed]:
    """Load everything of some owners, by owner and name."""
    statement = (
        select(table)
        .where(table.c.owner_kind == kind, table.c.owner_id.in_(list(owner_ids)))
        .order_by(table.c.owner_id, table.c.name)
    )
    return [of_row(row) for row in tx.all(statement)]


def sealed_one(tx: Transaction, owner: Owner) -> Sealed | None:
    """Load one value."""
    statement = select(table).where(
        table.c.owner_kind == owner.kind,
        table.c.owner_id == owner.id,
        table.c.name == owner.name,
    )
    row = tx.first(statement)
    return None if row is None else of_row(row)


def of_row(row: Row[Any]) -> Sealed:
    """Make a sealed value out of its row."""
    owner = Owner(row.owner_kind, row.owner_id, row.name)
    return Sealed(owner, row.content, row.data_key, row.wrapped_by)


def count(tx: Transaction) -> int:
    """How many values are sealed."""
    return int(tx.scalar(select(func.count()).select_from(table)) or 0)


# -- master keys -------------------------------------------------------------------------------


def living_keys(tx: Transaction) -> list[Row[Any]]:
    """Load the master keys that something may be wrapped by, the oldest first."""
    statement = select(vault_keys).where(vault_keys.c.retired_at.is_(None))
    return list(tx.all(statement.order_by(vault_keys.c.created_at, vault_keys.c.name)))


def add_key(tx: Transaction, name: str, check: bytes) -> None:
    """Write down a master key and its check; a known one is taken back into use."""
    there = tx.first(select(vault_keys.c.name).where(vault_keys.c.name == name))
    if there is None:
        row = {"name": name, "check": check, "created_at": tx.now, "retired_at": None}
        tx.execute(insert(vault_keys), row)
    else:
        known = update(vault_keys).where(vault_keys.c.name == name)
        tx.execute(known.values(retired_at=None, check=check))


def retire_keys(tx: Transaction, current: str) -> set[str]:
    """Retire the keys that nothing is wrapped by; returns the names of those that stay."""
    used = {row.wrapped_by for row in tx.all(select(table.c.wrapped_by).distinct())} | {current}
    unused = vault_keys.c.name.not_in(used) & vault_keys.c.retired_at.is_(None)
    tx.execute(update(vault_keys).where(unused).values(retired_at=tx.now))
    return used


# -- rotation ----------------------------------------------------------------------------------


def behind(tx: Transaction, rotation_id: str, limit: int) -> list[Row[Any]]:
    """Load some values that a rotation has not been over yet."""
    statement = select(table).where(table.c.rotation < rotation_id).order_by(table.c.rotation)
    return list(tx.all(statement.order_by(table.c.id).limit(limit)))


def rewrite(tx: Transaction, row: Row[Any], sealed: Sealed, rotation_id: str) -> bool:
    """Put a value back under other keys, unless somebody wrote it meanwhile."""
    same = (table.c.id == row.id) & (table.c.version == row.version)
    values = {**_values(tx, sealed), "version": row.version + 1, "rotation": rotation_id}
    return tx.execute(update(table).where(same).values(values)).rowcount > 0

"""Verbs of the vault: show it, change its keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from services.core.database import Transaction
from services.core.work import Work, context_of
from services.vault import rotation, store
from services.vault.schemas import RotationCreate, RotationView, VaultView
from services.vault.vault import Vault


async def show(work: Work) -> VaultView:
    """Show which keys are in use and how the last rotation went."""
    return await work.read(_show)


def _show(tx: Transaction) -> VaultView:
    last = rotation.newest(tx)
    return VaultView(
        provider=context_of(tx).get(Vault).masters.provider,
        master_keys=[row.name for row in store.living_keys(tx)],
        sealed=store.count(tx),
        rotation=None if last is None else _view(last),
    )


async def rotate(work: Work, request: RotationCreate) -> RotationView:
    """Begin a rotation; its loop does the work."""
    vault = work.context.get(Vault)
    current = await vault.ask(vault.masters.current)
    return await work.write(_rotate, request, current)


def _rotate(tx: Transaction, request: RotationCreate, current: str) -> RotationView:
    rotation.begin(tx, request.what, current)
    row = rotation.newest(tx)
    assert row is not None
    return _view(row)


def _view(row: Row[Any]) -> RotationView:
    return RotationView(
        id=row.id,
        what=row.what,
        phase=row.phase,
        total=max(row.total, row.done),
        done=row.done,
        reason=row.reason,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )

"""Secret variables of a run: sealed with its workload, told to its agent and to nobody else.

What an attempt was given is sealed once more under the workload: whenever its agent asks again
(after a restart, to keep the values out of the log), it hears the same, whatever has been
changed or deleted meanwhile. All of it goes when the workload ends for good.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from services import people, secrets, vault
from services.core import audit
from services.core.database import Transaction
from services.core.errors import NotFound, Unprocessable
from services.core.work import Work, context_of
from services.planes.protocol import SecretsAnswer
from services.secrets import Chosen
from services.vault import Owner, Sealed, Vault
from services.workloads import store, tokens
from services.workloads.rules import ADMITTED, Status

MOST = 256 << 10  # bytes of one workload's private variables together
ON_THE_WAY = (Status.QUEUED, Status.PENDING, Status.PREPARING)


@dataclass(frozen=True)
class Plan:
    """What an attempt is to be given, sealed as it is stored."""

    row: Row[Any]
    private: Sealed | None
    chosen: list[Chosen]
    values: list[Sealed]
    delivered: Sealed | None


def seal(tx: Transaction, workload_id: str, private: dict[str, str]) -> None:
    """Keep a new workload's private variables. Raises VaultAway, Unprocessable."""
    text = json.dumps(private).encode()
    if len(text) > MOST:
        raise Unprocessable(f"private variables have at most {MOST} bytes together")
    sealed = context_of(tx).get(Vault).seal_now(_private(workload_id), text)
    vault.keep(tx, sealed)


def wanted(tx: Transaction, row: Row[Any]) -> bool:
    """Tell whether the agent should ask for secret variables of a workload."""
    if row.order.get("secrets"):
        return True
    # Asked until it prepares, so that a secret made while it is on its way is not missed.
    if Status(row.status) not in ON_THE_WAY:
        return False
    return secrets.any_for(tx, row.project_id, row.person_id)


def forget(tx: Transaction, row: Row[Any]) -> None:
    """Delete what is sealed with a workload that has ended for good."""
    if row.order.get("secrets"):
        vault.forget(tx, "workload", row.id)


async def deliver(work: Work, run: tuple[str, str, int]) -> SecretsAnswer:
    """Give an agent the secret variables of an attempt that it was sent.

    Raises NotFound for any other, VaultAway while the values cannot be opened.
    """
    keeper = work.context.get(Vault)
    plan = await work.read(_plan, run)
    if plan.delivered is not None:
        opened = await keeper.open_all([plan.delivered])
        await work.write(_repeat, run)
        return SecretsAnswer(env=json.loads(opened[0]))
    sealed = [*([plan.private] if plan.private else []), *plan.values]
    opened = await keeper.open_all(sealed)
    values = [value.decode() for value in (opened[1:] if plan.private else opened)]
    env = {one.owner.name: value for one, value in zip(plan.values, values, strict=True)}
    if plan.private is not None:
        env |= json.loads(opened[0])
    if not env:
        return SecretsAnswer(env={})
    kept = await keeper.seal(_delivered(run), json.dumps(env).encode())
    if not await work.write(_note, run, plan.chosen, kept):
        return await deliver(work, run)  # another request was first: what it was told counts
    return SecretsAnswer(env=env)


def _plan(tx: Transaction, run: tuple[str, str, int]) -> Plan:
    row = _admitted(tx, run)
    private = vault.sealed_one(tx, _private(row.id))
    delivered = vault.sealed_one(tx, _delivered(run))
    if delivered is not None:
        return Plan(row, private, [], [], delivered)
    if Status(row.status) not in ON_THE_WAY:
        return Plan(row, None, [], [], None)  # it began with none: what came later is not its own
    actor = people.acting(tx, row.person_id, row.project_id, tokens.given(row.rights))
    chosen = secrets.chosen(tx, actor, row.project_id, frozenset(row.order.get("env") or {}))
    values = [vault.sealed_one(tx, Owner(one.scope, one.owner_id, one.name)) for one in chosen]
    found = [value for value in values if value is not None]
    return Plan(row, private, chosen, found, None)


def _note(tx: Transaction, run: tuple[str, str, int], chosen: list[Chosen], kept: Sealed) -> bool:
    """Write the delivery down before the values leave; False when it was made already."""
    row = _admitted(tx, run)
    if vault.sealed_one(tx, kept.owner) is not None:
        return False
    vault.keep(tx, kept)
    if not row.order.get("secrets"):
        store.change(tx, row.id, order={**row.order, "secrets": True})
    secrets.note_uses(tx, chosen, row.kind, row.id, row.person_id)
    return True


def _repeat(tx: Transaction, run: tuple[str, str, int]) -> None:
    row = _admitted(tx, run)
    after = {"attempt": row.attempt}
    audit.record(tx, "secrets.repeat", row.kind, row.id, project_id=row.project_id, after=after)


def _admitted(tx: Transaction, run: tuple[str, str, int]) -> Row[Any]:
    plane_id, workload_id, attempt = run
    row = store.load(tx, workload_id)
    known = row is not None and row.plane_id == plane_id and row.attempt == attempt
    if row is None or not known or Status(row.status) not in ADMITTED:
        raise NotFound("this run is not known")
    return row


def _private(workload_id: str) -> Owner:
    return Owner("workload", workload_id, "private")


def _delivered(run: tuple[str, str, int]) -> Owner:
    return Owner("workload", run[1], f"delivered {run[2]}")

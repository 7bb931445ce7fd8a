"""Secrets whose person has left for good, or whose project was deleted: nobody can use them again.

Registered with the retention by `wiring`. They go within the hour, value and name alike; the
audit trail keeps that they were there. A project that an administrator brings back from its
files needs its secrets set anew.
"""

from __future__ import annotations

from services import people, projects, vault
from services.core import audit
from services.core.database import Transaction
from services.core.work import Work
from services.secrets import store
from services.secrets.rules import SCOPE_OF_PERSON, SCOPE_OF_PROJECT

AT_ONCE = 20  # owners whose secrets are deleted in one transaction


async def clean_up(work: Work) -> int:
    """Delete them; gives how many there were."""
    gone = await work.read(_gone)
    count = 0
    for start in range(0, len(gone), AT_ONCE):
        count += await work.write(_forget, gone[start : start + AT_ONCE])
    return count


def _gone(tx: Transaction) -> list[tuple[str, str]]:
    persons = people.retired(tx, store.owners(tx, SCOPE_OF_PERSON))
    owning = store.owners(tx, SCOPE_OF_PROJECT)
    deleted = owning - projects.living(tx, owning)
    return [
        *((SCOPE_OF_PERSON, one) for one in sorted(persons)),
        *((SCOPE_OF_PROJECT, one) for one in sorted(deleted)),
    ]


def _forget(tx: Transaction, owners: list[tuple[str, str]]) -> int:
    count = 0
    for scope, owner_id in owners:
        for row in tx.all(store.of(scope, owner_id)):
            vault.forget(tx, scope, owner_id, row.name)
            store.remove(tx, row.id)
            before = {"name": row.name, "scope": scope, "owner_id": owner_id}
            audit.record(tx, "secret.clean_up", "secret", row.id, before=before)
            count += 1
    return count

"""What a run is to be given, and the record of it. Asked by workloads, within a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from services import projects
from services.core import audit
from services.core.actor import Actor
from services.core.database import Transaction
from services.core.rights import Permission
from services.secrets import rules
from services.secrets.rules import SCOPE_OF_PERSON, SCOPE_OF_PROJECT, Chosen
from services.secrets.tables import secret_uses
from services.secrets.tables import secrets as table


def any_for(tx: Transaction, project_id: str, person_id: str) -> bool:
    """Tell whether a run of this person in this project could be given any secret."""
    statement = select(table.c.id).where(_theirs(project_id, person_id)).limit(1)
    return tx.first(statement) is not None


def chosen(
    tx: Transaction, actor: Actor | None, project_id: str, taken: frozenset[str]
) -> list[Chosen]:
    """List the secrets of a run, which acts as `actor`; `taken` are names that it has already.

    None for whose credential does not reach as far, or who may not start runs in the project
    any more.
    """
    if actor is None or actor.person_id is None:
        return []
    if not projects.allows(tx, actor, Permission.SECRETS_USE, project_id):
        return []
    rows = tx.all(select(table).where(_theirs(project_id, actor.person_id)))
    found = [Chosen(row.id, row.scope, row.owner_id, row.name) for row in rows]
    return rules.for_run(found, taken)


def _theirs(project_id: str, person_id: str) -> ColumnElement[bool]:
    return or_(
        and_(table.c.scope == SCOPE_OF_PROJECT, table.c.owner_id == project_id),
        and_(table.c.scope == SCOPE_OF_PERSON, table.c.owner_id == person_id),
    )


def note_uses(
    tx: Transaction, given: Sequence[Chosen], kind: str, workload_id: str, person_id: str
) -> None:
    """Write down that a run was given these secrets: who uses what, and the audit trail."""
    for one in given:
        use = {
            "secret_id": one.id,
            "workload_id": workload_id,
            "kind": kind,
            "person_id": person_id,
            "used_at": tx.now,
        }
        mine = (secret_uses.c.secret_id == one.id) & (secret_uses.c.workload_id == workload_id)
        tx.execute(delete(secret_uses).where(mine))
        tx.execute(insert(secret_uses), use)
        tx.execute(update(table).where(table.c.id == one.id).values(last_used_at=tx.now))
        project_id = one.owner_id if one.scope == SCOPE_OF_PROJECT else None
        after = {"name": one.name, "kind": kind, "workload_id": workload_id, "person_id": person_id}
        audit.record(tx, "secret.deliver", "secret", one.id, project_id=project_id, after=after)

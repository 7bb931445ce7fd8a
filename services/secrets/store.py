"""SQL of secrets. Values are the vault's, under the same owner and name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from services import people
from services.core.database import Transaction
from services.core.errors import NotFound
from services.core.ids import new_id
from services.people import PersonName
from services.secrets.rules import SCOPE_OF_PROJECT, SHORTEST_HIDDEN
from services.secrets.schemas import SecretUseView, SecretView
from services.secrets.tables import secret_uses
from services.secrets.tables import secrets as table

USES_SHOWN = 10


def find(tx: Transaction, secret_id: str) -> Row[Any]:
    """Load a secret. Raises NotFound."""
    row = tx.first(select(table).where(table.c.id == secret_id))
    if row is None:
        raise NotFound("this secret does not exist")
    return row


def named(tx: Transaction, scope: str, owner_id: str, name: str) -> Row[Any] | None:
    """Load the secret that an owner has under a name."""
    return tx.first(of(scope, owner_id).where(table.c.name == name))


def of(scope: str, owner_id: str) -> Select[Any]:
    """Select what an owner has."""
    return select(table).where(table.c.scope == scope, table.c.owner_id == owner_id)


def amount(tx: Transaction, scope: str, owner_id: str) -> tuple[int, int]:
    """How many secrets an owner has, and how many bytes they are together."""
    counted = select(func.count().label("number"), func.sum(table.c.size).label("size"))
    row = tx.first(counted.where(table.c.scope == scope, table.c.owner_id == owner_id))
    assert row is not None
    return int(row.number), int(row.size or 0)


def add(tx: Transaction, values: dict[str, Any]) -> str:
    """Add a secret; gives its id."""
    row = {"id": new_id(), "created_at": tx.now, "updated_at": tx.now, "last_used_at": None}
    tx.execute(insert(table), {**row, **values})
    return str(row["id"])


def change(tx: Transaction, secret_id: str, **values: Any) -> None:
    """Write some columns of a secret."""
    tx.execute(update(table).where(table.c.id == secret_id).values(**values))


def remove(tx: Transaction, secret_id: str) -> None:
    """Delete a secret and what is known of its uses."""
    tx.execute(delete(secret_uses).where(secret_uses.c.secret_id == secret_id))
    tx.execute(delete(table).where(table.c.id == secret_id))


def owners(tx: Transaction, scope: str) -> set[str]:
    """Tell who has any secrets."""
    mine = select(table.c.owner_id).where(table.c.scope == scope).distinct()
    return {row.owner_id for row in tx.all(mine)}


def views(tx: Transaction, rows: Sequence[Row[Any]]) -> list[SecretView]:
    """Make the views of secrets, each with the last runs that were given it."""
    uses = _uses(tx, [row.id for row in rows])
    ids = {row.created_by for row in rows} | {row.updated_by for row in rows}
    ids |= {use.person_id for use in uses}
    names = people.named(tx, ids)

    def who(person_id: str) -> PersonName:
        return PersonName(id=person_id, name=names.get(person_id, person_id))

    return [
        SecretView(
            id=row.id,
            name=row.name,
            scope=row.scope,
            project_id=row.owner_id if row.scope == SCOPE_OF_PROJECT else None,
            created_at=row.created_at,
            created_by=who(row.created_by),
            updated_at=row.updated_at,
            updated_by=who(row.updated_by),
            last_used_at=row.last_used_at,
            hidden_in_logs=row.size >= SHORTEST_HIDDEN,
            used_by=[
                SecretUseView(
                    kind=use.kind, id=use.workload_id, person=who(use.person_id), at=use.used_at
                )
                for use in uses
                if use.secret_id == row.id
            ],
        )
        for row in rows
    ]


def _uses(tx: Transaction, secret_ids: list[str]) -> Sequence[Row[Any]]:
    newest = func.row_number().over(
        partition_by=secret_uses.c.secret_id, order_by=secret_uses.c.used_at.desc()
    )
    numbered = (
        select(secret_uses, newest.label("place"))
        .where(secret_uses.c.secret_id.in_(secret_ids))
        .subquery()
    )
    statement = select(numbered).where(numbered.c.place <= USES_SHOWN).order_by(numbered.c.place)
    return tx.all(statement)

"""Verbs of secrets: list, show, create, change, delete. None of them gives a value back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from services import projects, vault
from services.core import audit
from services.core.database import Transaction
from services.core.errors import Conflict, Forbidden, NotFound, TooLarge, TooMany, Unprocessable
from services.core.paging import Page, page_of_rows
from services.core.rights import Permission
from services.core.work import Work, actor_of, settings_of
from services.secrets import rules, store
from services.secrets.rules import SCOPE_OF_PERSON, SCOPE_OF_PROJECT
from services.secrets.schemas import SecretCreate, SecretsQuery, SecretUpdate, SecretView
from services.secrets.tables import secrets as table
from services.vault import Owner, Sealed, Vault


async def list_secrets(work: Work, query: SecretsQuery) -> Page[SecretView]:
    """List the secrets of a project, or the caller's own, by name."""
    return await work.read(_list, query)


def _list(tx: Transaction, query: SecretsQuery) -> Page[SecretView]:
    scope, owner_id = _whose(tx, query.project_id, Permission.PROJECT_SECRETS_READ)
    statement = store.of(scope, owner_id)
    rows, cursor = page_of_rows(tx, statement, [table.c.name, table.c.id], query, descending=False)
    return Page[SecretView](items=store.views(tx, rows), next_cursor=cursor)


async def show(work: Work, secret_id: str) -> SecretView:
    """Show a secret, without its value."""
    return await work.read(_show, secret_id)


def _show(tx: Transaction, secret_id: str) -> SecretView:
    return store.views(tx, [_reached(tx, secret_id, Permission.PROJECT_SECRETS_READ)])[0]


async def create(work: Work, request: SecretCreate) -> SecretView:
    """Keep a new secret."""
    refusal = rules.refusal_of_name(request.name)
    if refusal:
        raise Unprocessable(refusal, code="bad_secret_name")
    scope, owner_id = await work.read(_room, request)
    owner = Owner(scope, owner_id, request.name)
    sealed = await _sealed(work, owner, request.value)
    return await work.write(_create, request, sealed)


def _room(tx: Transaction, request: SecretCreate) -> tuple[str, str]:
    """Say whose it will be, before anything is sealed. Raises Conflict, TooMany."""
    permission = Permission.PROJECT_SECRETS_MANAGE
    scope, owner_id = _whose(tx, request.project_id, permission)
    there = store.named(tx, scope, owner_id, request.name)
    if there is not None:
        raise Conflict(
            f"there is a secret {request.name} already", code="exists", details={"id": there.id}
        )
    most = settings_of(tx).secrets_max
    if store.amount(tx, scope, owner_id)[0] >= most:
        raise TooMany(f"there are {most} secrets here, the most there may be: delete some first")
    return scope, owner_id


def _create(tx: Transaction, request: SecretCreate, sealed: Sealed) -> SecretView:
    scope, owner_id = _room(tx, request)
    size = len(request.value.encode())
    _fits(tx, scope, owner_id, size)
    me = _person(tx)
    values = {
        "scope": scope,
        "owner_id": owner_id,
        "name": request.name,
        "size": size,
        "created_by": me,
        "updated_by": me,
    }
    secret_id = store.add(tx, values)
    vault.keep(tx, sealed)
    _record(tx, "secret.create", store.find(tx, secret_id))
    return store.views(tx, [store.find(tx, secret_id)])[0]


async def change(work: Work, secret_id: str, request: SecretUpdate) -> SecretView:
    """Give a secret a new value; runs that have begun keep the one they were given."""
    row = await work.read(_reached, secret_id, Permission.PROJECT_SECRETS_MANAGE)
    sealed = await _sealed(work, Owner(row.scope, row.owner_id, row.name), request.value)
    return await work.write(_change, secret_id, len(request.value.encode()), sealed)


def _change(tx: Transaction, secret_id: str, size: int, sealed: Sealed) -> SecretView:
    row = _reached(tx, secret_id, Permission.PROJECT_SECRETS_MANAGE)
    _fits(tx, row.scope, row.owner_id, size - row.size)
    vault.replace(tx, sealed)
    store.change(tx, secret_id, size=size, updated_at=tx.now, updated_by=_person(tx))
    _record(tx, "secret.change", row)
    return store.views(tx, [store.find(tx, secret_id)])[0]


async def delete(work: Work, secret_id: str) -> None:
    """Delete a secret; runs that have begun keep what they were given."""
    await work.write(_delete, secret_id)


def _delete(tx: Transaction, secret_id: str) -> None:
    row = _reached(tx, secret_id, Permission.PROJECT_SECRETS_MANAGE)
    vault.forget(tx, row.scope, row.owner_id, row.name)
    store.remove(tx, secret_id)
    _record(tx, "secret.delete", row)


async def _sealed(work: Work, owner: Owner, value: str) -> Sealed:
    refusal = rules.refusal_of_value(value, work.context.settings.secret_max)
    if refusal:
        raise Unprocessable(refusal, code="bad_secret_value")
    return await work.context.get(Vault).seal(owner, value.encode())


def _fits(tx: Transaction, scope: str, owner_id: str, more: int) -> None:
    most = settings_of(tx).secrets_total_max
    if store.amount(tx, scope, owner_id)[1] + more > most:
        raise TooLarge(f"all secrets here together have at most {most} bytes")


def _whose(tx: Transaction, project_id: str | None, needed: Permission) -> tuple[str, str]:
    """Say whose secrets are meant, and check the right to them."""
    if project_id is not None:
        projects.authorize(tx, needed, project_id)
        return SCOPE_OF_PROJECT, project_id
    if actor_of(tx).project_id is not None:
        raise Forbidden("this token is for one project: name it")
    return SCOPE_OF_PERSON, _person(tx)


def _reached(tx: Transaction, secret_id: str, needed: Permission) -> Row[Any]:
    """Load a secret that the caller may see. Raises NotFound, Forbidden."""
    row = store.find(tx, secret_id)
    actor = actor_of(tx)
    if row.scope == SCOPE_OF_PROJECT:
        try:
            # Who may not list them may not know of one either.
            projects.authorize(tx, Permission.PROJECT_SECRETS_READ, row.owner_id)
        except (NotFound, Forbidden):
            raise NotFound("this secret does not exist") from None
        projects.authorize(tx, needed, row.owner_id)
    elif row.owner_id != actor.person_id or actor.project_id is not None:
        raise NotFound("this secret does not exist")
    return row


def _person(tx: Transaction) -> str:
    person_id = actor_of(tx).person_id
    if person_id is None:
        raise Forbidden("a secret belongs to a person or a project")
    return person_id


def _record(tx: Transaction, action: str, row: Row[Any]) -> None:
    project_id = row.owner_id if row.scope == SCOPE_OF_PROJECT else None
    after = {"name": row.name, "scope": row.scope}
    audit.record(tx, action, "secret", row.id, project_id=project_id, after=after)

"""Verbs of environments: list and show them and their revisions, settle which one a run gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from services.core.database import Transaction
from services.core.errors import NotFound, Unprocessable
from services.core.paging import Page, PageQuery, paginate
from services.core.work import Work
from services.environments import store
from services.environments.default import NAME
from services.environments.schemas import (
    EnvironmentsQuery,
    EnvironmentView,
    RevisionStatus,
    RevisionView,
)
from services.environments.tables import environment_revisions, environments

LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Resolved:
    """The revision that a run gets. Its digest is empty until it is ready."""

    id: str
    name: str
    revision: int
    digest: str
    status: RevisionStatus
    reason: str | None


def resolve(tx: Transaction, environment_id: str | None, revision: int | None) -> Resolved:
    """Settle which revision is meant: of the default environment unless one is named, the
    newest that is ready unless a number is given, and without a ready one the newest.

    Raises Unprocessable for what does not exist.
    """
    row = store.to_run(tx, environment_id, NAME)
    if row is None:
        raise Unprocessable("there is no such environment", code="no_such_environment")
    wanted = revision if revision is not None else row.revision
    found = store.revision(tx, row.id, wanted)
    if found is None:
        raise Unprocessable(
            f"environment {row.name} has no revision {revision}", code="no_such_revision"
        )
    return Resolved(
        id=row.id,
        name=row.name,
        revision=found.number,
        digest=found.digest or "",
        status=RevisionStatus(found.status),
        reason=found.reason,
    )


def digest_of(tx: Transaction, name: str, number: int) -> str:
    """Give the digest of a revision; empty while it is not ready."""
    table = environment_revisions
    statement = (
        select(table.c.digest)
        .join(environments, environments.c.id == table.c.environment_id)
        .where(environments.c.name == name, table.c.number == number)
    )
    return tx.scalar(statement) or ""


def id_of(tx: Transaction, name: str) -> str:
    """Give the id of an environment. Raises Unprocessable when there is none of this name."""
    row = store.find(tx, name)
    if row is None:
        raise Unprocessable(f"there is no environment {name}", code="no_such_environment")
    return str(row.id)


def names(tx: Transaction) -> list[str]:
    """Give the names of the environments that there are."""
    return [row.name for row in tx.all(select(environments.c.name).order_by(environments.c.name))]


def unready(tx: Transaction) -> dict[tuple[str, int], str]:
    """Say which revisions, by name and number, cannot be used yet, and why: few or none."""
    return {(row.name, row.number): row.reason or row.status for row in store.not_ready(tx)}


async def list_environments(work: Work, query: EnvironmentsQuery) -> Page[EnvironmentView]:
    """List environments by name."""
    return await work.read(_list_environments, query)


def _list_environments(tx: Transaction, query: EnvironmentsQuery) -> Page[EnvironmentView]:
    statement = store.listed()
    if query.name is not None:
        statement = statement.where(environments.c.name == query.name)
    return paginate(tx, statement, [environments.c.name], query, _view, descending=False)


async def show(work: Work, environment_id: str) -> EnvironmentView:
    """Show one environment."""
    return await work.read(lambda tx: _view(_one(tx, environment_id)))


async def list_revisions(work: Work, environment_id: str, query: PageQuery) -> Page[RevisionView]:
    """List an environment's revisions, newest first."""
    return await work.read(_list_revisions, environment_id, query)


def _list_revisions(tx: Transaction, environment_id: str, query: PageQuery) -> Page[RevisionView]:
    _one(tx, environment_id)
    statement = store.revisions(environment_id)
    return paginate(tx, statement, [environment_revisions.c.number], query, _revision_view)


async def show_revision(work: Work, environment_id: str, number: str) -> RevisionView:
    """Show one revision. NotFound for what is no number, too."""
    return await work.read(_show_revision, environment_id, number)


def _show_revision(tx: Transaction, environment_id: str, number: str) -> RevisionView:
    _one(tx, environment_id)
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 11 else 0
    found = store.revision(tx, environment_id, wanted) if 0 < wanted <= LARGEST_NUMBER else None
    if found is None:
        raise NotFound("revision does not exist")
    return _revision_view(found)


def _one(tx: Transaction, environment_id: str) -> Row[Any]:
    return tx.one(store.listed().where(environments.c.id == environment_id), "environment")


def _view(row: Row[Any]) -> EnvironmentView:
    return EnvironmentView.model_validate(dict(row._mapping))


def _revision_view(row: Row[Any]) -> RevisionView:
    return RevisionView.model_validate(dict(row._mapping))

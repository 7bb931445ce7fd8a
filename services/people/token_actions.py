"""Verbs of service tokens: a program that acts for a person, with no more than they have.

Called by `handlers`. Only a person makes tokens, never a token that is itself narrowed: what a
token may do is what it was given and its person still has, at the moment of use (`sources`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from services.core import audit
from services.core.database import Transaction
from services.core.errors import Forbidden, NotFound, TooMany
from services.core.ids import new_id
from services.core.paging import Page, paginate
from services.core.rights import Permission
from services.core.work import Work, actor_of, context_of
from services.people import rules, tokens
from services.people.rules import TokenKind
from services.people.schemas import NewTokenView, TokenCreate, TokensQuery, TokenView
from services.people.tables import tokens as table
from services.people.tokens import Token

MOST_PER_PERSON = 200


@dataclass(frozen=True)
class ProjectGate:
    """How projects, a tier above, let this noun ask whether the caller may see a project."""

    check: Callable[[Transaction, Permission, str], Any]


async def list_tokens(work: Work, query: TokensQuery) -> Page[TokenView]:
    """List the caller's service tokens, the newest first."""
    return await work.read(_list, query)


async def create(work: Work, request: TokenCreate) -> NewTokenView:
    """Make a service token; its secret is in this answer and nowhere else."""
    return await work.write(_create, request)


async def delete(work: Work, token_id: str) -> None:
    """End a service token of the caller's; administrators end anybody's."""
    await work.write(_delete, token_id)


def _list(tx: Transaction, query: TokensQuery) -> Page[TokenView]:
    mine = (table.c.person_id == actor_of(tx).person_id) & (table.c.kind == TokenKind.SERVICE.value)
    statement = select(table).where(mine, table.c.revoked_at.is_(None))
    return paginate(tx, statement, [table.c.id], query, lambda row: _view(tokens.token_of(row)))


def _create(tx: Transaction, request: TokenCreate) -> NewTokenView:
    actor = actor_of(tx)
    if request.project_id is not None:
        context_of(tx).get(ProjectGate).check(tx, Permission.PROJECT_READ, request.project_id)
    possible = rules.possible_rights(actor)
    rights = possible if request.rights is None else frozenset(request.rights)
    beyond = sorted(rights - possible)
    if beyond:
        raise Forbidden(f"A token cannot have what you have not: {', '.join(beyond)}")
    _room_for_one(tx, actor.person_id)
    principal = new_id()
    secret = tokens.issue_token(
        tx,
        kind=TokenKind.SERVICE,
        principal_id=principal,
        name=request.name,
        person_id=actor.person_id,
        project_id=request.project_id,
        rights=rights,
        expires_at=rules.expiry(tx.now, request.expires_in_days),
    )
    token = tokens.by_secret(tx, secret)
    assert token is not None
    view = _view(token)
    after = view.model_dump(mode="json")
    audit.record(tx, "token.create", "token", token.id, project_id=token.project_id, after=after)
    return NewTokenView(**view.model_dump(), token=secret)


def _room_for_one(tx: Transaction, person_id: str | None) -> None:
    live = table.c.revoked_at.is_(None) & (table.c.expires_at > tx.now)
    mine = (table.c.person_id == person_id) & (table.c.kind == TokenKind.SERVICE.value)
    count = tx.scalar(select(func.count()).select_from(table).where(mine, live))
    if count >= MOST_PER_PERSON:
        raise TooMany(f"You have {count} tokens, the most there may be: end some first.")


def _delete(tx: Transaction, token_id: str) -> None:
    actor = actor_of(tx)
    row: Row[Any] = tx.one(select(table).where(table.c.id == token_id), "This token")
    token = tokens.token_of(row)
    theirs = token.person_id == actor.person_id or actor.is_admin
    if token.kind is not TokenKind.SERVICE or token.revoked_at is not None or not theirs:
        raise NotFound("This token does not exist")
    tokens.revoke_tokens(tx, TokenKind.SERVICE, token.principal_id)
    before = _view(token).model_dump(mode="json")
    audit.record(tx, "token.revoke", "token", token.id, project_id=token.project_id, before=before)


def _view(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        kind=token.kind,
        project_id=token.project_id,
        rights=sorted(token.rights or ()),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )

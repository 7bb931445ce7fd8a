"""Our own tokens: made, ended and looked up by their hash; the secret is never kept.

Other nouns call `issue_token`, `revoke_tokens` and `consume_enrolment` inside the transaction
that brings the run, agent or service to life or ends it, so that the token lives as long as
the thing. Decides nothing about who may have one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, bindparam, insert, select, update

from services.core.auth.resolver import Resolver
from services.core.database import Transaction
from services.core.errors import Conflict, Forbidden
from services.core.ids import new_id
from services.core.rights import Permission
from services.core.work import context_of
from services.people.rules import TokenKind
from services.people.tables import tokens

PREFIX = "sml_"


@dataclass(frozen=True)
class Token:
    """What is known of a token: everything but the secret."""

    id: str
    kind: TokenKind
    principal_id: str
    name: str
    person_id: str | None
    project_id: str | None
    plane_id: str | None
    rights: frozenset[Permission] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def lives(self, now: datetime) -> bool:
        """Tell whether it is neither revoked nor over."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def new_secret() -> str:
    """Make a secret of 32 random bytes."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """Name a secret by its SHA-256; 256 random bits need no slower hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_token(  # noqa: PLR0913 - a token is all of these, and callers name each
    tx: Transaction,
    *,
    kind: TokenKind | str,
    principal_id: str,
    name: str,
    person_id: str | None = None,
    project_id: str | None = None,
    plane_id: str | None = None,
    rights: Iterable[Permission] | None = None,
    expires_at: datetime | None = None,
    secret: str | None = None,
) -> str:
    """Make a token and return its secret, which nobody can be told again.

    A caller who derives the secret gives it; giving the same one again for the same principal
    renews rights and end, and never undoes a revocation. Raises Conflict when the secret is
    another principal's.
    """
    given = secret or new_secret()
    row: dict[str, Any] = {
        "hash": hash_of(given),
        "kind": TokenKind(kind).value,
        "principal_id": principal_id,
        "name": name[:255],
        "person_id": person_id,
        "project_id": project_id,
        "plane_id": plane_id,
        "rights": None if rights is None else sorted(right.value for right in rights),
        "expires_at": expires_at,
    }
    known = None if secret is None else _by_hash(tx, row["hash"])
    if known is None:
        tx.execute(insert(tokens), {"id": new_id(), "created_at": tx.now, **row})
    elif (known.kind, known.principal_id) == (row["kind"], principal_id):
        tx.execute(update(tokens).where(tokens.c.id == known.id).values(row))
    else:
        raise Conflict("this token belongs to something else")
    return given


def _revoking(mine: ColumnElement[bool]) -> Update:
    live = mine & tokens.c.revoked_at.is_(None)
    return update(tokens).where(live).values(revoked_at=bindparam("at")).returning(tokens.c.hash)


_OF_PRINCIPAL = _revoking(
    (tokens.c.kind == bindparam("of_kind")) & (tokens.c.principal_id == bindparam("principal"))
)


def revoke_tokens(tx: Transaction, kind: TokenKind | str, principal_id: str) -> int:
    """End all tokens of a run, agent, service or enrolment; return how many lived."""
    return _revoke(tx, _OF_PRINCIPAL, {"of_kind": TokenKind(kind).value, "principal": principal_id})


def revoke_of_person(tx: Transaction, person_id: str, *kinds: TokenKind) -> int:
    """End the tokens of these kinds that act for a person."""
    mine = (tokens.c.person_id == person_id) & tokens.c.kind.in_([kind.value for kind in kinds])
    return _revoke(tx, _revoking(mine), {})


def consume_enrolment(tx: Transaction, secret: str) -> Token:
    """Use up an enrolment token; of two who try, one gets it. Raises Forbidden."""
    row = _by_hash(tx, hash_of(secret))
    token = None if row is None else token_of(row)
    if token is None or token.kind is not TokenKind.ENROLMENT or not token.lives(tx.now):
        raise Forbidden("This enrolment token is not valid (any more).", code="bad_enrolment")
    unused = (tokens.c.id == token.id) & tokens.c.revoked_at.is_(None)
    taken = tx.execute(update(tokens).where(unused).values(revoked_at=tx.now, last_used_at=tx.now))
    if taken.rowcount != 1:
        raise Forbidden("This enrolment token is not valid (any more).", code="bad_enrolment")
    return token


def by_secret(tx: Transaction, secret: str) -> Token | None:
    """Find the token of a secret, ended ones too."""
    row = _by_hash(tx, hash_of(secret))
    return None if row is None else token_of(row)


def token_of(row: Row[Any]) -> Token:
    """Make a token out of a row; a right that this version does not know is none."""
    known = {permission.value for permission in Permission}
    rights = row.rights
    return Token(
        row.id,
        TokenKind(row.kind),
        row.principal_id,
        row.name,
        row.person_id,
        row.project_id,
        row.plane_id,
        None if rights is None else frozenset(Permission(one) for one in rights if one in known),
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
    )


_BY_HASH = select(tokens).where(tokens.c.hash == bindparam("digest"))


def _by_hash(tx: Transaction, digest: str) -> Row[Any] | None:
    return tx.first(_BY_HASH, {"digest": digest})


def _revoke(tx: Transaction, which: Update, values: Mapping[str, Any]) -> int:
    digests = [row.hash for row in tx.all(which, {"at": tx.now, **values})]
    if digests:
        _forget(tx, digests)
    return len(digests)


def _forget(tx: Transaction, digests: list[str]) -> None:
    """Let this process stop believing them at once; others do within the cache's seconds."""
    if "work" not in tx.__dict__:
        return  # set-up without a running platform: nothing is believed anywhere
    resolver = context_of(tx).get(Resolver)

    def call() -> None:
        for digest in digests:
            resolver.forget_digest(bytes.fromhex(digest))

    tx.on_commit(call)

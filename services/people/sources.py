"""From a token to an actor: our own tokens, and the hub's by way of `core.auth.hub`.

Called by the resolver. A token gives at most what its person has at this moment: rights are
cut with the person's own on every look, so neither can outgrow the other.
"""

from __future__ import annotations

import threading
from datetime import datetime

from sqlalchemy import update

from services.core.actor import Actor
from services.core.auth.hub import HubIdentity
from services.core.database import Transaction
from services.core.rights import Permission, Principal
from services.core.work import Context, Work
from services.people import entry, store, tokens
from services.people.rules import TokenKind, rights_of_scopes
from services.people.tables import tokens as table
from services.people.tokens import Token

_PRINCIPALS = {
    TokenKind.RUN: Principal.RUN,
    TokenKind.AGENT: Principal.AGENT,
    TokenKind.HUB: Principal.HUB,
    TokenKind.GATE: Principal.GATE,
    TokenKind.SERVICE: Principal.SERVICE,
}


class OwnTokens:
    """Knows the tokens that begin with `sml_`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._used: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def knows(self, token: str) -> bool:
        """Tell by its looks whether a token is one of ours."""
        return token.startswith(tokens.PREFIX)

    async def resolve(self, token: str) -> Actor | None:
        """Say whose it is; None when it has ended, or its person may not enter."""
        return await self._context.db.read(self._actor, token)

    def take_used(self) -> dict[str, datetime]:
        """Hand over when which tokens were seen since the last call."""
        with self._lock:
            used, self._used = self._used, {}
        return used

    def _actor(self, tx: Transaction, secret: str) -> Actor | None:
        token = tokens.by_secret(tx, secret)
        if token is None or token.kind not in _PRINCIPALS or not token.lives(tx.now):
            return None
        actor = actor_of(tx, token)
        if actor is not None:
            with self._lock:
                self._used[token.id] = tx.now
        return actor


def actor_of(tx: Transaction, token: Token) -> Actor | None:
    """Make the actor of a living token; None when its person may not enter."""
    known = None
    if token.person_id is not None:
        person = store.find(tx, token.person_id)
        if not person.may_enter:
            return None
        known = entry.Known(
            person, store.roles_of(tx, [person.id])[person.id], store.groups_of(tx, person.id)
        )
    elif token.kind not in (TokenKind.AGENT, TokenKind.HUB, TokenKind.GATE):
        return None
    return Actor(
        _PRINCIPALS[token.kind],
        token.principal_id,
        token.name,
        person_id=token.person_id,
        roles=known.roles if known else frozenset(),
        groups=known.groups if known else (),
        rights=token.rights,
        project_id=token.project_id,
        plane_id=token.plane_id,
        credential=token.id,
    )


def acting(
    tx: Transaction, person_id: str, project_id: str, rights: frozenset[Permission]
) -> Actor | None:
    """Make the actor of a run that acts for a person; None when they may not enter (any more)."""
    person = store.find(tx, person_id)
    if not person.may_enter:
        return None
    return Actor(
        Principal.RUN,
        person_id,
        person.name,
        person_id=person_id,
        roles=store.roles_of(tx, [person_id])[person_id],
        rights=rights,
        project_id=project_id,
    )


def person_actor(tx: Transaction, person_id: str) -> Actor | None:
    """Make the actor of a person, for what is done on their behalf; None when they may not enter.

    For loops and the hub's process, which act as somebody without that person's credential.
    """
    person = store.find(tx, person_id)
    if not person.may_enter:
        return None
    return Actor(
        Principal.PERSON,
        person.id,
        person.name,
        person_id=person.id,
        roles=store.roles_of(tx, [person.id])[person.id],
        groups=store.groups_of(tx, person.id),
    )


class HubPeople:
    """Turns what the hub says of a token's bearer into a person's actor."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def actor(self, identity: HubIdentity) -> Actor | None:
        """Find or make the person. None when deactivated or the token is not for us."""
        try:
            rights = rights_of_scopes(identity.scopes)
        except ValueError:
            return None
        work = Work(self._context)
        known = await work.read(entry.recall, identity.user)
        if known is None:
            known = await work.write(entry.meet, identity.user)
        if not known.person.may_enter:
            return None
        return Actor(
            Principal.PERSON,
            known.person.id,
            known.person.name,
            person_id=known.person.id,
            roles=known.roles,
            groups=known.groups,
            rights=rights,
            credential=identity.credential,
        )


def note_used(tx: Transaction, used: dict[str, datetime]) -> None:
    """Write down when tokens were last seen."""
    for token_id, at in used.items():
        tx.execute(update(table).where(table.c.id == token_id).values(last_used_at=at))

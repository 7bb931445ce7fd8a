"""How somebody becomes a person here: from the hub's word, or by name in a set-up.

Called by the resolver's sources and by the sync loop. A name alone is never authority: the
hub gives names again, so a person is matched by name and time of creation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.core import audit
from services.core.auth.hub import HubUser
from services.core.database import Transaction
from services.core.rights import PlatformRole
from services.people import store, tokens
from services.people.rules import RoleSource, TokenKind, hub_roles
from services.people.store import Person

NEWCOMER = frozenset({PlatformRole.PRACTITIONER})


@dataclass(frozen=True)
class Known:
    """A person with all that the hub says and we add."""

    person: Person
    roles: frozenset[PlatformRole]
    groups: tuple[str, ...]


def enter(tx: Transaction, name: str, roles: Iterable[PlatformRole]) -> str:
    """Make or find the person of a name without asking the hub; they have these roles now.

    For set-up only. Somebody who logs in later under this name is another person.
    """
    person = store.by_name(tx, name)
    person_id = store.add(tx, name, None) if person is None else person.id
    store.set_roles(tx, person_id, roles, RoleSource.PLATFORM)
    return person_id


def recall(tx: Transaction, user: HubUser) -> Known | None:
    """Find the person of a hub user if we know them and nothing about them has changed."""
    person = store.by_name(tx, user.name)
    if person is None or person.hub_created != user.created:
        return None
    known = _known(tx, person)
    given = store.roles_of(tx, [person.id], RoleSource.HUB)[person.id]
    same = known.groups == user.groups and given == hub_roles(user.admin, user.groups)
    return known if same else None


def meet(tx: Transaction, user: HubUser) -> Known:
    """Find or make the person of a hub user and take over what the hub says of them."""
    person = store.by_name(tx, user.name)
    if person is not None and person.hub_created != user.created:
        retire(tx, person)
        person = None
    if person is None:
        person = store.find(tx, store.add(tx, user.name, user.created))
        store.set_roles(tx, person.id, NEWCOMER, RoleSource.PLATFORM)
        audit.record(tx, "person.create", "person", person.id, after={"name": person.name})
    _take_over(tx, person, user)
    return _known(tx, person)


def retire(tx: Transaction, person: Person) -> None:
    """Part a person who is gone from the hub from their name and end their tokens."""
    store.change(tx, person.id, retired_at=tx.now)
    tokens.revoke_of_person(tx, person.id, TokenKind.SERVICE, TokenKind.RUN)
    audit.record(tx, "person.retire", "person", person.id, before={"name": person.name})


def _take_over(tx: Transaction, person: Person, user: HubUser) -> None:
    before = store.roles_of(tx, [person.id], RoleSource.HUB)[person.id]
    after = hub_roles(user.admin, user.groups)
    if before != after:
        store.set_roles(tx, person.id, after, RoleSource.HUB)
        audit.record(
            tx,
            "person.hub_roles",
            "person",
            person.id,
            before={"roles": sorted(before)},
            after={"roles": sorted(after)},
        )
    if store.groups_of(tx, person.id) != user.groups:
        store.set_groups(tx, person.id, user.groups)


def _known(tx: Transaction, person: Person) -> Known:
    roles = store.roles_of(tx, [person.id])[person.id]
    return Known(person, roles, store.groups_of(tx, person.id))

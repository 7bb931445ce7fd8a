"""Keeps persons true to the hub without their doing: who is gone, who administers.

Owns the loop `people-sync`. Whoever is gone from the hub, or comes back as somebody new under
the same name, loses the tokens that act for them within one beat. A hub that is away changes
nothing: silence is no dismissal.
"""

from __future__ import annotations

import logging

from services.core.auth.hub import HubApi, HubUser
from services.core.auth.resolver import Resolver, SourceAway
from services.core.database import Transaction
from services.core.loops import Loop
from services.core.work import Work
from services.people import entry, store
from services.people.rules import RoleSource, hub_roles
from services.people.sources import OwnTokens, note_used

log = logging.getLogger("smalti.people")

EVERY = 10.0  # seconds: with 20 s of belief in the resolver, a removal is felt within 30 s
USED_EVERY = 60.0


async def follow_hub(work: Work) -> None:
    """Compare everybody we know with the hub's list and take over what differs."""
    api = work.context.get(HubApi)
    try:
        users = {user.name: user async for user in api.users()}
    except SourceAway as error:
        log.debug("people are not compared now: %s", error.why)
        return
    suspects = await work.read(_differing, users)
    if not suspects:
        return
    gone: dict[str, HubUser | None] = {}
    for name in suspects:  # asked once more, one by one: the list was read in several pages
        try:
            gone[name] = await api.user(name)
        except SourceAway:
            return
    await work.write(_take_over, gone)
    work.context.get(Resolver).forget()


def _differing(tx: Transaction, users: dict[str, HubUser]) -> list[str]:
    people = store.living(tx)
    ids = [person.id for person in people]
    roles = store.roles_of(tx, ids, RoleSource.HUB)
    groups = store.groups_by_person(tx)
    names = []
    for person in people:
        user = users.get(person.name)
        if (
            user is None
            or user.created != person.hub_created
            or hub_roles(user.admin, user.groups) != roles[person.id]
            or user.groups != groups.get(person.id, ())
        ):
            names.append(person.name)
    return names


def _take_over(tx: Transaction, users: dict[str, HubUser | None]) -> None:
    for name, user in users.items():
        person = store.by_name(tx, name)
        if person is None or person.hub_created is None:
            continue
        if user is None or user.created != person.hub_created:
            # Whoever bears the name now is met when they come.
            entry.retire(tx, person)
        else:
            entry.meet(tx, user)


async def write_used(work: Work) -> None:
    """Note when tokens were last seen: once a beat, not once a call."""
    used = work.context.get(OwnTokens).take_used()
    if used:
        await work.write(note_used, used)


LOOPS = (
    Loop("people-sync", follow_hub, EVERY),
    Loop("tokens-used", write_used, USED_EVERY, lease=False),
)

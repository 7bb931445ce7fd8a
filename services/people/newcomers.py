"""Somebody new: an account at the hub with a one-time password, and a person with roles here.

Called by `handlers`. The account is the hub's, which keeps the password as a hash; here it is
made up, handed over and told once. The hub refuses it for an account that was ever used
(`hub_config.newcomers`), so nothing here can give one person's account to another.
"""

from __future__ import annotations

from typing import Any

from services.core import audit, events
from services.core.auth.hub import HubApi, HubUser, hub_user
from services.core.auth.resolver import Resolver, SourceAway
from services.core.database import Transaction
from services.core.errors import Conflict, Unavailable, Unprocessable
from services.core.passwords import one_time_password
from services.core.work import Work
from services.people import actions, entry, store
from services.people.rules import RoleSource
from services.people.schemas import (
    NewPersonView,
    OneTimePasswordView,
    PersonCreate,
    PersonView,
)

PATH = "/smalti/people"
AWAY = "the hub, where accounts are, does not answer; try again in a moment"


async def create(work: Work, request: PersonCreate) -> NewPersonView:
    """Add a person. Raises Conflict when the name is taken."""
    await work.read(_is_free, request.name)
    password = one_time_password()
    user = await _hand_over(work, request.name, password)
    view = await work.write(_create, user, request)
    work.context.get(Resolver).forget()
    return NewPersonView(**view.model_dump(), password=password)


async def renew(work: Work, person_id: str) -> OneTimePasswordView:
    """Give somebody who has never logged in a new one-time password. Raises Conflict for others."""
    person = await work.read(store.find, person_id)
    if person.retired_at is not None:
        raise Conflict("this person is gone from the hub", code="person_gone")
    password = one_time_password()
    await _hand_over(work, person.name, password)
    await work.write(_renewed, person.id)
    return OneTimePasswordView(password=password)


def _is_free(tx: Transaction, name: str) -> None:
    if store.by_name(tx, name) is not None:
        raise Conflict(f"there is somebody called {name} already", code="name_taken")


async def _hand_over(work: Work, name: str, password: str) -> HubUser:
    """Have the hub make the account, or give an unused one this password."""
    body = {"name": name, "password": password}
    try:
        status, answer = await work.context.get(HubApi).call("POST", PATH, body)
        if status == 201:
            return hub_user(answer)
    except SourceAway as error:
        raise Unavailable(AWAY) from error
    raise _refusal(status, answer, name)


def _refusal(status: int, answer: Any, name: str) -> Exception:
    if status == 404:
        return Conflict(
            "people of this platform log in with accounts from elsewhere; whoever does is here",
            code="no_passwords",
        )
    if status == 409:
        return Conflict(
            f"{name} has an account that was used already; an administrator of the hub can give "
            "it a new one-time password on the hub's pages",
            code="account_used",
        )
    message = str(answer.get("message", "")) if isinstance(answer, dict) else ""
    if status == 422:
        return Unprocessable(message or "the hub does not take this name")
    return Unavailable(AWAY)


def _create(tx: Transaction, user: HubUser, request: PersonCreate) -> PersonView:
    person = entry.meet(tx, user).person
    given = store.roles_of(tx, [person.id], RoleSource.PLATFORM)[person.id]
    wanted = frozenset(request.roles)
    if wanted != given:
        store.set_roles(tx, person.id, wanted, RoleSource.PLATFORM)
        audit.record(
            tx,
            "person.change",
            "person",
            person.id,
            before={"roles": sorted(given)},
            after={"roles": sorted(wanted)},
        )
    events.publish(tx, "person.changed", person.id, {"status": "active"}, person_id=person.id)
    return actions.view_of(tx, person.id)


def _renewed(tx: Transaction, person_id: str) -> None:
    audit.record(tx, "person.password", "person", person_id)

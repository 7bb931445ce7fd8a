"""Verbs of people and groups: who am I, list, show, change.

Called by `handlers`. Names and ids of persons are no secret among those who are signed in;
who they are on the platform is shown to them, to administrators and to support.
"""

from __future__ import annotations

from sqlalchemy import func, select

from services.core import audit, etags, events
from services.core.actor import Actor
from services.core.auth.resolver import Resolver
from services.core.database import Transaction
from services.core.errors import Conflict, Forbidden, NotFound
from services.core.paging import Page, page_of_rows, paginate
from services.core.rights import PlatformRole, Principal
from services.core.work import Work, actor_of, context_of
from services.people import store, tokens
from services.people.rules import PersonStatus, RoleSource, TokenKind
from services.people.schemas import (
    GroupsQuery,
    GroupView,
    MeView,
    PeopleQuery,
    PersonChange,
    PersonName,
    PersonView,
)
from services.people.store import Person
from services.people.tables import person_groups, persons

_WATCHERS = frozenset({PlatformRole.ADMIN, PlatformRole.SUPPORT})


async def me(work: Work) -> MeView:
    """Say who the caller is."""
    return await work.read(_me)


async def list_people(work: Work, query: PeopleQuery) -> Page[PersonView]:
    """List persons: all for those who watch over the platform, by exact name for others."""
    return await work.read(_list, query)


async def show(work: Work, person_id: str) -> PersonView:
    """Show a person."""
    return await work.read(_show, person_id)


async def change(work: Work, person_id: str, request: PersonChange) -> PersonView:
    """Change a person's roles or state; what is believed of anybody is asked anew."""
    view = await work.write(_change, person_id, request)
    work.context.get(Resolver).forget()
    return view


def view_of(tx: Transaction, person_id: str) -> PersonView:
    """Make the view of a person as the caller may see them."""
    return _views(tx, [store.find(tx, person_id)])[0]


async def list_groups(work: Work, query: GroupsQuery) -> Page[GroupView]:
    """List groups: all for those who watch over the platform, their own for others."""
    return await work.read(_list_groups, query)


def sees_all(actor: Actor) -> bool:
    """Tell whether the caller may list people and see their roles."""
    unbound = actor.kind in (Principal.PERSON, Principal.SERVICE) and actor.project_id is None
    return unbound and bool(actor.roles & _WATCHERS)


def _me(tx: Transaction) -> MeView:
    actor = actor_of(tx)
    person = None
    if actor.person_id is not None:
        name = store.named(tx, [actor.person_id]).get(actor.person_id, actor.name)
        person = PersonName(id=actor.person_id, name=name)
    return MeView(
        id=actor.id,
        name=actor.name,
        kind=actor.kind.value,
        admin=actor.is_admin,
        roles=sorted(actor.roles),
        groups=list(actor.groups),
        project_id=actor.project_id,
        person=person,
    )


def _list(tx: Transaction, query: PeopleQuery) -> Page[PersonView]:
    actor = actor_of(tx)
    status = query.status
    if not sees_all(actor):
        if query.name is None:
            raise Forbidden("Say whom you look for: ?name=")
        status = PersonStatus.ACTIVE
    rows, cursor = page_of_rows(tx, store.listing(query.name, status), [persons.c.id], query)
    people = [store.person_of(row) for row in rows]
    return Page(items=_views(tx, people), next_cursor=cursor)


def _show(tx: Transaction, person_id: str) -> PersonView:
    return _views(tx, [_visible(tx, person_id)])[0]


def _visible(tx: Transaction, person_id: str) -> Person:
    person = store.find(tx, person_id)
    actor = actor_of(tx)
    if person.may_enter or sees_all(actor) or actor.person_id == person.id:
        return person
    raise NotFound("This person does not exist")


def _views(tx: Transaction, people: list[Person]) -> list[PersonView]:
    actor = actor_of(tx)
    shown = [one.id for one in people if sees_all(actor) or one.id == actor.person_id]
    roles = store.roles_of(tx, shown)
    return [
        PersonView(
            id=one.id,
            name=one.name,
            display_name=one.display_name,
            roles=sorted(roles.get(one.id, ())),
            status=PersonStatus.DEACTIVATED if one.retired_at is not None else one.status,
            created_at=one.created_at,
        )
        for one in people
    ]


def _change(tx: Transaction, person_id: str, request: PersonChange) -> PersonView:
    person = store.find(tx, person_id)
    before = _views(tx, [person])[0]
    etags.check(tx, before)
    if person.retired_at is not None:
        raise Conflict("This person is gone from the hub.", code="person_gone")
    if request.roles is not None:
        _set_roles(tx, person, frozenset(request.roles))
    if request.status is not None and request.status is not person.status:
        _set_status(tx, person, request.status)
    if request.display_name is not None:
        store.change(tx, person.id, display_name=request.display_name)
    after = _views(tx, [store.find(tx, person.id)])[0]
    audit.record(
        tx,
        "person.change",
        "person",
        person.id,
        before=before.model_dump(mode="json"),
        after=after.model_dump(mode="json"),
    )
    events.publish(tx, "person.changed", person.id, {"status": after.status}, person_id=person.id)
    return after


def _set_roles(tx: Transaction, person: Person, roles: frozenset[PlatformRole]) -> None:
    by_hub = store.roles_of(tx, [person.id], RoleSource.HUB)[person.id]
    if not by_hub <= roles:
        raise Conflict(
            f"{person.name} administers the hub, and so Smalti: take that away in the hub.",
            code="role_from_hub",
        )
    store.set_roles(tx, person.id, roles - by_hub, RoleSource.PLATFORM)
    if PlatformRole.ADMIN not in roles:
        _not_the_last_admin(tx, person)


def _set_status(tx: Transaction, person: Person, status: PersonStatus) -> None:
    if status is PersonStatus.DEACTIVATED:
        _not_the_last_admin(tx, person)
        # Tokens of runs are only suspended: they work again with the person, until the run ends.
        tokens.revoke_of_person(tx, person.id, TokenKind.SERVICE)
    store.change(tx, person.id, status=status.value)
    resolver = context_of(tx).get(Resolver)
    tx.on_commit(resolver.forget)


def _not_the_last_admin(tx: Transaction, person: Person) -> None:
    if store.other_admins(tx, person.id) == 0:
        raise Conflict(
            "Somebody must administer the platform: make somebody else an administrator first.",
            code="last_admin",
        )


def _list_groups(tx: Transaction, query: GroupsQuery) -> Page[GroupView]:
    actor = actor_of(tx)
    name = person_groups.c.name
    live = persons.c.retired_at.is_(None) & (persons.c.id == person_groups.c.person_id)
    statement = select(name, func.count().label("members")).where(live).group_by(name)
    if not sees_all(actor):
        mine = select(name).where(person_groups.c.person_id == actor.person_id)
        statement = statement.where(name.in_(mine.scalar_subquery()))

    def view(row: object) -> GroupView:
        return GroupView.model_validate(row, from_attributes=True)

    return paginate(tx, statement, [name], query, view, descending=False)

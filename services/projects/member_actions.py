"""Verbs of members: who is in a project, and as what. The last owner stays."""

from __future__ import annotations

from services import people
from services.core import audit, events
from services.core.database import Transaction
from services.core.errors import Conflict, NotFound, Unprocessable
from services.core.ids import is_id
from services.core.paging import Page, page_of_rows
from services.core.rights import Permission, ProjectRole
from services.core.work import Work, actor_of
from services.people import PersonName
from services.projects import store
from services.projects.access import ProjectRow, authorize
from services.projects.schemas import MemberAdd, MembersQuery, MemberView
from services.projects.tables import members


async def list_members(work: Work, project_id: str, query: MembersQuery) -> Page[MemberView]:
    """List a project's members, by when they came to exist as persons."""
    return await work.read(_list, project_id, query)


def _list(tx: Transaction, project_id: str, query: MembersQuery) -> Page[MemberView]:
    authorize(tx, Permission.MEMBERS_READ, project_id)
    statement = store.members_of(project_id)
    rows, cursor = page_of_rows(tx, statement, [members.c.person_id], query, descending=False)
    names = people.named(tx, [row.person_id for row in rows])
    items = [
        MemberView(
            person=PersonName(id=row.person_id, name=names.get(row.person_id, row.person_id)),
            role=ProjectRole(row.role),
            added_at=row.added_at,
        )
        for row in rows
    ]
    return Page[MemberView](items=items, next_cursor=cursor)


async def add(work: Work, project_id: str, request: MemberAdd) -> MemberView:
    """Make somebody a member."""
    return await work.write(_add, project_id, request)


def _add(tx: Transaction, project_id: str, request: MemberAdd) -> MemberView:
    authorize(tx, Permission.MEMBERS_MANAGE, project_id)
    person_id = _person(tx, request.person)
    if store.member(tx, project_id, person_id) is not None:
        raise Conflict("this person is a member already", code="already_a_member")
    return _set(tx, project_id, person_id, request.role)


async def change(work: Work, project_id: str, person_id: str, role: ProjectRole) -> MemberView:
    """Make somebody a member with a role, or change the role they have."""
    return await work.write(_change, project_id, person_id, role)


def _change(tx: Transaction, project_id: str, person_id: str, role: ProjectRole) -> MemberView:
    row = authorize(tx, Permission.MEMBERS_MANAGE, project_id)
    if not is_id(person_id):
        raise NotFound("this person does not exist")
    if role is not ProjectRole.OWNER:
        _stays_owned(tx, row, person_id)
    return _set(tx, project_id, _person(tx, person_id), role)


async def remove(work: Work, project_id: str, person_id: str) -> None:
    """Take a member out of a project; what runs on their behalf loses its rights in it."""
    await work.write(_remove, project_id, person_id)


def _remove(tx: Transaction, project_id: str, person_id: str) -> None:
    # Every member may leave (by a credential that may manage members: the route asks for that);
    # to put others out takes the right to manage the members of this project.
    leaves = actor_of(tx).id == person_id
    needed = Permission.PROJECT_READ if leaves else Permission.MEMBERS_MANAGE
    row = authorize(tx, needed, project_id)
    there = store.member(tx, project_id, person_id)
    if there is None:
        raise NotFound("this person is not a member")
    _stays_owned(tx, row, person_id)
    store.remove_member(tx, project_id, person_id)
    before = {"person_id": person_id, "role": there.role}
    audit.record(tx, "member.remove", "project", project_id, project_id=project_id, before=before)
    _tell(tx, project_id)


def _stays_owned(tx: Transaction, project: ProjectRow, person_id: str) -> None:
    """Refuse what would leave the project without an owner, or under a stranger's name."""
    there = store.member(tx, project.id, person_id)
    if there is None or there.role != ProjectRole.OWNER.value:
        return
    if store.owners(tx, project.id) == 1:
        raise Conflict("the last owner stays", code="last_owner")
    if project.owner_id == person_id:
        message = "the project carries this person's name: give it another owner first"
        raise Conflict(message, code="last_owner")


def _set(tx: Transaction, project_id: str, person_id: str, role: ProjectRole) -> MemberView:
    there = store.member(tx, project_id, person_id)
    store.set_member(tx, project_id, person_id, role)
    before = None if there is None else {"person_id": person_id, "role": there.role}
    after = {"person_id": person_id, "role": role.value}
    audit.record(
        tx, "member.set", "project", project_id, project_id=project_id, before=before, after=after
    )
    _tell(tx, project_id)
    now = store.member(tx, project_id, person_id)
    assert now is not None
    name = people.named(tx, [person_id])[person_id]
    return MemberView(person=PersonName(id=person_id, name=name), role=role, added_at=now.added_at)


def _tell(tx: Transaction, project_id: str) -> None:
    events.publish(tx, "project.changed", project_id, {"members": True}, project_id=project_id)


def _person(tx: Transaction, name_or_id: str) -> str:
    """Find a living person by name or id."""
    if is_id(name_or_id):
        found = people.named(tx, [name_or_id])
        person = people.find(tx, name_or_id) if found else None
    else:
        person = people.by_name(tx, name_or_id)
    if person is None or not person.may_enter:
        raise Unprocessable(f"there is nobody named {name_or_id!r}", code="no_such_person")
    return person.id

"""Verbs of projects: create, show, list, change, delete."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from services import people
from services.core import audit, etags, events
from services.core.actor import Actor
from services.core.database import Transaction
from services.core.errors import Conflict, Forbidden, Unprocessable
from services.core.ids import is_id, new_id
from services.core.paging import Page, page_of_rows
from services.core.references import References
from services.core.rights import Permission, ProjectRole
from services.core.work import Work, actor_of, context_of, settings_of
from services.people import PersonName
from services.projects import edits, refs, rules, store
from services.projects.access import ProjectRow, authorize, rows_of, visible_ids, with_role
from services.projects.edits import Author
from services.projects.outside import check_address
from services.projects.rules import Status
from services.projects.runtime import Repositories, point_head
from services.projects.schemas import (
    ExamplesView,
    ExampleView,
    ProjectChange,
    ProjectCreate,
    ProjectsQuery,
    ProjectView,
)
from services.projects.tables import projects
from services.storage import Disk

BRANCH = "main"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KIND = "project"
IMPORTS = "projects:import"


def examples() -> dict[str, Path]:
    """Find the examples that a project can begin from, by name."""
    folders = EXAMPLES.iterdir() if EXAMPLES.is_dir() else []
    return {
        folder.name: folder
        for folder in sorted(folders)
        if folder.is_dir() and not folder.name.startswith((".", "_"))
    }


async def list_examples() -> ExamplesView:
    """List the examples with the first lines of their README."""
    return await asyncio.to_thread(_examples)


def _examples() -> ExamplesView:
    items = [
        ExampleView(name=name, description=rules.first_words(_readme(folder)))
        for name, folder in examples().items()
    ]
    return ExamplesView(items=items)


def _readme(folder: Path) -> str:
    file = folder / "README.md"
    return file.read_text("utf-8") if file.is_file() else ""


def view(tx: Transaction, row: ProjectRow) -> ProjectView:
    """Show a project to the caller."""
    return ProjectView(
        id=row.id,
        owner=PersonName(id=row.owner_id, name=row.owner_name),
        name=row.name,
        description=row.description,
        visibility=row.visibility,
        default_environment_id=row.default_environment_id,
        default_tier=row.default_tier,
        default_branch=row.default_branch,
        role=row.role,
        status=row.status,
        status_reason=row.status_reason,
        clone_url=f"{settings_of(tx).origin}{row.repository}",
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def create(work: Work, request: ProjectCreate) -> ProjectView:
    """Make a project with its repository, which is there before the row that names it."""
    person_id = owner_of(work.actor)
    work.context.get(Disk).require()
    example = _example(request.example)
    if request.import_url is not None:
        check_address(request.import_url, work.context.settings)
    repositories = work.context.get(Repositories)
    project_id = new_id()
    repository = await asyncio.to_thread(repositories.create, project_id, BRANCH)
    try:
        if example is not None:
            author = Author.of(await work.read(_name_of, person_id))
            await edits.first_commit(repository, str(example), BRANCH, author)
        return await work.write(_create, project_id, request)
    except Exception:
        # Of a call that is cancelled nobody knows yet whether it is committed: `tending` will.
        if not await work.read(store.known, [project_id]):
            await asyncio.to_thread(repositories.remove, project_id)
        raise


def owner_of(actor: Actor) -> str:
    """Give the person on whose behalf the caller acts. Raises Forbidden when there is none."""
    if actor.person_id is None:
        raise Forbidden("only a person can do this")
    return actor.person_id


def _name_of(tx: Transaction, person_id: str) -> str:
    return people.find(tx, person_id).name


def _example(name: str | None) -> Path | None:
    if name is None:
        return None
    there = examples()
    if name not in there:
        known = ", ".join(there) or "none"
        raise Unprocessable(
            f"there is no example {name!r}; there are: {known}",
            code="no_such_example",
            details={"examples": list(there)},
        )
    return there[name]


def _create(tx: Transaction, project_id: str, request: ProjectCreate) -> ProjectView:
    owner_id = owner_of(actor_of(tx))
    imports = request.import_url is not None
    row: dict[str, Any] = {
        "id": project_id,
        "owner_id": owner_id,
        "name": request.name,
        "description": request.description,
        "visibility": request.visibility.value,
        "default_branch": BRANCH,
        "status": (Status.IMPORTING if imports else Status.READY).value,
        "import_url": request.import_url,
        "created_at": tx.now,
        "updated_at": tx.now,
        "changed_at": tx.now if request.example else None,
    }
    owner = (owner_id, _name_of(tx, owner_id))
    store.check_name(tx, project_id, owner, request.name)
    store.add(tx, row)
    store.take_name(tx, project_id, owner, request.name)
    store.set_member(tx, project_id, owner_id, ProjectRole.OWNER)
    after = request.model_dump(mode="json", exclude_none=True)
    audit.record(tx, "project.create", KIND, project_id, project_id=project_id, after=after)
    events.publish(tx, "project.created", project_id, {"name": request.name}, project_id=project_id)
    if imports:
        events.wake(tx, IMPORTS)
    return _shown(tx, project_id)


def _shown(tx: Transaction, project_id: str) -> ProjectView:
    """Show the project that this very transaction has made or changed, whatever it changed."""
    row = tx.one(with_role(actor_of(tx)).where(projects.c.id == project_id), "this project")
    return view(tx, rows_of([row])[0])


async def show(work: Work, project_id: str) -> ProjectView:
    """Show a project."""
    return await work.read(_show, project_id)


def _show(tx: Transaction, project_id: str) -> ProjectView:
    return view(tx, authorize(tx, Permission.PROJECT_READ, project_id))


async def list_projects(work: Work, query: ProjectsQuery) -> Page[ProjectView]:
    """List the projects that the caller may see, the newest first."""
    return await work.read(_list, query)


def _list(tx: Transaction, query: ProjectsQuery) -> Page[ProjectView]:
    statement = with_role(actor_of(tx))
    visible = visible_ids(tx)
    if visible is not None:
        statement = statement.where(projects.c.id.in_(visible))
    if query.owner is not None and query.name is not None:
        found = _named(tx, query.owner, query.name)
        statement = statement.where(projects.c.id == found)
    elif query.owner is not None:
        statement = statement.where(projects.c.owner_id == _person_id(tx, query.owner))
    elif query.name is not None:
        statement = statement.where(projects.c.name == query.name)
    if query.search:
        statement = statement.where(store.matches(query.search))
    rows, cursor = page_of_rows(tx, statement, [projects.c.id], query)
    items = [view(tx, row) for row in rows_of(rows)]
    return Page[ProjectView](items=items, next_cursor=cursor)


def _named(tx: Transaction, owner: str, name: str) -> str | None:
    if is_id(owner):
        owner = people.named(tx, [owner]).get(owner, owner)
    return store.find(tx, owner, name)


def _person_id(tx: Transaction, name_or_id: str) -> str | None:
    if is_id(name_or_id):
        return name_or_id
    person = people.by_name(tx, name_or_id)
    return None if person is None else person.id


async def change(work: Work, project_id: str, request: ProjectChange) -> ProjectView:
    """Change a project's settings, its name or its owner."""
    branch = request.default_branch
    if branch is not None:
        await work.read(authorize, Permission.PROJECT_EDIT, project_id)
        repository = work.context.get(Repositories).of(project_id)
        if await asyncio.to_thread(refs.branch_head, repository, branch) is None:
            raise Unprocessable(f"there is no branch {branch!r}", code="no_such_ref")
    shown = await work.write(_change, project_id, request)
    if branch is not None:
        await asyncio.to_thread(point_head, repository.path, branch)
    return shown


def _change(tx: Transaction, project_id: str, request: ProjectChange) -> ProjectView:
    before = authorize(tx, Permission.PROJECT_EDIT, project_id)
    etags.check(tx, view(tx, before))
    given = request.given()
    environment = given.get("default_environment_id")
    if environment is not None and not is_id(environment):
        raise Unprocessable("default_environment_id: not an id")
    owner = (before.owner_id, before.owner_name)
    if "owner" in given:
        owner = _new_owner(tx, project_id, given.pop("owner"))
        given["owner_id"] = owner[0]
    name = given.get("name", before.name)
    if (name, owner[0]) != (before.name, before.owner_id):
        store.take_name(tx, project_id, owner, name)
    old = {key: getattr(before, key) for key in given}
    if old == given:
        return view(tx, before)
    store.change(tx, project_id, updated_at=tx.now, **given)
    audit.record(
        tx, "project.change", KIND, project_id, project_id=project_id, before=old, after=given
    )
    events.publish(tx, "project.changed", project_id, {"name": name}, project_id=project_id)
    return _shown(tx, project_id)


def _new_owner(tx: Transaction, project_id: str, wanted: str) -> tuple[str, str]:
    """Make a member the one whose name the project carries; they become an owner with it."""
    person_id = _person_id(tx, wanted)
    if person_id is None or store.member(tx, project_id, person_id) is None:
        raise Unprocessable("owner: must be a member of the project", code="not_a_member")
    person = people.find(tx, person_id)
    if not person.may_enter:
        raise Unprocessable("owner: cannot sign in any more", code="not_a_member")
    store.set_member(tx, project_id, person_id, ProjectRole.OWNER)
    return person_id, person.name


async def delete(work: Work, project_id: str) -> None:
    """Delete a project. Its name and its files are kept for 90 days, for the administrator."""
    await work.write(_delete, project_id)


def _delete(tx: Transaction, project_id: str) -> None:
    row = authorize(tx, Permission.PROJECT_DELETE, project_id)
    users = context_of(tx).get(References).to(tx, KIND, project_id)
    live = [one for one in users if one.live]
    if live:
        named = [{"kind": one.kind, "id": one.id, "name": one.name} for one in live[:20]]
        kinds = ", ".join(sorted({one.kind for one in live}))
        message = f"it is still in use: {len(live)} of {kinds}"
        raise Conflict(message, code="in_use", details={"used_by": named})
    # Told first: once it is deleted, nobody may see it any more.
    events.publish(tx, "project.deleted", project_id, {"name": row.name}, project_id=project_id)
    store.change(tx, project_id, deleted_at=tx.now, updated_at=tx.now)
    store.retire_names(tx, project_id)
    before = {"name": row.full_name}
    audit.record(tx, "project.delete", KIND, project_id, project_id=project_id, before=before)

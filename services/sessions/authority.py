"""Ends what its person may no longer have: the loop `workspaces-authority`.

Woken when members, people or projects change, and looking by itself every few seconds, so
that whoever is removed from a project, deactivated or gone loses the session within 30 s.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from services import people, projects
from services.core import audit
from services.core.database import Transaction
from services.core.rights import Permission
from services.core.work import Work
from services.sessions import actions, store

EVERY = 7.0
WAKES = ("events:projects", "events:people")
DELETED = "its project was deleted"


async def turn(work: Work) -> None:
    """Look at everything that runs or should, and at projects that are gone."""
    for workspace_id, _ in await work.read(_losing):
        await work.write(_end, workspace_id)
    gone = await work.read(_gone)
    if gone:
        await work.write(_put_away, gone)


def _losing(tx: Transaction) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], str | None] = {}
    losing = []
    for row in store.wanted(tx):
        pair = (row.person_id, row.project_id)
        if pair not in found:
            found[pair] = why_not(tx, row)
        why = found[pair]
        if why is not None:
            losing.append((row.id, why))
    return losing


def why_not(tx: Transaction, row: Row[Any]) -> str | None:
    """Say why a workspace may not run on; None when it may."""
    actor = people.person_actor(tx, row.person_id)
    if actor is None:
        return "its person may not sign in any more"
    if row.project_id not in projects.living(tx, {row.project_id}):
        return DELETED
    if not projects.allows(tx, actor, Permission.WORKSPACE_START, row.project_id):
        return f"{actor.name} may not work in this project any more"
    return None


def _end(tx: Transaction, workspace_id: str) -> None:
    row = store.find(tx, workspace_id)
    why = why_not(tx, row)
    if why is not None and actions.end(tx, row, why):
        audit.record(tx, "workspace.end", actions.KIND, row.id, project_id=row.project_id,
                     before={"status": row.status}, after={"reason": why})  # fmt: skip


def _gone(tx: Transaction) -> set[str]:
    ids = store.living_projects(tx)
    return ids - projects.living(tx, ids)


def _put_away(tx: Transaction, gone: set[str]) -> None:
    for row in store.in_projects(tx, gone):
        actions.put_away(tx, row, DELETED)

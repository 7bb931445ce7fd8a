"""Records what has moved in a repository: trail, event, time of change, default branch.

git moves refs first, and what is so is written down after it, whoever hung up. The loop does the
same for what a crash, or a database that could not be written, left unrecorded: `intents` says
what it may be, and git says whether it is so.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from sqlalchemy import select

from services.core import audit, events
from services.core.database import Transaction
from services.core.tables import audit_events
from services.core.work import Work
from services.projects import refs, rules, store
from services.projects.intents import Intent, Intents, Plan
from services.projects.pushed import Command
from services.projects.runtime import GitFailed, Repositories, Repository, point_head

log = logging.getLogger("smalti.git")

PUSH = "project.push"
_COMMIT = re.compile(r"[0-9a-f]{40}")
SHOWN = 100  # refs of one push that the trail and the event name


async def push(
    work: Work, project_id: str, repository: Repository, commands: list[Command]
) -> None:
    """Record which of the refs that a push named stand where it wanted them."""
    moved = await asyncio.to_thread(_standing, repository, commands)
    if moved:
        await _push(work, project_id, repository, moved, {})


async def _push(
    work: Work,
    project_id: str,
    repository: Repository,
    moved: list[Command],
    more: dict[str, Any],
) -> None:
    default = await work.read(store.default_branch, project_id)
    branch = await asyncio.to_thread(_first_branch, default, repository, moved)
    await work.write(_pushed, project_id, moved, branch, more)
    if branch is not None:
        await asyncio.to_thread(point_head, repository.path, branch)


def _standing(repository: Repository, commands: list[Command]) -> list[Command]:
    return [one for one in commands if _stands(repository, one)]


def _stands(repository: Repository, command: Command) -> bool:
    if command.old == command.new or not command.ref.startswith("refs/"):
        return False
    if not rules.is_ref_name(command.ref):
        return False
    wanted = None if command.new == refs.ZERO else command.new
    return refs.current(repository, command.ref) == wanted


def _first_branch(default: str, repository: Repository, moved: list[Command]) -> str | None:
    """Give the branch that becomes the default one: the only one of a first push."""
    if refs.branch_head(repository, default) is not None:
        return None
    branches = [
        one.ref.removeprefix("refs/heads/")
        for one in moved
        if one.ref.startswith("refs/heads/") and one.old == refs.ZERO != one.new
    ]
    return branches[0] if len(branches) == 1 else None


def _pushed(
    tx: Transaction,
    project_id: str,
    moved: list[Command],
    branch: str | None,
    more: dict[str, Any],
) -> None:
    if branch is not None:
        store.change(tx, project_id, default_branch=branch, updated_at=tx.now)
    named = [told(one) for one in moved[:SHOWN]]
    after = {"moved": named, "count": len(moved), **more}
    moved_refs(tx, PUSH, project_id, after=after, event={"moved": named, "count": len(moved)})


def told(command: Command) -> dict[str, Any]:
    """Say in the words of trail and events what moved."""
    before, after = (None if one == refs.ZERO else one for one in (command.old, command.new))
    return {"ref": command.ref, "before": before, "after": after}


def moved_refs(
    tx: Transaction,
    action: str,
    project_id: str,
    *,
    event: dict[str, Any],
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    """Write down what git has already: the trail says who, the event tells those who watch."""
    store.touch(tx, project_id)
    audit.record(
        tx, action, "project", project_id, project_id=project_id, before=before, after=after
    )
    events.publish(tx, "project.pushed", project_id, event, project_id=project_id)


async def turn(work: Work) -> None:
    """Record what was left unrecorded. The first turn is at the start of the platform."""
    for intent in await asyncio.to_thread(lambda: list(work.context.get(Intents).left())):
        try:
            await _settle(work, intent)
        except Exception:  # one that cannot be settled must not keep the others waiting
            log.exception("what was moved in a repository is not recorded: %s", intent.path.name)
            intent.leave()


async def _settle(work: Work, intent: Intent) -> None:
    plan = await asyncio.to_thread(intent.plan)
    if plan is not None and await work.read(_is_unknown, plan):
        repository = work.context.get(Repositories).of(plan.project_id)
        moved = [one for one in plan.moves() if await _went_there(repository, one)]
        if moved:
            log.warning("recorded late: %s of project %s", plan.action, plan.project_id)
            await _record_late(work, plan, repository, moved)
    await asyncio.to_thread(intent.settle)


def _is_unknown(tx: Transaction, plan: Plan) -> bool:
    """Tell whether the project is there and the trail does not have it; it is not told twice."""
    if plan.project_id not in store.living(tx, {plan.project_id}):
        return False
    mine = (
        (audit_events.c.project_id == plan.project_id)
        & (audit_events.c.action == plan.action)
        & (audit_events.c.request_id == plan.where().request_id)
    )
    rows = tx.all(select(audit_events.c.after).where(mine))
    # A push is one request; an edit may be one of several that a loop made.
    return not any(plan.after is None or row.after == plan.after for row in rows)


async def _went_there(repository: Repository, command: Command) -> bool:
    """Tell whether a ref was moved as wanted, also when it has moved on since."""
    if await asyncio.to_thread(_stands, repository, command):
        return True
    now = await asyncio.to_thread(refs.current, repository, command.ref)
    if now is None or command.new == refs.ZERO or not rules.is_ref_name(command.ref):
        return False
    # What was on the branch before proves nothing: it was to be moved back.
    back = command.old != refs.ZERO and await _leads_to(repository, command.new, command.old)
    return not back and await _leads_to(repository, command.new, now)


async def _leads_to(repository: Repository, commit: str, later: str) -> bool:
    """Tell whether a commit is in the history of a later one; False for what is not there."""
    if not (_COMMIT.fullmatch(commit) and _COMMIT.fullmatch(later)):
        return False  # a client's words: not one may be taken for an option of git
    try:
        await repository.run("merge-base", "--is-ancestor", commit, later)
    except GitFailed:
        return False
    return True


async def _record_late(
    work: Work, plan: Plan, repository: Repository, moved: list[Command]
) -> None:
    as_wanted = Work(work.context, plan.who(), plan.where())
    late = {"recorded_late": True}
    if plan.action == PUSH:
        await _push(as_wanted, plan.project_id, repository, moved, late)
        return
    await as_wanted.write(
        moved_refs,
        plan.action,
        plan.project_id,
        event={"moved": [told(one) for one in moved]},
        before=plan.before,
        after={**(plan.after or {}), **late},
    )

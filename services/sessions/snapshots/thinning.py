"""Letting old snapshots go, and freeing what only they needed.

Run by a loop every few minutes for workspaces in use, and by the hourly retention for all.
Rows go first, refs after: a crash between leaves a ref without a row, which the hourly turn
finds. Must never remove a workspace's newest snapshot.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services import projects
from services.core.database import Transaction
from services.core.work import Work, settings_of
from services.sessions.snapshots import actions, runtime, store
from services.sessions.snapshots.rules import Plan, thinned
from services.sessions.snapshots.runtime import Shelves

AT_ONCE = 100
RECENT = timedelta(hours=1)
WISHES_OLD = timedelta(minutes=5)


async def turn(work: Work) -> None:
    """Thin the snapshots of workspaces in use, and put their small packs together."""
    await work.write(store.forget_wishes, WISHES_OLD)
    await _each(work, recent=True)


async def clean(work: Work) -> int:
    """Thin the snapshots of all workspaces, and free room; return how many went."""
    return await _each(work, recent=False)


async def _each(work: Work, *, recent: bool) -> int:
    after, count = "", 0
    while ids := await work.read(_workspaces, recent, after):
        gone = await work.read(_of_gone_projects, ids)
        for workspace_id in ids:
            if workspace_id in gone:
                await actions.forget(work, workspace_id)
                continue
            count += await thin(work, workspace_id, prune=not recent)
        after = ids[-1]
    return count


def _workspaces(tx: Transaction, recent: bool, after: str) -> list[str]:
    return store.workspaces(tx, tx.now - RECENT if recent else None, after, AT_ONCE)


def _of_gone_projects(tx: Transaction, ids: list[str]) -> set[str]:
    of = store.projects_of(tx, ids)
    known = projects.known(tx, sorted(set(of.values())))
    return {workspace_id for workspace_id, project in of.items() if project not in known}


async def thin(work: Work, workspace_id: str, *, prune: bool) -> int:
    """Let go of what is too old, and of the oldest while there is too much."""
    repository = work.context.get(Shelves).of(workspace_id)
    commits, count = await work.write(_thin, workspace_id)
    await runtime.release(repository, commits)
    await runtime.tidy(repository, prune=prune)
    most = work.context.settings.snapshot_disk_max
    while await asyncio.to_thread(runtime.size_of, repository) > most * 3 // 4:
        commits = await work.write(_halve, workspace_id)
        if not commits:
            break
        count += len(commits)
        await runtime.release(repository, commits)
        await runtime.tidy(repository, prune=True)
    return count


def _thin(tx: Transaction, workspace_id: str) -> tuple[list[str], int]:
    settings = settings_of(tx)
    plan = Plan(
        settings.snapshot_all_minutes,
        settings.snapshot_minutely_hours,
        settings.snapshot_hourly_days,
        settings.snapshot_daily_days,
    )
    gone = thinned(store.times(tx, workspace_id), tx.now, plan)
    return store.remove(tx, workspace_id, sorted(gone)), len(gone)


def _halve(tx: Transaction, workspace_id: str) -> list[str]:
    """Remove the older half of a workspace's snapshots, never the newest."""
    numbers = sorted(number for number, _ in store.times(tx, workspace_id))
    return store.remove(tx, workspace_id, numbers[: len(numbers) // 2])

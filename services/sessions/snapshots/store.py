"""SQL of snapshots, of wishes for one, and of what is to be restored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services import workloads
from services.core.database import Transaction
from services.sessions.snapshots.tables import snapshot_restores, snapshot_wishes, snapshots
from services.sessions.tables import workspaces as kept

_S, _W, _R = snapshots.c, snapshot_wishes.c, snapshot_restores.c
KEYS = [_S.number]


def newest(tx: Transaction, workspace_id: str) -> Row[Any] | None:
    """Load a workspace's newest snapshot."""
    mine = listing(workspace_id).order_by(_S.number.desc()).limit(1)
    return tx.first(mine)


def project_of(tx: Transaction, workspace_id: str, person_id: str) -> str | None:
    """Give the project of a workspace that is this person's and can still be had back."""
    mine = (kept.c.id == workspace_id) & (kept.c.person_id == person_id)
    found: str | None = tx.scalar(select(kept.c.project_id).where(mine, kept.c.purged_at.is_(None)))
    return found


def one(tx: Transaction, workspace_id: str, number: int) -> Row[Any] | None:
    """Load a snapshot."""
    return tx.first(listing(workspace_id).where(_S.number == number))


def listing(workspace_id: str) -> Select[Any]:
    """Select a workspace's snapshots."""
    return select(snapshots).where(_S.workspace_id == workspace_id)


def add(tx: Transaction, row: dict[str, Any]) -> None:
    """Add a snapshot."""
    tx.execute(insert(snapshots), row)


def seen_again(tx: Transaction, row: Row[Any], taken_at: datetime, unsafe: list[str]) -> None:
    """Note that a workspace's files still are as they were."""
    mine = (_S.workspace_id == row.workspace_id) & (_S.number == row.number)
    tx.execute(update(snapshots).where(mine).values(taken_at=taken_at, unsafe=unsafe))


def times(tx: Transaction, workspace_id: str) -> list[tuple[int, datetime]]:
    """List the numbers of a workspace's snapshots with their times."""
    found = tx.all(select(_S.number, _S.taken_at).where(_S.workspace_id == workspace_id))
    return [(row.number, row.taken_at) for row in found]


def remove(tx: Transaction, workspace_id: str, numbers: Sequence[int]) -> list[str]:
    """Remove snapshots; give the commits that no other one of the workspace has."""
    mine = _S.workspace_id == workspace_id
    gone = {
        row.commit
        for row in tx.all(select(_S.commit).where(mine, _S.number.in_(numbers)))
    }  # fmt: skip
    tx.execute(delete(snapshots).where(mine, _S.number.in_(numbers)))
    left = tx.all(select(_S.commit).where(mine, _S.commit.in_(gone)))
    return sorted(gone - {row.commit for row in left})


def workspaces(tx: Transaction, since: datetime | None, after: str, most: int) -> list[str]:
    """List workspaces that have snapshots (since a time), by id from after one on."""
    statement = select(_S.workspace_id).where(_S.workspace_id > after).distinct()
    if since is not None:
        statement = statement.where(_S.taken_at >= since)
    rows = tx.all(statement.order_by(_S.workspace_id).limit(most))
    return [row.workspace_id for row in rows]


def projects_of(tx: Transaction, workspace_ids: Sequence[str]) -> dict[str, str]:
    """Give the project of each of some workspaces."""
    statement = select(_S.workspace_id, _S.project_id).where(_S.workspace_id.in_(workspace_ids))
    return {row.workspace_id: row.project_id for row in tx.all(statement.distinct())}


def forget(tx: Transaction, workspace_id: str) -> None:
    """Remove all rows of a workspace."""
    tx.execute(delete(snapshots).where(_S.workspace_id == workspace_id))
    tx.execute(delete(snapshot_restores).where(_R.workspace_id == workspace_id))


def live_session(tx: Transaction, key: str, person_id: str) -> Row[Any] | None:
    """Find a person's unfinished session by its workspace's id or by its own."""
    table = workloads.workloads.c
    statement = select(workloads.workloads).where(
        table.person_id == person_id, table.kind == "session", table.finished_at.is_(None)
    )
    for row in tx.all(statement):
        if key in (row.id, volume_of(row)):
            return row
    return None


def volume_of(workload: Row[Any]) -> str:
    """Give the workspace that a session's workload is a start of."""
    session: dict[str, Any] = workload.order.get("session") or {}
    return str(session.get("volume", ""))


def wish(tx: Transaction, workload: Row[Any]) -> int:
    """Note that somebody waits for a session's snapshot; give the wish's position."""
    row = {"plane_id": workload.plane_id, "workload_id": workload.id, "at": tx.now}
    done = tx.execute(insert(snapshot_wishes).values(row).returning(_W.position))
    return int(done.scalar_one())


def wishes(tx: Transaction, plane_id: str, after: int) -> tuple[dict[str, int], int]:
    """Give a plane's wishes after a position: the newest per workload, and the newest of all."""
    statement = (
        select(_W.workload_id, func.max(_W.position).label("position"))
        .where(_W.plane_id == plane_id, _W.position > after)
        .group_by(_W.workload_id)
        .limit(500)
    )
    found = {row.workload_id: int(row.position) for row in tx.all(statement)}
    return found, max(found.values(), default=after)


def fulfil(tx: Transaction, workload_id: str, position: int) -> None:
    """Remove a session's wishes up to a position."""
    tx.execute(
        delete(snapshot_wishes).where(_W.workload_id == workload_id, _W.position <= position)
    )


def is_open(tx: Transaction, position: int) -> bool:
    """Tell whether a wish is still waited for."""
    return tx.scalar(select(_W.position).where(_W.position == position)) is not None


def forget_wishes(tx: Transaction, older: timedelta) -> None:
    """Remove wishes that nobody waits for any more."""
    tx.execute(delete(snapshot_wishes).where(_W.at < tx.now - older))


def set_restore(tx: Transaction, workspace_id: str, number: int, commit: str) -> None:
    """Note what a workspace is to have at its next start."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    values = {"number": number, "commit": commit, "at": tx.now}
    fresh = dialect.insert(snapshot_restores).values(workspace_id=workspace_id, **values)
    tx.execute(fresh.on_conflict_do_update(index_elements=["workspace_id"], set_=values))


def restore_of(tx: Transaction, workspace_id: str) -> Row[Any] | None:
    """Load what a workspace is to have at its next start."""
    return tx.first(select(snapshot_restores).where(_R.workspace_id == workspace_id))


def drop_restore(tx: Transaction, workspace_id: str) -> None:
    """Forget what a workspace was to have."""
    tx.execute(delete(snapshot_restores).where(_R.workspace_id == workspace_id))

"""SQL of workspaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, insert, or_, select, update

from services import people, projects, workloads
from services.core.database import Transaction
from services.core.errors import NotFound
from services.core.references import Reference
from services.core.work import settings_of
from services.sessions.rules import ON_THE_WAY
from services.sessions.schemas import WorkspacesQuery, WorkspaceView
from services.sessions.tables import workspaces

_W = workloads.workloads
KEYS = [workspaces.c.id]
LAST_STARTS = 20
_OF_RUN = ("activity_at", "activity_told_at", "busy", "connections", "keep_until", "idle_seconds",
           "warned_of", "admitted_at", "queued_at")  # fmt: skip
_JOINED = select(
    workspaces,
    *(_W.c[name] for name in _OF_RUN),
    _W.c.status.label("run_status"),
    _W.c.started_at.label("run_started_at"),
).select_from(workspaces.outerjoin(_W, _W.c.id == workspaces.c.workload_id))
_ONE = _JOINED.where(workspaces.c.id == bindparam("workspace"))


def find(tx: Transaction, workspace_id: str) -> Row[Any]:
    """Load a workspace that can still be had back. Raises NotFound."""
    row = tx.first(_ONE, {"workspace": workspace_id})
    if row is None or row.purged_at is not None:
        raise NotFound("this workspace does not exist")
    return row


def named(tx: Transaction, person_id: str, name: str) -> Row[Any] | None:
    """Load a person's living workspace by its name."""
    mine = (workspaces.c.person_id == person_id) & (workspaces.c.name == name)
    return tx.first(_JOINED.where(mine, workspaces.c.deleted_at.is_(None)))


def names_of(tx: Transaction, person_id: str) -> set[str]:
    """Give the names of a person's living workspaces."""
    mine = (workspaces.c.person_id == person_id) & workspaces.c.deleted_at.is_(None)
    return {row.name for row in tx.all(select(workspaces.c.name).where(mine))}


def of_workload(tx: Transaction, workload_id: str) -> Row[Any] | None:
    """Load the workspace whose last start this workload is."""
    return tx.first(select(workspaces).where(workspaces.c.workload_id == workload_id))


def add(tx: Transaction, row: dict[str, Any]) -> None:
    """Add a workspace."""
    tx.execute(insert(workspaces).values(created_at=tx.now, updated_at=tx.now, **row))


_CHANGE = update(workspaces).where(workspaces.c.id == bindparam("workspace"))


def change(tx: Transaction, workspace_id: str, **values: Any) -> None:
    """Write some columns of a workspace."""
    tx.execute(_CHANGE, {**values, "updated_at": tx.now, "workspace": workspace_id})


def listing(query: WorkspacesQuery, visible: Select[Any] | None) -> Select[Any]:
    """Select what the filters leave; every filter is a prefix of an index that ends in id."""
    statement = _JOINED.where(workspaces.c.purged_at.is_(None))
    gone = workspaces.c.deleted_at
    statement = statement.where(gone.is_not(None) if query.deleted else gone.is_(None))
    if query.project_id is not None:
        statement = statement.where(workspaces.c.project_id == query.project_id)
    elif visible is not None:
        statement = statement.where(workspaces.c.project_id.in_(visible))
    if query.person is not None:
        statement = statement.where(workspaces.c.person_id == query.person)
    if query.status is not None:
        statement = statement.where(workspaces.c.status == query.status.value)
    if query.name is not None:
        statement = statement.where(workspaces.c.name == query.name)
    return statement


def views(tx: Transaction, rows: Iterable[Row[Any]]) -> list[WorkspaceView]:
    """Make the views of several workspaces, with one look each for people and projects."""
    rows = list(rows)
    owners = people.named(tx, {row.person_id for row in rows})
    titles = projects.names(tx, sorted({row.project_id for row in rows}))
    starting = any(row.status in ON_THE_WAY for row in rows)
    usual = _usual_start(tx) if starting else None
    return [_view(tx, row, owners, titles, usual) for row in rows]


def _usual_start(tx: Transaction) -> float | None:
    """Say how many seconds a start takes: the median of the newest workspaces' last ones."""
    known = workspaces.c.start_seconds.is_not(None)
    statement = select(workspaces.c.start_seconds).where(known)
    rows = tx.all(statement.order_by(workspaces.c.id.desc()).limit(LAST_STARTS))
    return median(row.start_seconds for row in rows) if rows else None


def view(tx: Transaction, workspace_id: str) -> WorkspaceView:
    """Make the view of one workspace. Raises NotFound."""
    return views(tx, [find(tx, workspace_id)])[0]


class _Run:
    """The part of a joined row that is its workload's, under the workload's names."""

    def __init__(self, row: Row[Any]) -> None:
        self.__dict__.update({name: getattr(row, name) for name in _OF_RUN})
        self.status, self.started_at = row.run_status, row.run_started_at


def is_live(row: Row[Any]) -> bool:
    """Tell whether a workspace's last start is not over."""
    return row.run_status is not None and not workloads.Status(row.run_status).is_final


def _view(
    tx: Transaction,
    row: Row[Any],
    owners: dict[str, str],
    titles: dict[str, str],
    usual: float | None,
) -> WorkspaceView:
    settings = settings_of(tx)
    runs = is_live(row)
    values = {name: getattr(row, name) for name in WorkspaceView.model_fields if hasattr(row, name)}
    values |= {
        "project": titles.get(row.project_id, row.project_id),
        "owner": {"id": row.person_id, "name": owners.get(row.person_id, row.person_id)},
        "url": row.url if runs else None,
        "usual_start": usual if row.status in ON_THE_WAY else None,
        "last_activity_at": row.activity_at,
        "busy": row.busy if runs else None,
        "ends_at": workloads.end_of(_Run(row), settings) if runs else None,
        "keep_until": row.keep_until if runs else None,
        "gone_at": None,
    }
    if row.deleted_at is not None:
        values["gone_at"] = row.deleted_at + timedelta(days=settings.keep_workspaces_days)
    return WorkspaceView.model_validate(values)


def count_of(tx: Transaction, person_id: str) -> int:
    """How many living workspaces a person has."""
    mine = (workspaces.c.person_id == person_id) & workspaces.c.deleted_at.is_(None)
    return int(tx.scalar(select(func.count()).select_from(workspaces).where(mine)))


def wanted(tx: Transaction) -> Sequence[Row[Any]]:
    """Workspaces that should run, with what their rights hang on."""
    return tx.all(_JOINED.where(workspaces.c.target == "running"))


def living_projects(tx: Transaction) -> set[str]:
    """Projects that living workspaces belong to."""
    living = workspaces.c.deleted_at.is_(None)
    return {
        row.project_id for row in tx.all(select(workspaces.c.project_id).where(living).distinct())
    }


def in_projects(tx: Transaction, ids: set[str]) -> Sequence[Row[Any]]:
    """Living workspaces of these projects, a batch of them."""
    mine = workspaces.c.project_id.in_(sorted(ids)[:200])
    return tx.all(_JOINED.where(mine, workspaces.c.deleted_at.is_(None)).limit(200))


def due_at_hub(tx: Transaction, most: int) -> Sequence[Row[Any]]:
    """Workspaces of which the hub is to be told something now."""
    due = workspaces.c.hub_due <= tx.now
    return tx.all(_JOINED.where(due).order_by(workspaces.c.hub_due).limit(most))


def volumes(tx: Transaction, plane_id: str) -> list[str]:
    """Ids of the workspaces whose files are on a plane and must stay."""
    here = (workspaces.c.plane_id == plane_id) & workspaces.c.purged_at.is_(None)
    return [row.id for row in tx.all(select(workspaces.c.id).where(here))]


def to_purge(tx: Transaction, days: int, most: int) -> Sequence[Row[Any]]:
    """Workspaces that were deleted so long ago that their files may go."""
    old = workspaces.c.deleted_at < tx.now - timedelta(days=days)
    over = or_(_W.c.id.is_(None), _W.c.finished_at.is_not(None))
    return tx.all(_JOINED.where(old, workspaces.c.purged_at.is_(None), over).limit(most))


def references(tx: Transaction, column: Any, value: str) -> list[Reference]:
    """Workspaces that use something: those that should run hold it, others are only named."""
    statement = select(workspaces.c.id, workspaces.c.name, workspaces.c.target)
    living = (column == value) & workspaces.c.deleted_at.is_(None)
    rows = tx.all(statement.where(living).limit(20))
    return [Reference("workspace", row.id, row.name, live=row.target == "running") for row in rows]

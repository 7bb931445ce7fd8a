"""SQL of jobs: their rows joined with their workloads'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Row, Select, bindparam, insert, select, update

from services import people, workloads
from services.core.database import Transaction
from services.core.errors import NotFound
from services.jobs.schemas import JobsQuery, JobView
from services.jobs.tables import job_numbers, job_tags, jobs
from services.workloads import cost

_W = workloads.workloads
_HIDDEN = {"order", "project_id", "id", "stop_reason", "address", "activity_at",
           "activity_told_at", "busy", "connections", "idle_seconds", "keep_until",
           "warned_of"}  # fmt: skip
_SHOWN = [column for column in _W.c if column.name not in _HIDDEN]
KEYS = [_W.c.id]


def _joined(shown: list[Column[Any]]) -> Select[Any]:
    own = [column for column in jobs.c if column.name not in ("id", "note")]
    owner = people.name_of(_W.c.person_id)
    return select(_W.c.id, *own, *shown, owner).select_from(_W).join(jobs, jobs.c.id == _W.c.id)


# Made once: putting some forty columns together costs as much as fetching a page of rows.
JOINED = _joined(_SHOWN)
# What a list shows, and what that is made of. Fewer columns: each is read for each row.
_MADE_OF = {"person_id", "price_per_hour", "cpu_seconds", "memory_peak"}
_LISTED = _joined([one for one in _SHOWN if one.name in JobView.model_fields.keys() | _MADE_OF])
_NAMES = set(_LISTED.selected_columns.keys())


_ONE = JOINED.where(_W.c.id == bindparam("job"))


def find(tx: Transaction, job_id: str) -> Row[Any]:
    """Load a job. Raises NotFound."""
    row = tx.first(_ONE, {"job": job_id})
    if row is None:
        raise NotFound("this job does not exist")
    return row


def listing(query: JobsQuery, visible: Select[Any] | None) -> Select[Any]:
    """Select what the filters leave; every filter is a prefix of an index that ends in id."""
    statement = _LISTED.where(_W.c.kind == "job")
    if query.project_id is not None:
        statement = statement.where(_W.c.project_id == query.project_id)
    elif visible is not None:
        statement = statement.where(_W.c.project_id.in_(visible))
    if query.status is not None:
        statement = statement.where(_W.c.status == query.status)
    if query.owner is not None:
        statement = statement.where(_W.c.person_id == query.owner)
    if query.number is not None:
        statement = statement.where(jobs.c.number == query.number)
        if query.project_id is not None:  # so that the unique pair is found in jobs at once
            statement = statement.where(jobs.c.project_id == query.project_id)
    if query.tag is not None:
        tagged = select(job_tags.c.job_id).where(job_tags.c.tag == query.tag)
        statement = statement.where(_W.c.id.in_(tagged))
    return statement


_COUNT_UP = (
    update(job_numbers)
    .where(job_numbers.c.project_id == bindparam("project"))
    .values(last=job_numbers.c.last + 1)
    .returning(job_numbers.c.last)
)


@cache  # one statement for each set of filters: putting it together costs more than to run it
def _first_page(filters: frozenset[str]) -> Select[Any]:
    names: dict[str, Any] = {name: bindparam(f"wanted_{name}") for name in filters}
    query = JobsQuery.model_construct(**names)
    return listing(query, None).order_by(_W.c.id.desc()).limit(bindparam("most"))


def first_page(tx: Transaction, query: JobsQuery) -> Sequence[Row[Any]]:
    """Load the newest rows that the filters leave, one more than a page of them."""
    wanted = query.model_dump(exclude_none=True, exclude={"limit", "cursor"})
    values = {f"wanted_{name}": value for name, value in wanted.items()}
    return tx.all(_first_page(frozenset(wanted)), {**values, "most": query.limit + 1})


def next_number(tx: Transaction, project_id: str) -> int:
    """Count up a project's jobs; numbers are never used again."""
    row = tx.first(_COUNT_UP, {"project": project_id})
    if row is None:
        tx.execute(insert(job_numbers), {"project_id": project_id, "last": 1})
        return 1
    return int(row.last)


def numbers(tx: Transaction, project_id: str, ids: Iterable[str]) -> dict[str, int]:
    """Give the numbers of those of some jobs that are of a project."""
    mine = (jobs.c.project_id == project_id) & jobs.c.id.in_(set(ids))
    return {row.id: row.number for row in tx.all(select(jobs.c.id, jobs.c.number).where(mine))}


def add(tx: Transaction, row: dict[str, Any]) -> None:
    """Add a job and its tags; its workload is there already."""
    tx.execute(insert(jobs), row)
    tags = sorted(set(row["tags"]))
    if tags:
        tx.execute(insert(job_tags), [{"job_id": row["id"], "tag": tag} for tag in tags])


_ITEM = [name for name in JobView.model_fields if name in _NAMES]


def item(row: Row[Any]) -> dict[str, Any]:
    """Make what `JobView` would show of a row, without checking what is ours."""
    found = row._mapping
    values = {name: found[name] for name in _ITEM}
    values |= _made(row)
    return values


def views(rows: Iterable[Row[Any]]) -> list[JobView]:
    """Make the views of several jobs."""
    return [_view(row) for row in rows]


def view(tx: Transaction, job_id: str) -> JobView:
    """Make the view of one job. Raises NotFound."""
    return _view(find(tx, job_id))


def _view(row: Row[Any]) -> JobView:
    values = {**row._mapping, **_made(row)}
    return JobView.model_validate(values)


def _made(row: Row[Any]) -> dict[str, Any]:
    seconds = _seconds(row)
    values: dict[str, Any] = {}
    values["owner"] = {"id": row.person_id, "name": row.owner_name or ""}
    values["cost"] = cost(row.price_per_hour, seconds)
    values["usage"] = None
    if row.cpu_seconds is not None and seconds is not None:
        peak = row.memory_peak or 0
        values["usage"] = {
            "cpu_seconds": row.cpu_seconds, "memory_peak": peak, "duration": seconds
        }  # fmt: skip
    return values


def _seconds(row: Row[Any]) -> float | None:
    if row.started_at is None or row.finished_at is None:
        return None
    return max(0.0, float((row.finished_at - row.started_at).total_seconds()))

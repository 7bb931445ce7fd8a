"""Outputs of runs: the files a run left, taken from agents, listed and given to people."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from services.core.database import Transaction
from services.core.errors import BadRequest, NotFound, TooLarge, Unprocessable
from services.core.work import Work, settings_of
from services.planes.protocol import OutputEntry
from services.storage import ObjectStore
from services.workloads import store
from services.workloads.rules import Status
from services.workloads.tables import outputs

LONGEST_PATH = 1024


def check_path(path: str) -> str:
    """Refuse a path that is not a plain relative one. It names a row, never a file of ours."""
    parts = path.split("/")
    if len(path.encode()) > LONGEST_PATH or not path.isprintable():
        raise BadRequest("path: too long, or not printable")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path:
        raise BadRequest("path: must be relative, without empty parts, '.' or '..'")
    return path


def key_of(workload_id: str, attempt: int, path: str) -> str:
    """Name the object of an output; its path, which the run chose, is only hashed into it."""
    return f"outputs/{workload_id}/{attempt}/{hashlib.sha256(path.encode()).hexdigest()[:40]}"


async def put(
    work: Work, run: tuple[str, str, int], entry: tuple[str, str], pieces: AsyncIterator[bytes]
) -> OutputEntry:
    """Take one output (path, expected SHA-256) of a run (plane, workload, attempt)."""
    _, workload_id, attempt = run
    path, expected = check_path(entry[0]), entry[1]
    room = await work.read(_room, run, path)
    objects = work.context.get(ObjectStore)
    key = key_of(workload_id, attempt, path)
    stored = await objects.put(key, pieces, most=room, vital=True)
    if expected and stored.sha256 != expected:
        await objects.delete(key)
        raise Unprocessable("what arrived is not what was announced", code="wrong_hash")
    found = OutputEntry(path=path, size=stored.size, sha256=stored.sha256)
    await work.write(_note, run, found)
    return found


def _room(tx: Transaction, run: tuple[str, str, int], path: str) -> int:
    plane_id, workload_id, attempt = run
    row = store.load(tx, workload_id)
    if row is None or row.plane_id != plane_id or row.attempt != attempt:
        raise NotFound("this run is not known")
    if Status(row.status).is_final:
        raise NotFound("this run is finished")
    settings = settings_of(tx)
    others = (outputs.c.workload_id == workload_id) & (outputs.c.attempt == attempt)
    others &= outputs.c.path != path
    statement = select(
        func.count().label("number"), func.coalesce(func.sum(outputs.c.size), 0).label("size")
    ).where(others)
    found = tx.one(statement)
    if found.number >= settings.output_files_max:
        raise TooLarge(f"more than {settings.output_files_max} output files")
    return min(settings.upload_max, settings.outputs_max - int(found.size))


def _note(tx: Transaction, run: tuple[str, str, int], entry: OutputEntry) -> None:
    _room(tx, run, entry.path)
    _, workload_id, attempt = run
    name = {"workload_id": workload_id, "attempt": attempt, "path": entry.path}
    same = (outputs.c.workload_id == workload_id) & (outputs.c.attempt == attempt)
    tx.execute(delete(outputs).where(same & (outputs.c.path == entry.path)))
    key = key_of(workload_id, attempt, entry.path)
    row = {**name, "object_key": key, "size": entry.size, "sha256": entry.sha256}
    tx.execute(insert(outputs), row)


def of(tx: Transaction, workload_id: str, attempt: int) -> list[Row[Any]]:
    """List an attempt's outputs by path."""
    statement = (
        select(outputs.c.path, outputs.c.size, outputs.c.sha256, outputs.c.object_key)
        .where(outputs.c.workload_id == workload_id, outputs.c.attempt == attempt)
        .order_by(outputs.c.path)
    )
    return list(tx.all(statement))


def one(tx: Transaction, workload_id: str, attempt: int, path: str) -> Row[Any]:
    """Find one output. Raises NotFound."""
    statement = select(outputs.c.size, outputs.c.sha256, outputs.c.object_key).where(
        outputs.c.workload_id == workload_id,
        outputs.c.attempt == attempt,
        outputs.c.path == path,
    )
    return tx.one(statement, "this output")

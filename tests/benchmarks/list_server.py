"""A server for P5, in a process of its own: `python -m tests.benchmarks.list_server ours 100000`.

`ours` is the platform's route `/jobs`; `bare` is what anybody would write in an hour: one
tornado handler, one SQLAlchemy select on the same tables, `json.dumps`. Prints its port and
serves until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert, select
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from services import people, planes
from services.core.database import Transaction
from services.core.ids import new_id
from services.core.rights import PlatformRole
from services.core.work import Work
from services.jobs.tables import jobs
from services.workloads.tables import workloads
from tests.house import House

PROJECT = "01900000-0000-7000-8000-000000000001"
TOKEN = "benchmark-token"


def fill(tx: Transaction, count: int, person_id: str) -> None:
    """Put finished jobs into the database, as a busy month would: none is old enough to clean."""
    tier = planes.tier_named(tx, "small")
    assert tier is not None
    begin = datetime.now(UTC) - timedelta(days=20)
    for start in range(0, count, 5000):
        ids = [new_id() for _ in range(min(5000, count - start))]
        rows = [_workload(one, tier, person_id, begin) for one in ids]
        tx.execute(insert(workloads), rows)
        tx.execute(insert(jobs), [_job(one, start + n + 1) for n, one in enumerate(ids)])


def _workload(workload_id: str, tier: Any, person_id: str, at: datetime) -> dict[str, Any]:
    return {
        "id": workload_id, "kind": "job", "project_id": PROJECT, "person_id": person_id,
        "plane_id": tier.plane_id, "tier_id": tier.id, "tier": tier.name, "cpu": tier.cpu,
        "memory": tier.memory, "gpu": 0, "price_per_hour": 0.0, "status": "Succeeded",
        "target": "running", "generation": 3, "attempt": 1, "retries": 0, "mishaps": 0,
        "reason": None, "order": {"argv": ["python", "train.py"]}, "timeout": 60.0,
        "queued_at": at, "admitted_at": at, "started_at": at,
        "finished_at": at + timedelta(seconds=30), "updated_at": at, "exit_code": 0,
        "last_lines": "accuracy 0.97\n", "isolation": "full", "cpu_seconds": 20.0,
        "memory_peak": 100 << 20, "kept": "log outputs samples",
    }  # fmt: skip


def _job(job_id: str, number: int) -> dict[str, Any]:
    return {
        "id": job_id, "project_id": PROJECT, "number": number, "title": f"Training {number}",
        "command": ["python", "train.py", "--trees", "200"], "args": [], "tags": ["wine"],
        "ref": "main", "commit": "0" * 40, "environment_id": PROJECT, "revision": 1, "env": {},
    }  # fmt: skip


class Bare(RequestHandler):
    """The peer: newest 50 jobs as JSON, without rights, paging, validation or views."""

    def initialize(self, engine: Any) -> None:
        """Take the engine."""
        self.engine = engine

    def get(self) -> None:
        """Answer."""
        statement = (
            select(workloads, jobs)
            .join(jobs, jobs.c.id == workloads.c.id)
            .where(workloads.c.project_id == PROJECT, workloads.c.kind == "job")
            .order_by(workloads.c.id.desc())
            .limit(50)
        )
        with self.engine.connect() as connection:
            items = [dict(row._mapping) for row in connection.execute(statement)]
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"items": items}, default=str))


async def serve(kind: str, count: int) -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        async with House(Path(folder)) as house:
            token = await house.sign_in("root", PlatformRole.ADMIN)
            house.tokens.actors[TOKEN] = house.tokens.actors[token]
            work = Work(house.context)
            root = await work.write(people.enter, "root", frozenset({PlatformRole.ADMIN}))
            await work.write(fill, count, root)
            await work.write(add_project, root)
            # A month of use would have been brought into the database's file long ago.
            with house.context.db.engine.connect() as connection:
                driver = connection.connection.dbapi_connection
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            port = house.port
            if kind == "bare":
                engine = create_engine(house.database_url)
                sockets = bind_sockets(0, "127.0.0.1")
                server = HTTPServer(Application([(".*", Bare, {"engine": engine})]))
                server.add_sockets(sockets)
                port = sockets[0].getsockname()[1]
            print(port, flush=True)
            await asyncio.to_thread(sys.stdin.read)


def add_project(tx: Transaction, owner_id: str) -> None:
    """Add the project that the jobs belong to."""
    from services.projects.tables import projects

    row = {
        "id": PROJECT, "owner_id": owner_id, "name": "wine", "description": "",
        "visibility": "private", "default_branch": "main", "status": "ready",
        "created_at": tx.now, "updated_at": tx.now,
    }  # fmt: skip
    tx.execute(insert(projects).values(row))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))

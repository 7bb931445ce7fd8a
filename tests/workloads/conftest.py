"""Workloads without jobs: put into the queue by the engine's own function."""

from __future__ import annotations

from typing import Any

import pytest

from services import people, workloads
from services.core.database import Transaction
from services.core.ids import new_id
from services.core.rights import PlatformRole
from services.core.work import Work
from tests.house import House

COMMIT = "0" * 40


class Queue:
    """Makes workloads of kind job that belong to nobody's project."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.work = Work(house.context)

    async def add(self, **more: Any) -> str:
        """Accept one; give its id."""
        name = more.pop("person", "ada")
        roles = frozenset({PlatformRole.PRACTITIONER})
        person_id = await self.work.write(people.enter, name, roles)
        new = workloads.NewWorkload(
            id=new_id(),
            kind="job",
            project_id="project-1",
            person_id=person_id,
            tier=more.pop("tier", None),
            order={
                "project_id": "project-1",
                "project": "ada/wine",
                "person_id": person_id,
                "repository": "/services/smalti/git/ada/wine.git",
                "commit": COMMIT,
                "argv": ["true"],
                "environment": {"name": "default", "revision": 1, "digest": "x"},
            },
            timeout=60.0,
            **more,
        )
        await self.work.write(workloads.create, new)
        return new.id

    async def row(self, workload_id: str) -> Any:
        """Load a workload's row."""
        return await self.work.read(workloads.load, workload_id)

    async def status(self, workload_id: str) -> str:
        """Say where a workload is."""
        return str((await self.row(workload_id)).status)

    async def stop(self, workload_id: str) -> bool:
        """Ask it to stop."""

        def ask(tx: Transaction) -> bool:
            return workloads.stop(tx, workloads.load(tx, workload_id))

        return await self.work.write(ask)


@pytest.fixture
def queue(house: House) -> Queue:
    """The queue of a platform on SQLite."""
    return Queue(house)


@pytest.fixture
def queue_on_both(house_on_both: House) -> Queue:
    """The queue of a platform, once on each database."""
    return Queue(house_on_both)

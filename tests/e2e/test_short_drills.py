"""A few drills with few jobs on the Smalti of the end-to-end tests; all are in tests/drills."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator

import pytest

from tests.drills.desks import Desks
from tests.drills.test_disk import hold_database
from tests.drills.test_kills import kill_one, kill_shims
from tests.drills.test_line import bad_line_under_work
from tests.drills.test_sessions import kill_everything, kill_session
from tests.instance import Instance

JOBS = 10


@pytest.fixture
def seed() -> int:
    """Another one each time, printed by the observer; SMALTI_DRILL_FIRST repeats one."""
    return int(os.environ.get("SMALTI_DRILL_FIRST", random.SystemRandom().randrange(1, 100_000)))


@pytest.mark.parametrize("name", ["platform", "agent"])
def test_a_process_killed_under_work(smalti: Instance, name: str, seed: int) -> None:
    kill_one(smalti, name, seed, JOBS)


def test_shims_killed(smalti: Instance, seed: int) -> None:
    kill_shims(smalti, seed, JOBS)


def test_a_bad_line(smalti: Instance, seed: int) -> None:
    bad_line_under_work(smalti, seed, JOBS)


def test_a_held_database(smalti: Instance, seed: int) -> None:
    hold_database(smalti, seed, JOBS, seconds=4)


@pytest.fixture(scope="module")
def desks(smalti: Instance) -> Iterator[Desks]:
    """Two workspaces with kernels."""
    made = Desks(smalti, 2)
    asyncio.run(made.open())
    yield made
    made.stop()


async def test_everything_killed_under_sessions(desks: Desks, seed: int) -> None:
    await desks.through(lambda: kill_everything(desks.smalti, seed, JOBS), reconnects=True)


@pytest.mark.slow  # `make drills` has it with twenty seeds
async def test_a_sessions_shim_killed(desks: Desks, seed: int) -> None:
    await kill_session(desks, seed, JOBS)

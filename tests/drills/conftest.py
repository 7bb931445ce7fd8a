"""One Smalti for all drills of a run: each leaves it whole, or the next one fails."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.benchmarks.platform_use import settle
from tests.instance import Instance


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Smalti with a low retry pause nowhere: as people have it."""
    with Instance(tmp_path_factory.mktemp("drills")) as instance:
        settle(instance)
        yield instance


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Twenty seeds for each drill, or as many as SMALTI_DRILL_SEEDS says."""
    if "seed" in metafunc.fixturenames:
        count = int(os.environ.get("SMALTI_DRILL_SEEDS", "20"))
        first = int(os.environ.get("SMALTI_DRILL_FIRST", "1"))
        metafunc.parametrize("seed", range(first, first + count))

"""One Smalti for all drills of a file; whatever one of them leaves wrong is the next one's not.

After each drill all processes must run and no job be unfinished: else it has failed, and the
Smalti is put right before the next one begins.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.benchmarks.platform_use import settle
from tests.drills.mending import FAILED, tidied
from tests.drills.report import FILE, Report, Tell
from tests.instance import Instance

REPORT = Report()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Smalti with a low retry pause nowhere: as people have it."""
    with Instance(tmp_path_factory.mktemp("drills")) as instance:
        settle(instance)
        yield instance


@pytest.fixture
def smalti(standing: Instance, request: pytest.FixtureRequest) -> Iterator[Instance]:
    """The same, whole at the beginning of each drill."""
    with tidied(standing, request.node):
        yield standing


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Tell the report what was done to the platform."""
    return lambda done: REPORT.tell(request.node.nodeid, done)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Twenty seeds for each drill, or as many as SMALTI_DRILL_SEEDS says."""
    if "seed" in metafunc.fixturenames:
        count = int(os.environ.get("SMALTI_DRILL_SEEDS", "20"))
        first = int(os.environ.get("SMALTI_DRILL_FIRST", "1"))
        metafunc.parametrize("seed", range(first, first + count))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a drill in the report."""
    REPORT.begin(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let a drill's fixture know that it failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Put how it went into the report."""
    REPORT.hear(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the report."""
    if REPORT.rows:
        terminalreporter.section("drills")
        for line in REPORT.table():
            terminalreporter.write_line(line)
        REPORT.write()
        terminalreporter.write_line(f"the same as JSON: {FILE}")

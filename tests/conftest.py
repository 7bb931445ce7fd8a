"""Fixtures that tests of every area use; what a test needs and lacks is skipped with a reason."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services.core.database import Database
from tests import postgres
from tests.experiments.lab import Lab
from tests.house import House

# Rules are tried for what they say, not for how soon: a busy machine is no counterexample.
settings.register_profile(
    "smalti", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("smalti")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that are drawn out stand apart: they run when their folder is named."""
    for item in items:
        if "tests/drills/" in str(item.path):
            item.add_marker("slow")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skip for a program that is not installed is a failure: `.ci/run` installs them.

    What the kernel of the machine cannot do is skipped there too, with its reason.
    """
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if os.environ.get("CI") and report.skipped and "kubernetes" not in item.keywords:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if "not installed" in str(reason):
            report.outcome, report.longrepr = "failed", f"skipped in CI: {reason}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One private PostgreSQL for the whole run."""
    binaries = postgres.find()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed (apt-get install postgresql)")
    with postgres.Server(binaries) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database with every table, once of each kind."""
    from services.platform.nouns import nouns

    nouns()
    from services.core.database import metadata

    database = Database(database_url)
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A real platform in this process, on SQLite and a free port, without hub and agent."""
    async with House(tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A whole Smalti with MLflow, started once for all tests that need it."""
    made = Lab(tmp_path_factory.mktemp("experiments"))
    try:
        made.start()
        yield made
    finally:
        made.smalti.__exit__(None, None, None)


@pytest.fixture
async def house_on_both(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    """The same, once on each kind of database."""
    async with House(tmp_path, database_url) as made:
        yield made

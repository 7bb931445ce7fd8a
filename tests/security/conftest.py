"""One real Smalti for the classes that need all of its processes."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.benchmarks.platform_use import make_project, settle
from tests.instance import Instance


@pytest.fixture(scope="package")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Smalti. What is believed of a token is short, so that its end is seen soon."""
    folder = tmp_path_factory.mktemp("security")
    instance = Instance(folder)
    instance.home.mkdir(mode=0o700)
    (instance.home / "smalti_config.py").write_text("c.Settings.auth_cache = 1.0\n")
    with instance:
        settle(instance)
        yield instance


@pytest.fixture(scope="package")
def lab(smalti: Instance) -> Iterator[tuple[httpx.Client, str]]:
    """The administrator at the API, and a project of theirs."""
    with smalti.client() as client:
        yield client, make_project(client, "guarded")

"""A front door and a hub, shared by the tests that break nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instance import Instance

CONTROL = "frontdoor,hub"


@pytest.fixture(scope="session")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance without platform and agent, whose platform port is free for a stand-in."""
    with Instance(tmp_path_factory.mktemp("smalti"), processes=CONTROL) as instance:
        yield instance


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Instance]:
    """A front door for one test alone, to kill and to restart: it starts in no time."""
    with Instance(tmp_path, processes="frontdoor") as instance:
        yield instance

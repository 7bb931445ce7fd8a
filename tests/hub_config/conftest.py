"""A hub behind its front door whose first admin still has the one-time password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instance import Instance

CONTROL = "frontdoor,hub"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Instance]:
    """An instance that has made a one-time password itself."""
    with Instance(tmp_path, password=None, processes=CONTROL) as instance:
        yield instance


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance whose admin's password was chosen by the operator."""
    with Instance(tmp_path_factory.mktemp("hub"), processes=CONTROL) as instance:
        yield instance

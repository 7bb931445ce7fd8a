"""One whole instance for all pages whose commands are run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.instance import Instance


@pytest.fixture(scope="session")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running instance with its default environment."""
    with Instance(tmp_path_factory.mktemp("documented")) as made:
        yield made

"""One whole instance for all pages whose commands are run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.instance import EVERY_PROCESS, Instance


@pytest.fixture(scope="session")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running instance as people have it: with the experiments, which the example logs to."""
    folder = tmp_path_factory.mktemp("documented")
    with Instance(folder, processes=EVERY_PROCESS) as made:
        made.wait_ready("experiments", seconds=120)
        yield made

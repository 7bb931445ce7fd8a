"""An agent whose runs are pods, on the fake cluster and on the one that KUBECONFIG names."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kubernetes.place import FakePlace, Place, PodPlane, RealPlace
from tests.planes.agent.conftest import commit, control, git, order
from tests.planes.agent.control import Control

__all__ = ["commit", "control", "git", "order"]


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.kubernetes)])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, control: Control
) -> AsyncIterator[Place]:
    if request.param == "fake":
        async with FakePlace(tmp_path, control) as fake:
            yield fake
        return
    async for real in _real(control):
        yield real


@pytest.fixture
async def fake(tmp_path: Path, control: Control) -> AsyncIterator[FakePlace]:
    async with FakePlace(tmp_path, control) as made:
        yield made


@pytest.fixture
async def real(control: Control) -> AsyncIterator[RealPlace]:
    async for made in _real(control):
        yield made


async def _real(control: Control) -> AsyncIterator[RealPlace]:
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG names none (make test-kubernetes)")
    async with RealPlace(control) as made:
        yield made


@pytest.fixture
async def plane(tmp_path: Path, control: Control, place: Place) -> AsyncIterator[PodPlane]:
    made = PodPlane(tmp_path, control, place)
    yield made
    await made.end()

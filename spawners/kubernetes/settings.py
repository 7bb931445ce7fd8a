"""How a Kubernetes runtime is set up: where it works, which images, how patient it is.

Made by the agent from its settings and by tests. Must hold no credential: those of the cluster
are found by `api`, those of a run come with its spec.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class KubernetesSettings:
    """One plane's place in a cluster. Seconds, cores and bytes.

    `platform_image` holds this code and git: it fetches a run's project and collects what the
    run leaves. `checkout` is the command in it that fetches. `python` is the interpreter in the
    images of environments that the run's watching process is started with.
    """

    namespace: str
    plane: str
    platform_image: str
    checkout: tuple[str, ...] = ("python3", "-m", "spawners.kubernetes.inside.checkout")
    collector: tuple[str, ...] = ("python3", "-m", "spawners.kubernetes.inside.collector")
    python: str = "python3"
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    uid: int = 1000
    port: int = 8790
    volume_class: str | None = None  # the cluster's default
    volume_size: str = "10Gi"
    volume_young: float = 3600.0  # a volume stays so long at least, whoever knows of it
    priority_class: str | None = None
    annotations: dict[str, str] = field(default_factory=dict)
    cpu: float | None = None
    memory: int | None = None
    gpu: int = 0
    collect_patience: float = 600.0  # a pod that has ended waits so long for the agent
    pull_patience: float = 120.0  # an image that cannot be pulled is tried for so long
    prepare_allowance: float = 3600.0  # of the cluster's own time limit, beyond the run's
    node_lost_after: int = 60  # a pod is given up so long after its node stopped answering
    answer_patience: float = 60.0  # the pod of an ended run may be silent for so long
    leave_patience: float = 8.0  # and one that is taken away, or whose node is

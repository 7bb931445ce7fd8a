"""Builds the Job and the Secret of a run: pure functions, kept by golden files.

Owns the shape of a pod; what only sessions have is in `sessions`. `runtime` creates what is built
here. Every field is one that the namespace's Pod Security level `restricted` admits. Must never
put a token or a variable anywhere but into the Secret.

A pod has three containers. `collector`, a native sidecar (an init container that is restarted),
begins first and is ended last, also when somebody deletes the pod: the kubelet ends the ordinary
containers before the sidecars, so that there is always somebody to hand over what the run left.
`checkout` fetches the project's commit. `run` is the person's program, below our shim.
Each gets only the part of the Secret that is its own.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

from spawners.kubernetes import names, orders
from spawners.kubernetes.settings import KubernetesSettings
from spawners.runtime import Remote, RunSpec, RuntimeFailure

Manifest = dict[str, Any]

WORK = "/smalti/work"
TOOLS = orders.TOOLS
ORDER = "/smalti/order"
RUN, CHECKOUT, COLLECTOR = "run", "checkout", "collector"
_HELPER_MEMORY = 256 << 20
_READER_MEMORY = 768 << 20
_MARGIN = 1 << 30  # of the pod's disk: git's objects, the shim's files
_CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def secret(spec: RunSpec, settings: KubernetesSettings, key: str) -> Manifest:
    """Build the Secret: what each container must know. `key` opens the collector to the agent."""
    remote = remote_of(spec)
    parts = {
        RUN: orders.build(spec, f"{WORK}/run"),
        CHECKOUT: orders.checkout(spec, remote, f"{WORK}/run", settings.port),
        COLLECTOR: orders.collector(spec, remote, f"{WORK}/run", settings.port, key),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(spec, remote, settings),
        "type": "Opaque",
        "data": {name: _encoded(part) for name, part in parts.items()},
    }


def job(spec: RunSpec, settings: KubernetesSettings) -> Manifest:
    """Build the Job. Its one pod is never replaced: a retry is a new attempt of the workload."""
    remote = remote_of(spec)
    about = metadata(spec, remote, settings)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": about,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "template": {
                "metadata": {
                    "labels": about["labels"],
                    "annotations": dict(settings.annotations),
                },
                "spec": pod_spec(spec, remote, settings),
            },
        },
    }


def remote_of(spec: RunSpec) -> Remote:
    """What the pod must fetch. RuntimeFailure for a spec that is not meant for a cluster."""
    if spec.remote is None:
        raise RuntimeFailure("the run was prepared for a machine and not for a cluster")
    return spec.remote


def metadata(spec: RunSpec, remote: Remote, settings: KubernetesSettings) -> Manifest:
    """Name and label what is made for a run."""
    ids = {"project": remote.project_id, "person": spec.person_id}
    if remote.session is not None:
        ids["volume"] = remote.session.volume
    labels = names.labels(spec.key, settings.plane, **ids)
    return {"name": names.name(spec.key), "namespace": settings.namespace, "labels": labels}


def _encoded(part: Manifest) -> str:
    return base64.b64encode(json.dumps(part).encode()).decode()


def pod_spec(spec: RunSpec, remote: Remote, settings: KubernetesSettings) -> Manifest:
    """Build what a pod is to be: its containers, its volumes, its rights, its lifetime."""
    placement = remote.placement
    found: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": _security(settings, remote),
        "tolerations": [dict(one) for one in placement.tolerations] + _patience(settings),
        "initContainers": [_collector(settings, remote), _checkout(settings, remote)],
        "containers": [_run(spec, remote, settings)],
        "volumes": _volumes(spec, remote),
        **_lifetime(spec, settings),
    }
    if placement.node_selector:
        found["nodeSelector"] = dict(placement.node_selector)
    if settings.pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in settings.pull_secrets]
    return found


def _run(spec: RunSpec, remote: Remote, settings: KubernetesSettings) -> Manifest:
    """The container of the person's program, below our shim."""
    placement, limits = remote.placement, spec.limits
    disk = str(limits.disk + limits.log + _MARGIN)
    amounts = {"cpu": _cores(limits.cpu), "memory": str(limits.memory)}
    if placement.gpu:
        amounts[placement.gpu_resource] = str(placement.gpu)
    found: Manifest = {
        "name": RUN,
        "image": remote.image,
        "imagePullPolicy": settings.pull_policy,
        "command": [settings.python, "-I", "-S", f"{TOOLS}/start.py", f"{ORDER}/{RUN}"],
        "workingDir": "/",
        "securityContext": dict(_CLOSED),
        "resources": {
            "limits": {**amounts, "ephemeral-storage": disk},
            "requests": {**amounts, "ephemeral-storage": str(_MARGIN)},
        },
        "volumeMounts": _mounts(spec, remote),
    }
    if remote.session is not None:
        found["ports"] = [{"name": "tool", "containerPort": orders.SESSION_PORT}]
    return found


def _lifetime(spec: RunSpec, settings: KubernetesSettings) -> Manifest:
    found: Manifest = {
        "terminationGracePeriodSeconds": math.ceil(spec.grace + settings.collect_patience),
    }
    if settings.priority_class:
        found["priorityClassName"] = settings.priority_class
    if spec.timeout is not None:
        # The shim holds the time limit; this is for a pod whose shim and agent are both gone.
        found["activeDeadlineSeconds"] = math.ceil(
            spec.timeout + spec.grace + settings.prepare_allowance
        )
    return found


def _security(settings: KubernetesSettings, remote: Remote) -> Manifest:
    found: Manifest = {
        "runAsNonRoot": True,
        "runAsUser": settings.uid,
        "runAsGroup": settings.uid,
        "fsGroup": settings.uid,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if remote.session is not None:  # else each start would go through all of a large volume
        found["fsGroupChangePolicy"] = "OnRootMismatch"
    return found


def _patience(settings: KubernetesSettings) -> list[Manifest]:
    """How long a pod stays bound to a node that does not answer (the cluster's own: 300 s)."""
    return [
        {
            "key": f"node.kubernetes.io/{what}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": settings.node_lost_after,
        }
        for what in ("not-ready", "unreachable")
    ]


def _volumes(spec: RunSpec, remote: Remote) -> list[Manifest]:
    limits = spec.limits
    parts = [
        {
            "name": f"order-{part}",
            "secret": {
                "secretName": names.name(spec.key),
                "items": [{"key": part, "path": part}],
                "defaultMode": 0o440,
            },
        }
        for part in (RUN, CHECKOUT, COLLECTOR)
    ]
    found: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": str(limits.disk + limits.log + _MARGIN)}},
        {"name": "tools", "emptyDir": {"sizeLimit": str(64 << 20)}},
        {"name": "tmp", "emptyDir": {"sizeLimit": str(limits.disk)}},
        *parts,
    ]
    if remote.placement.shared_memory:
        size = str(remote.placement.shared_memory)
        found.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size}})
    if remote.session is not None:
        claim = {"claimName": names.claim(remote.session.volume)}
        found.append({"name": "volume", "persistentVolumeClaim": claim})
        found.append({"name": "reading", "emptyDir": {"sizeLimit": str(64 << 20)}})
    return found


def _mounts(spec: RunSpec, remote: Remote) -> list[Manifest]:
    found: list[Manifest] = [
        {"name": "work", "mountPath": WORK},
        {"name": "tools", "mountPath": TOOLS, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
        {"name": f"order-{RUN}", "mountPath": ORDER, "readOnly": True},
    ]
    if remote.placement.shared_memory:
        found.append({"name": "shm", "mountPath": "/dev/shm"})  # noqa: S108
    if remote.session is not None:
        found.append({"name": "volume", "mountPath": orders.VOLUME})
    return found


def _collector(settings: KubernetesSettings, remote: Remote) -> Manifest:
    mounts: list[Manifest] = [{"name": "work", "mountPath": WORK}]
    memory = _HELPER_MEMORY
    if remote.session is not None:  # it reads the files, too, to save them
        mounts.append({"name": "volume", "mountPath": orders.VOLUME, "readOnly": True})
        mounts.append({"name": "reading", "mountPath": "/tmp"})  # noqa: S108 - a volume of its own
        memory = _READER_MEMORY
    found = _ours(settings, COLLECTOR, settings.collector, mounts, memory)
    return {
        **found,
        "restartPolicy": "Always",
        "ports": [{"name": "collect", "containerPort": settings.port}],
    }


def _checkout(settings: KubernetesSettings, remote: Remote) -> Manifest:
    mounts = [{"name": "work", "mountPath": WORK}, {"name": "tools", "mountPath": TOOLS}]
    if remote.session is not None:
        mounts.append({"name": "volume", "mountPath": orders.VOLUME})
    return _ours(settings, CHECKOUT, settings.checkout, mounts)


def _ours(
    settings: KubernetesSettings,
    name: str,
    command: tuple[str, ...],
    mounts: list[Manifest],
    memory: int = _HELPER_MEMORY,
) -> Manifest:
    """One of the two containers that run our own code."""
    order = {"name": f"order-{name}", "mountPath": ORDER, "readOnly": True}
    return {
        "name": name,
        "image": settings.platform_image,
        "imagePullPolicy": settings.pull_policy,
        "command": [*command, f"{ORDER}/{name}"],
        "securityContext": dict(_CLOSED),
        "resources": {
            "requests": {"cpu": "10m", "memory": str(_HELPER_MEMORY // 4)},
            "limits": {"cpu": "1", "memory": str(memory)},
        },
        "volumeMounts": [*mounts, order],
    }


def _cores(count: float) -> str:
    return f"{max(1, round(count * 1000))}m"

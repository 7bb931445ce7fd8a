"""Builds what only sessions have in a cluster: their pod itself, its Service, its volume's claim.

Owns the shape of these, as pure functions kept by golden files. Called by `runtime` and `hearing`.
A session's pod has no Job above it: nothing is to be tried again or counted, and a name that
derives from the run's key makes it one of a kind. The Service belongs to the pod and goes with it;
the claim belongs to nobody, so that the person's files outlive every pod.
"""

from __future__ import annotations

from typing import Any

from spawners.kubernetes import manifests, names
from spawners.kubernetes.manifests import Manifest
from spawners.kubernetes.orders import SESSION_PORT
from spawners.kubernetes.settings import KubernetesSettings
from spawners.runtime import RemoteSession, RunSpec


def pod(spec: RunSpec, settings: KubernetesSettings) -> Manifest:
    """Build a session's pod. RuntimeFailure for a spec that is not meant for a cluster."""
    remote = manifests.remote_of(spec)
    about = manifests.metadata(spec, remote, settings)
    if settings.annotations:
        about["annotations"] = dict(settings.annotations)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": about,
        "spec": manifests.pod_spec(spec, remote, settings),
    }


def claim(session: RemoteSession, settings: KubernetesSettings) -> Manifest:
    """Build the claim of a session's volume."""
    wanted: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": settings.volume_size}},
    }
    if settings.volume_class:
        wanted["storageClassName"] = settings.volume_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": names.claim(session.volume),
            "namespace": settings.namespace,
            "labels": names.claim_labels(session.volume, settings.plane),
        },
        "spec": wanted,
    }


def service(about: dict[str, Any], settings: KubernetesSettings) -> Manifest:
    """Build the Service of a session from its pod's metadata."""
    labels = about["labels"]
    owner = {"apiVersion": "v1", "kind": "Pod", "name": about["name"], "uid": about["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": about["name"],
            "namespace": settings.namespace,
            "labels": dict(labels),
            "ownerReferences": [owner],
        },
        "spec": {
            "selector": {name: labels[name] for name in (names.WORKLOAD, names.ATTEMPT)},
            "ports": [{"name": "tool", "port": SESSION_PORT, "targetPort": SESSION_PORT}],
        },
    }

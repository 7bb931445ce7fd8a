"""What the cluster itself must have: its version, storage, ingress, and the Secrets that are named.

Called by `examine`. It reads objects and makes none.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from services.supervisor.preflight.findings import Finding, bad, good, unseen
from services.supervisor.preflight.rights import runs_namespace
from services.supervisor.preflight.values import Values
from spawners.kubernetes.api import Api, Refusal, Unreachable

OLDEST = (1, 29)  # native sidecars: what a run leaves comes home by one
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_INGRESS = "ingressclass.kubernetes.io/is-default-class"
# Provisioners whose volumes one node alone can mount.
ONE_NODE = (
    "ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com", "rancher.io/local-path",
    "kubernetes.io/no-provisioner", "kubernetes.io/aws-ebs", "kubernetes.io/gce-pd",
    "kubernetes.io/azure-disk", "cinder.csi.openstack.org", "driver.longhorn.io/strict-local",
)  # fmt: skip


async def version(api: Api) -> Finding:
    """Say whether the cluster is new enough. Refusal, Unreachable."""
    said = await api.call("GET", "/version")
    major, minor = (
        re.sub(r"\D", "", str(said.get(part, ""))) or "0" for part in ("major", "minor")
    )
    name = said.get("gitVersion", f"v{major}.{minor}")
    if (int(major), int(minor)) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return bad(
            f"the cluster is {name}", f"Smalti needs Kubernetes {oldest} or newer: update it"
        )
    return good(f"the cluster answers and is {name}")


async def namespaces(api: Api, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Say whether the namespace of workloads is as the values have it."""
    runs, create = runs_namespace(values, namespace), values["workloads"]["create"]
    try:
        found = await api.call("GET", f"/api/v1/namespaces/{runs}")
    except Unreachable as error:
        yield unseen(f"namespace {runs} cannot be looked at: {error}", "try again")
        return
    except Refusal as error:
        if error.status != 404:
            yield unseen(
                f"namespace {runs} cannot be looked at: {error}", "ask for `get namespaces`"
            )
        elif not create:
            yield bad(
                f"namespace {runs} is not there, and workloads.create is false",
                f"kubectl create namespace {runs}, with the label "
                "pod-security.kubernetes.io/enforce=restricted",
            )
        else:
            yield good(f"namespace {runs} will be made")
        return
    notes = found["metadata"].get("annotations") or {}
    if create and notes.get("meta.helm.sh/release-namespace") not in (None, namespace):
        yield bad(
            f"namespace {runs} belongs to another release",
            "name another one in workloads.namespace",
        )
    elif create and "meta.helm.sh/release-name" not in notes:
        yield bad(
            f"namespace {runs} is there already, and not made by helm",
            "set workloads.create to false, or name another one in workloads.namespace",
        )
    else:
        yield good(f"namespace {runs} is there")


async def storage(api: Api, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Say whether the storage classes are there, and can do what is asked of them."""
    try:
        answer = await api.call("GET", "/apis/storage.k8s.io/v1/storageclasses")
    except (Refusal, Unreachable) as error:
        yield unseen(f"storage classes cannot be listed: {error}", "ask which ones there are")
        return
    classes = {one["metadata"]["name"]: one for one in answer["items"]}
    default = next((name for name, one in classes.items() if _is(one, DEFAULT_CLASS)), None)
    names = ", ".join(sorted(classes)) or "none"
    for value, claim in _claims(values):
        name = claim["className"] or default
        if name is None:
            yield bad(
                f"{value}.className is empty, and the cluster has no default storage class",
                f"name one (there are: {names}), or make one the default",
            )
        elif name not in classes:
            yield bad(f"there is no storage class {name} ({value}.className)",
                      f"name another one (there are: {names})")  # fmt: skip
        elif _needs_many(values, value, claim) and classes[name]["provisioner"] in ONE_NODE:
            yield bad(
                f"storage class {name} gives volumes to one node alone, and the platform has "
                f"{values['platform']['replicas']} pods",
                "name a class for shared files in platform.storage.className, or set "
                "platform.sameNode to true and platform.storage.accessMode to ReadWriteOnce",
            )
        else:
            yield good(f"storage class {name} for {value}")


def _claims(values: Values) -> Iterator[tuple[str, dict[str, Any]]]:
    places = ["platform", *(["agent"] if values["agent"]["enabled"] else [])]
    experiments = values["experiments"]
    if experiments["enabled"] and not experiments["artifacts"]:
        places.append("experiments")
    for place in places:
        claim = values[place]["storage"]
        if not claim["existingClaim"]:
            yield f"{place}.storage", claim
    if values["database"]["mode"] == "trial":
        yield "database.trial.storage", values["database"]["trial"]["storage"]


def _needs_many(values: Values, value: str, claim: dict[str, Any]) -> bool:
    return value == "platform.storage" and claim["accessMode"] == "ReadWriteMany"


def _is(one: dict[str, Any], note: str) -> bool:
    return bool((one["metadata"].get("annotations") or {}).get(note) == "true")


async def ingress(api: Api, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Say whether the ingress class is there."""
    if not values["ingress"]["enabled"]:
        return
    try:
        answer = await api.call("GET", "/apis/networking.k8s.io/v1/ingressclasses")
    except (Refusal, Unreachable) as error:
        yield unseen(f"ingress classes cannot be listed: {error}", "ask which ones there are")
        return
    classes = {one["metadata"]["name"]: one for one in answer["items"]}
    name = values["ingress"]["className"]
    names = ", ".join(sorted(classes))
    if name and name in classes:
        yield good(f"ingress class {name}")
    elif name:
        yield bad(f"there is no ingress class {name}",
                  f"there are: {names}" if names else "install an ingress controller")  # fmt: skip
    elif any(_is(one, DEFAULT_INGRESS) for one in classes.values()):
        yield good("the default ingress class")
    else:
        yield bad("ingress.className is empty, and the cluster has no default ingress class",
                  f"name one of {names}" if names else "install an ingress controller")  # fmt: skip


async def secrets(api: Api, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Say whether the Secrets that the values name are there, with their keys."""
    for value, name, keys in named_secrets(values):
        try:
            found = await api.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except Unreachable as error:
            yield unseen(f"Secret {name} cannot be looked at: {error}", "try again")
            continue
        except Refusal as error:
            if error.status == 404:
                yield bad(f"there is no Secret {name} in {namespace} ({value})",
                          f"make it, with the keys {', '.join(keys)}")  # fmt: skip
            else:
                yield unseen(f"Secret {name} cannot be looked at: {error}", "ask for `get secrets`")
            continue
        lacking = [key for key in keys if not (found.get("data") or {}).get(key)]
        if lacking:
            yield bad(f"Secret {name} lacks {', '.join(lacking)}", "add what is missing")
        else:
            yield good(f"Secret {name} has what {value} needs")


def named_secrets(values: Values) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """List (value, name, keys) of the Secrets that must be there before the chart."""
    from services.supervisor.keys import SECRETS

    s3 = values["objects"]["s3"]["existingSecret"] if values["objects"]["mode"] == "s3" else ""
    tls = values["ingress"]["tlsSecret"] if values["ingress"]["enabled"] else ""
    for value, name, keys in (
        ("secrets.existingSecret", values["secrets"]["existingSecret"],
         (*SECRETS, "admin_password")),
        ("database.existingSecret", values["database"]["existingSecret"],
         ("hub", "platform", "experiments")),
        ("objects.s3.existingSecret", s3,
         ("s3.json",)),
        ("ingress.tlsSecret", tls,
         ("tls.crt", "tls.key")),
    ):  # fmt: skip
        if name:
            yield value, name, keys

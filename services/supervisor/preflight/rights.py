"""Whether whoever installs may make what the chart makes: one review per kind, none made.

Called by `examine`. The cluster itself judges (SelfSubjectAccessReview).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.supervisor.preflight.findings import Finding, bad, good, unseen
from services.supervisor.preflight.values import Values
from spawners.kubernetes.api import Api, Refusal, Unreachable

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# What is made in the release's namespace: (API group, kind).
HERE = (
    ("apps", "deployments"),
    ("", "services"),
    ("", "configmaps"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("", "persistentvolumeclaims"),
)


def runs_namespace(values: Values, namespace: str) -> str:
    """Name the namespace of workloads, as the chart does."""
    return str(values["workloads"]["namespace"] or f"{namespace}-runs")


def wanted(values: Values, namespace: str) -> list[tuple[str, str, str]]:
    """List (namespace, group, kind) of all that the chart makes; no namespace: the cluster's."""
    runs = runs_namespace(values, namespace)
    found = [(namespace, group, kind) for group, kind in HERE]
    if values["database"]["mode"] == "trial":
        found.append((namespace, "apps", "statefulsets"))
    if values["ingress"]["enabled"]:
        found.append((namespace, "networking.k8s.io", "ingresses"))
    if max(values["platform"]["replicas"], values["frontDoor"]["replicas"]) > 1:
        found.append((namespace, "policy", "poddisruptionbudgets"))
    if values["networkPolicies"]["enabled"]:
        found += [(place, "networking.k8s.io", "networkpolicies") for place in (namespace, runs)]
    if values["agent"]["enabled"]:
        found += [(runs, "rbac.authorization.k8s.io", kind) for kind in ("roles", "rolebindings")]
    if values["workloads"]["create"]:
        found.append(("", "", "namespaces"))
    return found


async def look(api: Api, values: Values, namespace: str) -> AsyncIterator[Finding]:
    """Say which rights are missing."""
    missing = []
    try:
        for place, group, kind in wanted(values, namespace):
            if not await _may(api, place, group, kind):
                missing.append(f"{kind} in {place}" if place else kind)
    except (Refusal, Unreachable) as error:
        yield unseen(f"rights cannot be reviewed: {error}", "ask an administrator of the cluster")
        return
    if not missing:
        yield good(f"what the chart makes may be made in {namespace}")
        return
    text = f"rights are missing: create {', '.join(missing)}"
    remedy = f"ask for the cluster's role `admin` in {namespace} and the namespace of workloads"
    if "namespaces" in missing:
        remedy += ", and for that namespace to be made; then set workloads.create to false"
    yield bad(text, remedy)


async def _may(api: Api, namespace: str, group: str, kind: str) -> bool:
    attributes = {"namespace": namespace, "verb": "create", "group": group, "resource": kind}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await api.call("POST", REVIEWS, body)
    return bool(answer.get("status", {}).get("allowed"))

"""What the charts may never let through: privileges, open ways, secrets that cannot be replaced."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helm import charts
from tests.helm.charts import EXAMPLES, Manifest, containers, example, of_kind, pods, render
from tests.kubernetes.policy import restricted

# The one pod of each release that speaks to the cluster's API.
AGENTS = {"smalti-agent", "far"}
PRIVATE = "10.0.0.0/8"
METADATA = "169.254.0.0/16"


def every_pod() -> Iterator[tuple[str, str, Manifest]]:
    """Each pod of each worked file."""
    for name in EXAMPLES:
        for owner, pod in pods(example(name)):
            yield name, owner, pod


EVERY = [pytest.param(owner, pod, id=f"{name}-{owner}") for name, owner, pod in every_pod()]


@pytest.mark.parametrize(("owner", "pod"), EVERY)
def test_pods_are_admitted_by_the_level_restricted(owner: str, pod: Manifest) -> None:
    found = restricted(pod)
    if owner in AGENTS:
        found.remove("service account token is mounted")
    assert found == []


@pytest.mark.parametrize(("owner", "pod"), EVERY)
def test_containers_have_limits_a_closed_root_and_an_image_of_the_values(
    owner: str, pod: Manifest
) -> None:
    for one in containers(pod):
        for kind in ("requests", "limits"):
            assert set(one["resources"][kind]) >= {"cpu", "memory"}, one["name"]
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert re.fullmatch(
            r"(localhost|registry\.example\.org)/smalti/[a-z]+:0\.1\.0", one["image"]
        )


@pytest.mark.parametrize(("owner", "pod"), EVERY)
def test_whoever_has_a_port_is_probed(owner: str, pod: Manifest) -> None:
    for one in pod["containers"]:
        if one.get("ports") or one["name"] == "agent":
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(one), one["name"]


def test_no_right_reaches_beyond_the_namespace_of_workloads() -> None:
    known = {"jobs", "pods", "secrets", "events", "services", "persistentvolumeclaims"}
    for name in EXAMPLES:
        found = example(name)
        assert not of_kind(found, "ClusterRole")
        assert not of_kind(found, "ClusterRoleBinding")
        for role in of_kind(found, "Role"):
            assert role["metadata"]["namespace"].endswith("-runs")
            for rule in role["rules"]:
                assert "*" not in rule["resources"] + rule["verbs"] + rule["apiGroups"]
                assert set(rule["resources"]) <= known
                if name == "far":  # it runs no workspaces
                    assert not {"services", "persistentvolumeclaims"} & set(rule["resources"])


def test_the_namespace_of_workloads_is_restricted() -> None:
    for name in EXAMPLES:
        (namespace,) = of_kind(example(name), "Namespace")
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def secrets_used(value: Any) -> Iterator[str]:
    """Every name of a Secret in a manifest."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "secretName" and isinstance(one, str):
                yield one
            elif key in ("secret", "secretKeyRef") and isinstance(one, dict) and "name" in one:
                yield one["name"]
            else:
                yield from secrets_used(one)
    elif isinstance(value, list):
        for one in value:
            yield from secrets_used(one)


def test_every_secret_is_replaceable() -> None:
    """With the Secrets of production named, the chart makes none and asks for no other."""
    found = example("production")
    assert of_kind(found, "Secret") == []
    assert set(secrets_used(list(found))) == {
        "smalti-secrets", "smalti-database", "smalti-s3", "smalti-oidc", "smalti-tls",
    }  # fmt: skip
    far = render("smalti-agent", values={"enrolment": {"existingSecret": "mine"}}, release="far")
    assert of_kind(far, "Secret") == []


def test_made_secrets_are_of_the_form_that_the_processes_take() -> None:
    from services.supervisor.keys import SECRETS

    found = {one["metadata"]["name"]: one["data"] for one in of_kind(render(), "Secret")}
    made = {key: base64.b64decode(text).decode() for key, text in found["smalti-secrets"].items()}
    assert set(made) == {*SECRETS, "admin_password"}
    for name, make in SECRETS.items():
        like = make()
        own = like.startswith("sml_")
        assert re.fullmatch(r"sml_[A-Za-z0-9]{43}" if own else r"[0-9a-f]{64}", made[name]), name
        assert len(made[name]) == len(like)
    assert len(set(made.values())) == len(made)
    assert set(found["smalti-database"]) == {"hub", "platform", "experiments"}


def test_each_process_is_given_only_its_own_secrets() -> None:
    given = {}
    for owner, pod in pods(example("trial")):
        for volume in pod["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                items = [item["key"] for item in source["secret"]["items"]]
                given.setdefault(owner, set()).update(items)
    assert "vault.key" in given["smalti-platform"]
    assert all("vault.key" not in keys for who, keys in given.items() if who != "smalti-platform")
    assert given["smalti-frontdoor"] == {"traefik_api_password", "frontdoor.key"}
    assert given["smalti-experiments"] == {
        "experiments.token", "experiments_platform.key", "experiments",
    }  # fmt: skip


def policies(name: str) -> list[Manifest]:
    """The network policies of a worked file."""
    return of_kind(example(name), "NetworkPolicy")


def test_all_is_refused_before_anything_is_let_through() -> None:
    for namespace in ("smalti", "smalti-runs"):
        (nothing,) = [
            one
            for one in policies("trial")
            if one["metadata"]["name"] == "smalti-nothing"
            and one["metadata"].get("namespace") == namespace
        ]
        assert nothing["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert not {"ingress", "egress"} & set(nothing["spec"])
    labels = {"app.kubernetes.io/name": "smalti", "app.kubernetes.io/instance": "smalti"}
    for _, pod_labels in _labels_of_pods():
        assert labels.items() <= pod_labels.items()


def _labels_of_pods() -> Iterator[tuple[str, dict[str, str]]]:
    for one in example("trial"):
        if one["kind"] in ("Deployment", "StatefulSet"):
            yield one["metadata"]["name"], one["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_metadata_address_is_out_of_reach(name: str) -> None:
    blocks = [
        (one["metadata"]["name"], to["ipBlock"])
        for one in policies(name)
        for rule in one["spec"].get("egress", [])
        for to in rule.get("to", [])
        if "ipBlock" in to
    ]
    assert blocks
    for policy, block in blocks:
        assert METADATA in block["except"], policy
    for policy, block in blocks:
        if policy.endswith("-to-internet"):
            assert PRIVATE in block["except"], policy
    for one in policies(name):
        assert all(rule.get("to") for rule in one["spec"].get("egress", [])), one["metadata"][
            "name"
        ]


def test_every_way_is_named_at_both_ends() -> None:
    names = {one["metadata"]["name"] for one in policies("trial")}
    ways = {name.removesuffix("-in") for name in names if name.endswith("-in")}
    outs = {name.removesuffix("-out") for name in names if name.endswith("-out")}
    into_runs = {f"smalti-{one}-to-runs" for one in ("control-plane", "frontdoor", "hub", "agent")}
    from_runs = {name for name in ways | outs if name.startswith("smalti-runs-")}
    assert ways - into_runs - from_runs == outs - into_runs - from_runs


def test_nobody_connects_to_a_far_agent() -> None:
    for one in policies("far"):
        if one["metadata"].get("namespace") != "far-runs":
            assert "ingress" not in one["spec"]
    assert not of_kind(example("far"), "Service")


def test_what_has_several_pods_has_a_budget_and_what_has_one_does_not_hold_up_a_drain() -> None:
    found = {
        one["metadata"]["name"] for one in of_kind(example("production"), "PodDisruptionBudget")
    }
    assert found == {"smalti-platform", "smalti-frontdoor"}
    single = {"platform": {"replicas": 1}}
    assert not of_kind(render(values=single), "PodDisruptionBudget")


def test_data_is_kept_unless_one_says_otherwise() -> None:
    def kept(values: dict[str, Any]) -> set[str]:
        return {
            one["kind"]
            for one in render(values=values)
            if one["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
        }

    assert kept({}) == {"PersistentVolumeClaim", "Secret", "Namespace"}
    assert kept({"keepData": False}) == set()


def test_people_reach_the_public_host_and_all_hosts_below_it() -> None:
    (ingress,) = of_kind(example("production"), "Ingress")
    hosts = [rule["host"] for rule in ingress["spec"]["rules"]]
    assert hosts == ["smalti.example.org", "*.smalti.example.org"]
    assert ingress["spec"]["tls"] == [{"secretName": "smalti-tls", "hosts": hosts}]
    assert charts.example("trial")

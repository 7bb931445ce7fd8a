"""The Job and the Secret of a run: as the golden files say, valid, and admitted by policy.

`python -m tests.kubernetes.test_manifests` writes the golden files anew, to be read in the diff.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from spawners.kubernetes import manifests, names, sessions
from spawners.runtime import RunKey, RunSpec, RuntimeFailure
from tests.kubernetes.policy import restricted
from tests.kubernetes.specs import LIMITED, PLAIN, SESSION, SETTINGS

GOLDEN = Path(__file__).parent / "golden"
KUBERNETES = ("1.29", "1.33", "1.36")
SPECS = {"plain": PLAIN, "limited": LIMITED, "session": SESSION}


def built(spec: RunSpec) -> list[dict[str, Any]]:
    secret = manifests.secret(spec, SETTINGS, "opens")
    session = spec.remote.session if spec.remote else None
    if session is None:
        return [secret, manifests.job(spec, SETTINGS)]
    pod = sessions.pod(spec, SETTINGS)
    service = sessions.service(pod["metadata"] | {"uid": "uid-of-the-pod"}, SETTINGS)
    return [secret, pod, sessions.claim(session, SETTINGS), service]


def pod_of(spec: RunSpec) -> dict[str, Any]:
    main = built(spec)[1]["spec"]
    found: dict[str, Any] = main["template"]["spec"] if "template" in main else main
    return found


@pytest.mark.parametrize("name", SPECS)
def test_golden(name: str) -> None:
    assert built(SPECS[name]) == json.loads((GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", SPECS)
def test_valid(name: str, version: str) -> None:
    for manifest in built(SPECS[name]):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("name", SPECS)
def test_admitted_by_the_restricted_level(name: str) -> None:
    assert restricted(pod_of(SPECS[name])) == []


def test_policy_sees_what_is_not_restricted() -> None:
    pod = pod_of(PLAIN)
    pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    pod["initContainers"][0]["securityContext"]["capabilities"] = {}
    pod["volumes"].append({"name": "host", "hostPath": {"path": "/"}})
    assert len(restricted(pod)) == 3


def test_no_secret_outside_the_secret() -> None:
    job = json.dumps(built(PLAIN)[1])
    assert "sml_run_token" not in job
    assert "ALPHA" not in job


@pytest.mark.parametrize("spec", [PLAIN, SESSION])
def test_each_container_sees_its_own_part_of_the_secret(spec: RunSpec) -> None:
    secret, pod = built(spec)[0], pod_of(spec)
    for container in (*pod["initContainers"], *pod["containers"]):
        mounted = [m["name"] for m in container["volumeMounts"] if m["name"].startswith("order-")]
        assert mounted == [f"order-{container['name']}"]
    checkout = json.loads(base64.b64decode(secret["data"]["checkout"]))
    assert "sml_run_token" in checkout["git"]["GIT_CONFIG_VALUE_0"]
    assert "opens" not in base64.b64decode(secret["data"]["run"]).decode()


def test_a_session_is_one_pod_whose_files_are_the_claims() -> None:
    _, pod, claim, service = built(SESSION)
    assert pod["kind"] == "Pod"
    [volume] = [v for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert "ownerReferences" not in claim["metadata"]
    labels = pod["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert names.key_of(claim["metadata"]["labels"]) is None
    [collector] = [c for c in pod["spec"]["initContainers"] if c["name"] == "collector"]
    assert {"name": "volume", "mountPath": "/smalti/volume", "readOnly": True} in collector[
        "volumeMounts"
    ]


@pytest.mark.parametrize("volume", ["", "UPPER", "a/b", "a" * 60, "-a", "\u00e4"])
def test_a_volume_that_makes_no_name_is_refused(volume: str) -> None:
    with pytest.raises(RuntimeFailure):
        names.claim(volume)


def test_labels_hold_ids_only() -> None:
    labels = built(PLAIN)[1]["metadata"]["labels"]
    assert names.key_of(labels) == PLAIN.key
    odd = replace(PLAIN, person_id="Ada Lovelace!")
    assert "smalti.org/person" not in manifests.job(odd, SETTINGS)["metadata"]["labels"]


def test_every_attempt_has_names_of_its_own() -> None:
    again = replace(PLAIN, key=RunKey(PLAIN.key.workload_id, 2))
    assert names.name(again.key) != names.name(PLAIN.key)


@pytest.mark.parametrize("workload", ["", "UPPER", "a/b", "a" * 60, "-a", "ä"])
def test_a_key_that_makes_no_name_is_refused(workload: str) -> None:
    with pytest.raises(RuntimeFailure):
        names.name(RunKey(workload, 1))


def test_a_run_prepared_for_a_machine_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match="for a machine"):
        manifests.job(replace(PLAIN, remote=None), SETTINGS)


if __name__ == "__main__":
    for word, one in SPECS.items():
        (GOLDEN / f"{word}.json").write_text(json.dumps(built(one), indent=1) + "\n")

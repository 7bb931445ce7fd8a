"""What a pod says, read into a state and a reason. Statuses as a v1.36 cluster writes them."""

from __future__ import annotations

from typing import Any

import pytest

from spawners.kubernetes.reading import Stage, creation_refused, look
from spawners.runtime import RunEnd

AT = "2026-11-25T10:00:00Z"


def pod(
    run: dict[str, Any] | None = None,
    checkout: dict[str, Any] | None = None,
    deleted: bool = False,
    **status: Any,
) -> dict[str, Any]:
    if run is not None:
        status["containerStatuses"] = [{"name": "run", "state": run}]
    if checkout is not None:
        status["initContainerStatuses"] = [{"name": "checkout", "state": checkout}]
    metadata = {"name": "p", **({"deletionTimestamp": AT} if deleted else {})}
    return {"metadata": metadata, "spec": {"nodeName": "n1"}, "status": status}


def condition(kind: str, status: str, reason: str, message: str = "") -> list[dict[str, str]]:
    return [{"type": kind, "status": status, "reason": reason, "message": message}]


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    times = {"startedAt": AT, "finishedAt": AT}
    return {"terminated": {"exitCode": code, "reason": reason, "message": message, **times}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


NO_ROOM = "0/3 nodes are available: 3 Insufficient cpu."
NOT_FOUND = 'rpc error: code = NotFound desc = "r.example.org/x:1": not found'


@pytest.mark.parametrize(
    ("given", "stage", "words"),
    [
        (pod(phase="Pending"), Stage.WAITING, "being made"),
        (
            pod(conditions=condition("PodScheduled", "False", "Unschedulable", NO_ROOM)),
            Stage.WAITING,
            "no node has room for it: 0/3 nodes",
        ),
        (pod(checkout={"running": {}}, phase="Pending"), Stage.WAITING, "fetching the project"),
        (
            pod(checkout=ended(1, message="commit 0123 is not in the project"), phase="Failed"),
            Stage.FAILED,
            "could not be fetched: commit 0123 is not in the project",
        ),
        (pod(run=waiting("ErrImagePull", NOT_FOUND)), Stage.WAITING, "no such image"),
        (pod(run=waiting("ErrImagePull", "pull access denied")), Stage.WAITING, "access refused"),
        (pod(run=waiting("ImagePullBackOff", "i/o timeout")), Stage.WAITING, "i/o timeout"),
        (pod(run=waiting("CreateContainerConfigError", "no secret x")), Stage.WAITING, "no secret"),
        (
            pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
            Stage.LOST,
            "evicted it: The node was low",
        ),
        (pod(run={"running": {}}, reason="NodeLost"), Stage.LOST, "n1 does not answer"),
        (pod(run=ended(137, "ContainerStatusUnknown"), reason="NodeLost"), Stage.LOST, "n1"),
        (
            pod(
                run={"running": {"startedAt": AT}},
                deleted=True,
                conditions=condition("DisruptionTarget", "True", "DeletionByTaintManager"),
            ),
            Stage.LOST,
            "n1 does not answer",
        ),
        (
            pod(
                run={"running": {"startedAt": AT}},
                conditions=condition("DisruptionTarget", "True", "PreemptionByScheduler"),
            ),
            Stage.LOST,
            "higher priority",
        ),
        (pod(deleted=True, phase="Pending"), Stage.LOST, "deleted before"),
        (
            pod(phase="Failed", reason="OutOfcpu", message="Node didn't have enough cpu"),
            Stage.LOST,
            "n1",
        ),
        (pod(phase="Failed", message="something else"), Stage.FAILED, "something else"),
    ],
)
def test_reasons(given: dict[str, Any], stage: Stage, words: str) -> None:
    seen = look(given)
    assert seen.stage is stage
    assert words in (seen.reason or "")


def test_running_says_since_when_and_where() -> None:
    seen = look(pod(run={"running": {"startedAt": AT}}, podIP="10.1.2.3"))
    assert (seen.stage, seen.ip, seen.leaving) == (Stage.RUNNING, "10.1.2.3", False)
    assert seen.started_at is not None
    assert seen.started_at.isoformat() == "2026-11-25T10:00:00+00:00"


@pytest.mark.parametrize(("said", "code"), [(0, 0), (3, 3), (137, -9), (143, -15), (255, 255)])
def test_exit_codes(said: int, code: int) -> None:
    assert look(pod(run=ended(said))).exit_code == code


def test_limits_that_end_a_run() -> None:
    assert look(pod(run=ended(137, "OOMKilled"))).end is RunEnd.OUT_OF_MEMORY
    late = look(pod(phase="Failed", reason="DeadlineExceeded"))
    assert (late.stage, late.end) == (Stage.FAILED, RunEnd.TIME_LIMIT)
    text = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."
    full = look(pod(phase="Failed", reason="Evicted", message=text))
    assert (full.stage, full.end) == (Stage.FAILED, RunEnd.DISK_LIMIT)


def test_an_image_without_the_interpreter() -> None:
    text = 'exec: "python3": executable file not found in $PATH'
    seen = look(pod(run=ended(128, "StartError", text)))
    assert (seen.stage, seen.end) == (Stage.FAILED, RunEnd.NOT_STARTED)
    assert text in (seen.reason or "")


def test_a_program_that_ended_while_its_pod_is_deleted_has_ended() -> None:
    assert look(pod(run=ended(0, "Completed"), deleted=True)).stage is Stage.ENDED


def test_hope() -> None:
    assert look(pod(run=waiting("InvalidImageName", "x"))).hopeless
    pulls = look(pod(run=waiting("ErrImagePull", NOT_FOUND)))
    assert (pulls.hopeless, pulls.stuck) == (False, True)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            'Error creating: pods "x" is forbidden: exceeded quota: small, '
            "requested: limits.cpu=4, used: limits.cpu=0, limited: limits.cpu=0",
            "the quota of the plane is used up (small): requested limits.cpu=4",
        ),
        (
            'Error creating: pods "x" is forbidden: violates PodSecurity "restricted:latest": y',
            'admits no such pod: PodSecurity "restricted:latest": y',
        ),
        ("Error creating: admission webhook said no", "made no pod: admission webhook said no"),
    ],
)
def test_pods_that_were_not_made(message: str, words: str) -> None:
    assert words in creation_refused(message)


def test_a_collector_that_keeps_ending_is_told_between_two_tries() -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    statuses = [
        {"name": "collector", "state": ended, "restartCount": 1},
        {"name": "checkout", "state": {"running": {}}, "restartCount": 0},
    ]
    seen = look({"metadata": {}, "status": {"phase": "Pending", "initContainerStatuses": statuses}})
    assert (seen.stage, seen.stuck) == (Stage.WAITING, True)
    assert "does not stay up" in str(seen.reason)
    statuses[0]["restartCount"] = 0
    again = look({"metadata": {}, "status": {"initContainerStatuses": statuses}})
    assert not again.stuck

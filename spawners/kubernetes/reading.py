"""Reads what a pod and the events around it say, into the words of runtimes: pure functions.

Owns which of Kubernetes's many words means what for a person. Called by `runtime` for each
change that the mirror hears of. Must do no I/O and read no clock.

Source: the comments of `k8s.io/api/core/v1/types.go` (PodStatus, ContainerState, PodCondition),
`pkg/kubelet/images/types.go` (reasons of pulls), `pkg/kubelet/kuberuntime` (reasons of starts).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from spawners.kubernetes.manifests import CHECKOUT, COLLECTOR, RUN
from spawners.runtime import RunEnd

_PULL = {"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"}
_PULL_NEVER = {"InvalidImageName", "ErrImageNeverPull"}
_CREATE = {"CreateContainerError", "CreateContainerConfigError", "RunContainerError"}
_NO_IMAGE = re.compile(r"not found|manifest unknown|does not exist|no such image", re.I)
_NO_ACCESS = re.compile(r"denied|unauthorized|forbidden|401|403", re.I)
_DISK = re.compile(r"ephemeral|emptyDir", re.I)
_NO_COLLECTOR = "the container that collects its outputs does not stay up"
_NOT_EXECUTED = ("StartError", "ContainerCannotRun")


class Stage(StrEnum):
    """How far a pod has come with the run."""

    WAITING = "waiting"  # nothing of the person's runs yet
    RUNNING = "running"
    ENDED = "ended"  # the program has ended; what it left can be collected
    FAILED = "failed"  # the pod ended before, or without, the program
    LOST = "lost"  # the pod was taken away, or its node is


@dataclass(frozen=True)
class Seen:
    """What one look at a pod says. `hopeless`: waiting longer will not help.

    `stuck`: a container cannot be started now; whoever looks decides how long to go on trying.
    """

    stage: Stage
    reason: str | None = None
    end: RunEnd | None = None
    exit_code: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    hopeless: bool = False
    stuck: bool = False
    leaving: bool = False
    ip: str | None = None


def look(pod: dict[str, Any]) -> Seen:
    """Say what a pod's status means for its run."""
    status = pod.get("status", {})
    ip = status.get("podIP")
    run = _container(status.get("containerStatuses"), RUN)
    state = run.get("state", {})
    leaving = "deletionTimestamp" in pod.get("metadata", {})
    if "terminated" in state and not _taken(state["terminated"], status):
        return _ended(state["terminated"], ip, leaving)
    taken = _taken_away(pod)
    if taken is not None:
        return taken
    if "running" in state:
        started = _time(state["running"].get("startedAt"))
        return Seen(Stage.RUNNING, started_at=started, leaving=leaving, ip=ip)
    if leaving:
        return Seen(Stage.LOST, "its pod was deleted before the program was started")
    return _waiting(status, state.get("waiting", {}), ip)


def job_failed(job: dict[str, Any]) -> str | None:
    """Say why a Job has given up; None for one that has not. Asked when it has no pod."""
    for condition in job.get("status", {}).get("conditions", []):
        if condition.get("type") == "Failed" and condition.get("status") == "True":
            said = _short(condition.get("message") or condition.get("reason") or "no reason")
            return f"its pod is gone: {said}"
    return None


def warning(event: dict[str, Any], has_pod: bool) -> str | None:
    """Say what a warning about a Job or a pod means for a run that waits; None for others."""
    word, message = event.get("reason"), str(event.get("message", ""))
    if word == "FailedCreate" and not has_pod:
        return creation_refused(message)
    if word in ("FailedMount", "FailedAttachVolume"):
        return f"a volume cannot be mounted: {_short(message)}"
    if word in ("ProvisioningFailed", "FailedBinding"):
        return f"its volume cannot be made: {_short(message)}"
    if word == "FailedCreatePodSandBox":
        return f"its node cannot make the pod: {_short(message)}"
    return None


def creation_refused(message: str) -> str:
    """Say why the cluster made no pod of a Job, from the event about it."""
    quota = re.search(r"exceeded quota: ([^,]+), requested: (.*)$", message)
    if quota:
        return f"the quota of the plane is used up ({quota[1]}): requested {quota[2]}"
    if "violates PodSecurity" in message:
        return f"the plane's policy admits no such pod: {message.split('violates ', 1)[1]}"
    return f"the cluster made no pod: {message.removeprefix('Error creating: ')}"


def _container(statuses: list[dict[str, Any]] | None, name: str) -> dict[str, Any]:
    return next((one for one in statuses or [] if one.get("name") == name), {})


def _taken(terminated: dict[str, Any], status: dict[str, Any]) -> bool:
    """Whether an ended container was made up: the kubelet says so of one it lost sight of."""
    return (
        terminated.get("reason") == "ContainerStatusUnknown" or status.get("reason") == "NodeLost"
    )


def _ended(terminated: dict[str, Any], ip: str | None, leaving: bool) -> Seen:
    code = int(terminated.get("exitCode", 0))
    word = terminated.get("reason", "")
    started, finished = _time(terminated.get("startedAt")), _time(terminated.get("finishedAt"))
    if word in _NOT_EXECUTED:
        reason = f"the image cannot run programs: {_short(terminated.get('message', word))}"
        return Seen(Stage.FAILED, reason, RunEnd.NOT_STARTED, finished_at=finished)
    end = RunEnd.OUT_OF_MEMORY if word == "OOMKilled" else None
    signal = 128 < code < 160
    return Seen(
        Stage.ENDED,
        end=end,
        exit_code=128 - code if signal else code,
        started_at=started,
        finished_at=finished,
        leaving=leaving,
        ip=ip,
    )


def _taken_away(pod: dict[str, Any]) -> Seen | None:
    """Say what ended a pod that did not end by itself; None for one that is still at home."""
    status, spec = pod.get("status", {}), pod.get("spec", {})
    word, message = status.get("reason"), status.get("message", "")
    if word == "DeadlineExceeded":
        return Seen(Stage.FAILED, "the cluster's time limit was reached", RunEnd.TIME_LIMIT)
    if word == "Evicted" and _DISK.search(message) and "limit" in message:
        return Seen(Stage.FAILED, _short(message), RunEnd.DISK_LIMIT)
    if word == "Evicted":
        return Seen(Stage.LOST, f"the cluster evicted it: {_short(message)}")
    node = spec.get("nodeName", "its node")
    if word == "NodeLost":
        return Seen(Stage.LOST, f"node {node} does not answer any more")
    if word in ("Shutdown", "NodeShutdown", "Terminated"):
        return Seen(Stage.LOST, f"node {node} was shut down")
    if word in ("OutOfcpu", "OutOfmemory", "OutOfpods", "NodeAffinity", "UnexpectedAdmissionError"):
        return Seen(Stage.LOST, f"node {node} did not take it: {_short(message or word)}")
    return _disrupted(status, node)


def _disrupted(status: dict[str, Any], node: str) -> Seen | None:
    for condition in status.get("conditions", []):
        if condition.get("type") != "DisruptionTarget" or condition.get("status") != "True":
            continue
        word, message = condition.get("reason", ""), _short(condition.get("message", ""))
        if word == "DeletionByTaintManager":
            return Seen(Stage.LOST, f"node {node} does not answer any more, or was emptied")
        if word == "PreemptionByScheduler":
            return Seen(Stage.LOST, "it had to make room for a pod of higher priority")
        return Seen(Stage.LOST, f"the cluster took its pod away: {message or word}")
    return None


def _waiting(status: dict[str, Any], waiting: dict[str, Any], ip: str | None) -> Seen:
    checkout = _container(status.get("initContainerStatuses"), CHECKOUT).get("state", {})
    sidecar = _container(status.get("initContainerStatuses"), COLLECTOR)
    collector = sidecar.get("state", {})
    ended = checkout.get("terminated")
    if ended is not None and ended.get("exitCode") != 0:
        said = _short(ended.get("message") or f"it ended with exit code {ended.get('exitCode')}")
        return Seen(Stage.FAILED, f"the project could not be fetched: {said}")
    for state in (waiting, checkout.get("waiting", {}), collector.get("waiting", {})):
        seen = _stuck(state, ip)
        if seen is not None:
            return seen
    if "terminated" in collector and sidecar.get("restartCount"):
        # Between two tries while `checkout` runs it stands like this, and not in a back-off.
        return Seen(Stage.WAITING, _NO_COLLECTOR, stuck=True, ip=ip)
    if status.get("phase") == "Failed":
        said = status.get("message") or status.get("reason") or "no reason was given"
        return Seen(Stage.FAILED, f"its pod failed: {_short(said)}")
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Seen(Stage.WAITING, _unscheduled(condition.get("message", "")))
    if "running" in checkout:
        return Seen(Stage.WAITING, "fetching the project's code", ip=ip)
    return Seen(Stage.WAITING, "its pod is being made", ip=ip)


def _stuck(waiting: dict[str, Any], ip: str | None) -> Seen | None:
    """Say why a container does not start; None when it merely has not yet."""
    word, message = waiting.get("reason", ""), waiting.get("message", "")
    if word in _PULL_NEVER:
        return Seen(Stage.WAITING, f"image pull: {_short(message or word)}", hopeless=True)
    if word in _PULL:
        if _NO_IMAGE.search(message):
            return Seen(Stage.WAITING, f"image pull: no such image: {_short(message)}", stuck=True)
        if _NO_ACCESS.search(message):
            text = f"image pull: access refused: {_short(message)}"
            return Seen(Stage.WAITING, text, stuck=True)
        return Seen(Stage.WAITING, f"image pull: {_short(message or word)}", stuck=True)
    if word in _CREATE:
        return Seen(Stage.WAITING, f"its container cannot be made: {_short(message)}", stuck=True)
    if word == "CrashLoopBackOff":
        return Seen(Stage.WAITING, _NO_COLLECTOR, stuck=True, ip=ip)
    return None


def _unscheduled(message: str) -> str:
    if "PersistentVolumeClaim" in message or "persistentvolumeclaim" in message:
        return f"its volume is not there yet: {_short(message)}"
    return f"no node has room for it: {_short(message)}" if message else "waiting for a node"


def _short(text: str, most: int = 400) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 4] + " ..."


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

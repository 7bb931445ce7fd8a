"""What is made, changed and deleted in the cluster for a run: a few verbs on a few kinds.

Owns the paths of the API and the words for its refusals. Called by `runtime`. Every verb may be
repeated: "already there" and "not there" are successes.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from spawners.kubernetes import manifests, names
from spawners.kubernetes.api import MERGE, METADATA, Api, Refusal
from spawners.kubernetes.mirror import PAGE
from spawners.kubernetes.settings import KubernetesSettings
from spawners.runtime import RunEnd, RunKey, RuntimeFailure

_UNITS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "": 1}
_AMOUNT = re.compile(r"([0-9.]+)([A-Za-z]{0,2})")


class Cluster:
    """The namespace of one plane."""

    def __init__(self, api: Api, settings: KubernetesSettings) -> None:
        self._api = api
        self._settings = settings
        space = settings.namespace
        self.pods = f"/api/v1/namespaces/{space}/pods"
        self.secrets = f"/api/v1/namespaces/{space}/secrets"
        self.events = f"/api/v1/namespaces/{space}/events"
        self.services = f"/api/v1/namespaces/{space}/services"
        self.claims = f"/api/v1/namespaces/{space}/persistentvolumeclaims"
        self.jobs = f"/apis/batch/v1/namespaces/{space}/jobs"

    def _at(self, key: RunKey, session: bool) -> str:
        """The path of what a run is in the cluster: a Job, or of a session the pod itself."""
        return f"{self.pods if session else self.jobs}/{names.name(key)}"

    async def create(
        self, secret: dict[str, Any], main: dict[str, Any], claim: dict[str, Any] | None = None
    ) -> None:
        """Make a run's Secret and its Job or pod, and let the one go with the other.

        The Secret first: a pod whose Secret is not there waits for the kubelet's next look. The
        claim of a volume is there already but for the first time, and stays in any case.
        Raises Refusal with nothing else left, `api.Unreachable` with what it got to.
        """
        name, kind = main["metadata"]["name"], main["kind"]
        try:
            if claim is not None:
                await self._put(self.claims, claim)
            await self._put(self.secrets, secret)
            made = await self._put(self.jobs if kind == "Job" else self.pods, main)
        except Refusal:
            await self._drop(f"{self.secrets}/{name}")
            raise
        owner = {"apiVersion": main["apiVersion"], "kind": kind, "name": name}
        owner["uid"] = made["metadata"]["uid"]
        body = {"metadata": {"ownerReferences": [owner]}}
        await self._api.call("PATCH", f"{self.secrets}/{name}", body, kind=MERGE)

    async def serve(self, service: dict[str, Any]) -> str:
        """Make a session's Service and give its address in the cluster."""
        made = await self._put(self.services, service)
        ip = str(made["spec"]["clusterIP"])
        return f"[{ip}]" if ":" in ip else ip

    async def _put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object, or return the one that an earlier try has made."""
        try:
            return await self._api.call("POST", path, body)
        except Refusal as error:
            if error.reason != "AlreadyExists":
                raise
        name = body["metadata"]["name"]
        if path == self.secrets:  # of a try that was cut off: its key is not known to us
            return await self._api.call("PUT", f"{path}/{name}", body)
        return await self._api.call("GET", f"{path}/{name}")

    async def _drop(self, path: str, **options: object) -> None:
        try:
            await self._api.call("DELETE", path, options)
        except Refusal as error:
            if error.status not in (404, 409):
                raise

    async def delete(self, key: RunKey, session: bool) -> None:
        """Delete a run's Job or pod; what belongs to it goes with it, by the cluster's own hand."""
        await self._drop(self._at(key, session), propagationPolicy="Background")

    async def delete_pod(self, pod: str, grace: int) -> None:
        """Delete a pod; with a grace of 0 also one whose node does not answer."""
        await self._drop(f"{self.pods}/{pod}", gracePeriodSeconds=grace)

    async def note_stop(self, key: RunKey, session: bool, end: RunEnd) -> None:
        """Write down in the cluster how a run was asked to end, for the agent after us."""
        body = {"metadata": {"annotations": {names.STOP: str(end)}}}
        try:
            await self._api.call("PATCH", self._at(key, session), body, kind=MERGE)
        except Refusal as error:
            if error.status != 404:
                raise

    async def opens(self, key: RunKey) -> str:
        """Read the key of a run's collector. Refusal, `api.Unreachable`."""
        found = await self._api.call("GET", f"{self.secrets}/{names.name(key)}")
        part = json.loads(base64.b64decode(found["data"][manifests.COLLECTOR]))
        return str(part["key"])

    async def orphans(self, known: set[str]) -> list[str]:
        """Names of Secrets of ours whose run is not among the names that are known."""
        mine = [one["name"] async for one in self._abouts(self.secrets)]
        return [name for name in mine if name not in known]

    async def _abouts(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """Read the metadata of what is ours of a kind, page by page and without the rest of it."""
        params = {"labelSelector": names.selector(self._settings.plane), "limit": str(PAGE)}
        while True:
            page = await self._api.call("GET", path, params=params, accept=METADATA)
            for one in page["items"] or []:  # null where there are none
                yield one["metadata"]
            more = page["metadata"].get("continue")
            if not more:
                return
            params["continue"] = more

    async def sweep_claims(self, stay: set[str], before: datetime) -> list[str]:
        """Delete the claims of volumes that need not stay and were made before; give their ids."""
        gone = []
        async for one in self._abouts(self.claims):
            volume = one.get("labels", {}).get(names.VOLUME, "")
            old = datetime.fromisoformat(one["creationTimestamp"]) < before
            if volume and volume not in stay and old and "deletionTimestamp" not in one:
                await self._drop(f"{self.claims}/{one['name']}")
                gone.append(volume)
        return gone

    async def drop_orphan(self, name: str) -> None:
        """Delete a Secret that an agent left behind when it was killed."""
        await self._drop(f"{self.secrets}/{name}")

    async def nodes(self) -> tuple[float, int, int]:
        """Cores, bytes and gpus that the cluster's nodes can give. Refusal."""
        cpu, memory, gpu = 0.0, 0, 0
        for node in (await self._api.call("GET", "/api/v1/nodes"))["items"]:
            if node.get("spec", {}).get("unschedulable"):
                continue
            has = node.get("status", {}).get("allocatable", {})
            cpu += amount(has.get("cpu", "0"))
            memory += int(amount(has.get("memory", "0")))
            gpu += sum(int(amount(v)) for k, v in has.items() if k.endswith("/gpu"))
        return cpu, memory, gpu


def amount(text: str) -> float:
    """Read a quantity of Kubernetes: `1500m`, `2Gi`, `4`. ValueError."""
    found = _AMOUNT.fullmatch(text)
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"not a quantity: {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def refused(error: Refusal, namespace: str) -> RuntimeFailure:
    """Put a refusal to make a run's objects into words for a person."""
    said = " ".join(error.message.split())[:400]
    if "exceeded quota" in said:
        return RuntimeFailure(f"the quota of the plane is used up: {said}")
    if error.status == 404:
        return RuntimeFailure(f"namespace {namespace} is not in the cluster")
    if error.status == 403 and "being terminated" in said:
        return RuntimeFailure(f"namespace {namespace} is being deleted")
    if error.status in (401, 403):
        return RuntimeFailure(f"the cluster does not allow it to this plane's agent: {said}")
    return RuntimeFailure(f"the cluster refused it: {said}")


def wish(end: RunEnd, grace: float) -> Mapping[str, object]:
    """What the shim is told about an end that was asked for."""
    reason = {RunEnd.STOPPED: "stopped", RunEnd.TIME_LIMIT: "time limit reached"}
    return {"end": str(end), "grace": max(0.0, grace), "reason": reason.get(end, str(end))}

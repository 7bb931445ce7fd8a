"""Figures of runs as pods beside plain kubectl, on the cluster that KUBECONFIG names.

By hand: `python -m tests.kubernetes.figures [ROUNDS] [JOBS]`, with the images that `place` names.
Start delay: from the order to the program's container having started, beside the same pod made by
`kubectl create` (the same manifest, without its Job). Throughput: so many no-op jobs at once, from
the first order to the last final report, beside as many Jobs by one `kubectl create`, to the last
one complete. Times of containers are whole seconds of the kubelet's, so starts are seen by polling.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from services.planes.protocol import LimitsOrder, Outcome
from tests.kubernetes.place import IMAGE, PodPlane, RealPlace
from tests.planes.agent.conftest import make_order
from tests.planes.agent.control import Control
from tests.planes.agent.gitserver import GitServer

TINY = LimitsOrder(cpu=0.01, memory=64 << 20)


async def kubectl(place: RealPlace, *objects: dict[str, Any]) -> None:
    """Create objects by one call of kubectl."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    words = ("kubectl", "create", "--validate=false", "--namespace", place.namespace, "-f", "-")
    made = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    await made.communicate(text.encode())
    assert made.returncode == 0


async def running(place: RealPlace, name: str) -> None:
    """Wait until the container of the program runs or has run in the pod of that name."""
    while True:
        for pod in await place.list("pods"):
            statuses = pod["status"].get("containerStatuses", [])
            mine = pod["metadata"]["name"].startswith(name)
            if mine and any("waiting" not in one["state"] for one in statuses):
                return
        await asyncio.sleep(0.02)


async def starts(control: Control, place: RealPlace, commit: str, rounds: int) -> None:
    """Measure the start of one pod, ours and kubectl's in turn."""
    ours, theirs = [], []
    for number in range(rounds):
        began = time.monotonic()
        await control.run(f"s{number}", make_order(commit, argv=["sleep", "2"], limits=TINY))
        await running(place, f"smalti-s{number}")
        ours.append(time.monotonic() - began)
        [pod] = [p for p in await place.list("pods") if "ownerReferences" in p["metadata"]][-1:]
        name = f"plain-{number}"
        secret = (await place.list("secrets"))[-1]
        secret["metadata"] = {"name": f"{name}-order"}
        spec = {k: v for k, v in pod["spec"].items() if k not in ("nodeName", "serviceAccountName")}
        text = json.dumps(spec).replace(f"smalti-s{number}-1", f"{name}-order")
        plain = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
        secret |= {"apiVersion": "v1", "kind": "Secret"}
        await control.final(f"s{number}", timeout=120)
        began = time.monotonic()
        await kubectl(place, secret, {**plain, "spec": json.loads(text)})
        await running(place, name)
        theirs.append(time.monotonic() - began)
        await place.api.call("DELETE", f"{place.path('pods')}/{name}", {"gracePeriodSeconds": 0})
    told("start of a pod, smalti (s)", ours)
    told("start of a pod, kubectl (s)", theirs)
    print(f"later by {statistics.median(ours) - statistics.median(theirs):.2f} s (wanted: 0.3)")


async def many(control: Control, place: RealPlace, commit: str, count: int) -> None:
    """Measure many no-op jobs at once, ours and kubectl's."""
    began = time.monotonic()
    for number in range(count):
        await control.run(f"m{number}", make_order(commit, argv=["true"], limits=TINY))
    finals = [await control.final(f"m{number}", timeout=1800) for number in range(count)]
    ours = count / (time.monotonic() - began)
    lost = sum(final.outcome is not Outcome.SUCCEEDED for final in finals)
    container = {"name": "run", "image": IMAGE, "command": ["true"]}
    container["resources"] = {"requests": {"cpu": "10m", "memory": "64Mi"},
                              "limits": {"cpu": "10m", "memory": "64Mi"}}  # fmt: skip
    closed = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container["securityContext"] = closed
    pod = {"containers": [container], "restartPolicy": "Never"}
    pod["securityContext"] = {"runAsNonRoot": True, "runAsUser": 1000,
                              "seccompProfile": {"type": "RuntimeDefault"}}  # fmt: skip
    jobs = [
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": f"plain-{number}"},
         "spec": {"template": {"spec": pod}}}
        for number in range(count)
    ]  # fmt: skip
    began = time.monotonic()
    await kubectl(place, *jobs)
    while True:
        found = [one for one in await place.list("jobs") if one["metadata"]["name"][:5] == "plain"]
        if sum(one["status"].get("succeeded", 0) for one in found) == count:
            break
        await asyncio.sleep(0.2)
    theirs = count / (time.monotonic() - began)
    print(f"{count} no-op jobs: smalti {ours:.2f}/s, {lost} lost; kubectl {theirs:.2f}/s")
    print(f"ratio {ours / theirs:.2f} (wanted: 5/s, or 0.8 of kubectl's)")


def told(what: str, seconds: list[float]) -> None:
    """Print a row."""
    middle = statistics.median(seconds)
    print(
        f"{what}: median {middle:.2f}, {min(seconds):.2f} to {max(seconds):.2f}, n={len(seconds)}"
    )


async def main(rounds: int, count: int) -> None:
    """Measure both, in a namespace of their own."""
    print(f"load average at the beginning: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        repositories = Path(folder, "repositories")
        repositories.mkdir()
        git = GitServer(repositories)
        control = Control(git)
        await control.start()
        git.create("proj")
        commit = git.commit("proj", {"main.py": b"print('hello')\n"})
        async with RealPlace(control) as place:
            plane = PodPlane(Path(folder), control, place)
            plane.start(collect_patience=600.0)
            await starts(control, place, commit, rounds)
            await many(control, place, commit, count)
            await plane.end()
        await control.stop()


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*(given + [5, 200][len(given) :])))

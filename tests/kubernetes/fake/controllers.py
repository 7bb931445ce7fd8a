"""The fake cluster's Job controller and kubelet.

The kubelet runs the containers of a pod as processes of this machine: the orders in its Secret
name folders below /smalti, which become folders of the test's.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from tests.instance import REPOSITORY
from tests.kubernetes.fake.server import Object, Refused, Store, now


class JobController:
    """Makes the one pod of each Job, and says of a Job how its pod ended."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.listeners.append(self._hear)

    def _hear(self, event: str, kind: str, one: Object) -> None:
        loop = asyncio.get_running_loop()
        if kind == "jobs" and event == "ADDED":
            loop.call_soon(self._make, one)
        elif kind == "pods" and (event == "DELETED" or one["status"]["phase"] == "Failed"):
            loop.call_soon(self._fail, one)

    def _make(self, job: Object) -> None:
        meta, template = job["metadata"], job["spec"]["template"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
        pod = {
            "metadata": {
                **template["metadata"],
                "generateName": meta["name"] + "-",
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": dict(template["spec"]),
        }
        try:
            self.store.create("pods", meta["namespace"], pod)
        except Refused as error:
            about = {"kind": "Job", "name": meta["name"], "namespace": meta["namespace"]}
            event = {"metadata": {"generateName": "event-"}, "involvedObject": about}
            event |= {"type": "Warning", "reason": "FailedCreate"}
            event["message"] = f"Error creating: {error}"
            self.store.create("events", meta["namespace"], event)

    def _fail(self, pod: Object) -> None:
        owners = pod["metadata"].get("ownerReferences", [])
        if not owners:  # a session's
            return
        condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
        condition["message"] = "Job has reached the specified backoff limit"
        with contextlib.suppress(Refused):
            space, name = pod["metadata"]["namespace"], owners[0]["name"]
            if (space, name) in self.store.objects["jobs"]:
                change = {"status": {"failed": 1, "conditions": [condition]}}
                self.store.patch("jobs", space, name, change)


class Kubelet:
    """Runs pods on the one node. `images` can be pulled; `cores` are what it has in all."""

    _addresses = itertools.count(2)

    def __init__(self, store: Store, folder: Path, images: set[str], cores: float = 64.0) -> None:
        self.store, self.folder, self.images, self.cores = store, folder, images, cores
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.started: list[str] = []  # orders of runs that were really started
        self._deletions: dict[str, asyncio.Event] = {}
        self.addresses: dict[str, str] = {}  # of pods, by uid; a Service has that of its pod
        store.listeners.append(self._hear)

    def _hear(self, event: str, kind: str, one: Object) -> None:
        if kind == "persistentvolumeclaims" and event == "DELETED":
            shutil.rmtree(self.folder / "volumes" / one["metadata"]["name"], ignore_errors=True)
        if kind == "services" and event == "ADDED":
            owner = one["metadata"]["ownerReferences"][0]["uid"]
            change = {"spec": {"clusterIP": self.addresses[owner]}}
            self.store.patch(
                "services", one["metadata"]["namespace"], one["metadata"]["name"], change
            )
        if kind != "pods":
            return
        uid = one["metadata"]["uid"]
        if event == "ADDED":
            self._deletions[uid] = asyncio.Event()
            self.addresses[uid] = f"127.0.{next(self._addresses)}.1"
            self.tasks[uid] = asyncio.get_running_loop().create_task(self._run(one))
        elif "deletionTimestamp" in one["metadata"] and uid in self._deletions:
            self._deletions[uid].set()
            if self.tasks[uid].done():  # nothing of it runs: it goes at once
                asyncio.get_running_loop().call_soon(self._drop, one["metadata"])
        elif event == "DELETED" and uid in self.tasks:
            self.tasks[uid].cancel()

    async def lose(self, pod: Object) -> None:
        """Play the loss of the node: its processes end, and the cluster gives the pod up."""
        meta = pod["metadata"]
        self._deletions.pop(meta["uid"])
        self.tasks[meta["uid"]].cancel()
        await asyncio.gather(self.tasks[meta["uid"]], return_exceptions=True)
        condition = {"type": "DisruptionTarget", "status": "True"}
        condition |= {"reason": "DeletionByTaintManager", "message": "Taint manager: deleting"}
        change = {"metadata": {"deletionTimestamp": now(), "deletionGracePeriodSeconds": 600}}
        change["status"] = {"conditions": [condition]}
        self.store.patch("pods", meta["namespace"], meta["name"], change)

    def _claim(self, pod: Object) -> str | None:
        """The claim that a pod uses, which must be there."""
        for volume in pod["spec"]["volumes"]:
            if "persistentVolumeClaim" in volume:
                name: str = volume["persistentVolumeClaim"]["claimName"]
                self.store.find("persistentvolumeclaims", pod["metadata"]["namespace"], name)
                return name
        return None

    def _drop(self, meta: Object) -> None:
        with contextlib.suppress(Refused):  # gone meanwhile
            self.store.delete("pods", meta["namespace"], meta["name"], 0)

    async def stop(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    def _status(self, pod: Object, **change: Any) -> None:
        meta = pod["metadata"]
        with contextlib.suppress(Refused):
            self.store.patch("pods", meta["namespace"], meta["name"], {"status": change})

    async def _run(self, pod: Object) -> None:
        spec, meta = pod["spec"], pod["metadata"]
        wanted = spec["containers"][0]["resources"]["requests"]["cpu"]
        if float(wanted.rstrip("m")) / 1000 > self.cores:
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
            condition["message"] = "0/1 nodes are available: 1 Insufficient cpu."
            return self._status(pod, conditions=[condition])
        self.store.patch("pods", meta["namespace"], meta["name"], {"spec": {"nodeName": "node1"}})
        images = [one["image"] for one in (*spec["initContainers"], *spec["containers"])]
        missing = next((image for image in images if image not in self.images), None)
        if missing is not None:
            said = f'failed to pull image "{missing}": not found'
            waiting = {"reason": "ErrImagePull", "message": said}
            return self._status(pod, containerStatuses=[_waiting("run", waiting)])
        machine = _Machine(self.folder, meta["uid"], self.addresses[meta["uid"]])
        machine.mount(self._claim(pod))
        try:
            await self._live(pod, machine)
        finally:
            machine.kill()
            shutil.rmtree(machine.root, ignore_errors=True)

    async def _live(self, pod: Object, machine: _Machine) -> None:
        meta = pod["metadata"]
        name = pod["spec"]["volumes"][3]["secret"]["secretName"]
        machine.furnish(self.store.find("secrets", meta["namespace"], name))
        collector = await machine.start("collector", "spawners.kubernetes.inside.collector")
        checkout = await machine.start("checkout", "tests.kubernetes.fake.checkout")
        ip = {"podIP": machine.ip, "phase": "Pending"}
        going = [_running("collector"), _running("checkout")]
        self._status(pod, **ip, initContainerStatuses=going)
        code = await checkout.wait()
        ended = _terminated("checkout", code, message=machine.last_words())
        if code:
            self._status(pod, phase="Failed", initContainerStatuses=[going[0], ended])
        else:
            run = await machine.start_run()
            self.started.append(name)
            self._status(
                pod,
                phase="Running",
                initContainerStatuses=[going[0], ended],
                containerStatuses=[_running("run")],
            )
            await self._until_over(pod, run, collector)
        if self._deletions[meta["uid"]].is_set():
            with contextlib.suppress(Refused):
                self.store.delete("pods", meta["namespace"], meta["name"], 0)

    async def _until_over(self, pod: Object, run: Any, collector: Any) -> None:
        deleted = asyncio.create_task(self._deletions[pod["metadata"]["uid"]].wait())
        over = asyncio.create_task(run.wait())
        await asyncio.wait({deleted, over}, return_when=asyncio.FIRST_COMPLETED)
        if not over.done():
            run.send_signal(signal.SIGTERM)
        code = await over
        deleted.cancel()
        said = _terminated("run", code if code >= 0 else 128 - code)
        self._status(pod, containerStatuses=[said])
        collector.send_signal(signal.SIGTERM)
        await collector.wait()
        self._status(pod, phase="Failed" if code else "Succeeded")


class _Machine:
    """The folders and processes of one pod."""

    def __init__(self, folder: Path, uid: str, ip: str) -> None:
        self.root, self.ip = folder / uid, ip
        self._volumes = folder / "volumes"
        self._processes: list[asyncio.subprocess.Process] = []

    def mount(self, claim: str | None) -> None:
        """Show a claim's folder, which outlives the pod, as the pod's volume."""
        self.root.mkdir(parents=True)
        if claim is not None:
            (self._volumes / claim).mkdir(parents=True, exist_ok=True)
            (self.root / "volume").symlink_to(self._volumes / claim)

    def furnish(self, secret: Object) -> None:
        """Make the volumes, with the orders rewritten to where they are."""
        for name in ("order", "work", "tools", "tmp"):
            (self.root / name).mkdir()
        for part, data in secret["data"].items():
            text = base64.b64decode(data).decode()
            text = text.replace("/smalti/", f"{self.root}/").replace("//0.0.0.0:", f"//{self.ip}:")
            order = json.loads(text)
            if part != "run":
                order["host"] = self.ip
            if part == "run":
                order["env"]["TMPDIR"] = str(self.root / "tmp")
                order["env"]["PATH"] = os.environ["PATH"]
                order["disk_folders"][3] = str(self.root / "tmp")
            (self.root / "order" / part).write_text(json.dumps(order))

    async def start(self, part: str, module: str) -> asyncio.subprocess.Process:
        return await self._process(sys.executable, "-m", module, str(self.root / "order" / part))

    async def start_run(self) -> asyncio.subprocess.Process:
        program = str(self.root / "tools" / "start.py")
        order = str(self.root / "order" / "run")
        return await self._process(sys.executable, "-I", "-S", program, order)

    async def _process(self, *arguments: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "SMALTI_FAKE_TERMINATION": str(self.root / "termination")}
        made = await asyncio.create_subprocess_exec(
            *arguments, cwd=REPOSITORY, env=environment, stdin=asyncio.subprocess.DEVNULL
        )
        self._processes.append(made)
        return made

    def last_words(self) -> str:
        file = self.root / "termination"
        return file.read_text() if file.exists() else ""

    def kill(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()


def _waiting(name: str, state: Object) -> Object:
    return {"name": name, "state": {"waiting": state}}


def _running(name: str) -> Object:
    return {"name": name, "state": {"running": {"startedAt": now()}}}


def _terminated(name: str, code: int, message: str = "") -> Object:
    state = {"exitCode": code, "reason": "Error" if code else "Completed", "message": message}
    times = {"startedAt": now(), "finishedAt": now()}
    return {"name": name, "state": {"terminated": {**state, **times}}}

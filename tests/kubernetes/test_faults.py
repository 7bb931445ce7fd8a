"""What a cluster does to runs and to its watchers, on one where all can be ordered."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.planes.protocol import Outcome
from spawners.kubernetes import names
from spawners.kubernetes.api import Api
from spawners.runtime import RunKey, RunPhase, RunState, RuntimeFailure
from tests.instance import REPOSITORY
from tests.kubernetes.fake.server import Refused
from tests.kubernetes.place import FakePlace, PodPlane
from tests.kubernetes.specs import PLAIN
from tests.planes.agent.conftest import make_order, until
from tests.planes.agent.control import Control

pytestmark = pytest.mark.timeout(240)
POD_MOST = 150 << 20


@pytest.fixture
def plane(tmp_path: Path, control: Control, fake: FakePlace) -> PodPlane:
    return PodPlane(tmp_path, control, fake)


def refuse_pods(fake: FakePlace, message: str) -> None:
    def admit(kind: str, one: dict[str, Any]) -> None:
        if kind == "pods":
            raise Refused(403, "Forbidden", message)

    fake.store.admit = admit


async def test_a_used_up_quota_is_told_while_it_waits(
    control: Control, fake: FakePlace, plane: PodPlane, commit: str
) -> None:
    text = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0'
    refuse_pods(fake, text)
    plane.start()
    await control.run("w1", make_order(commit))

    def told() -> bool:
        report = control.reports.get(("w1", 1))
        return report is not None and "the quota of the plane is used up" in (report.reason or "")

    await control.until(told)
    await control.stop_run("w1")
    assert (await control.final("w1")).outcome is Outcome.STOPPED
    await fake.until_empty()
    await plane.end()


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (403, "jobs is forbidden: User x cannot create", "does not allow it to this plane's agent"),
        (404, "namespaces not found", "is not in the cluster"),
        (403, "unable to create: it is being terminated", "is being deleted"),
        (403, "exceeded quota: small, requested: count/jobs.batch=1", "the quota of the plane"),
    ],
)
async def test_a_job_that_is_refused_is_one_clear_message_with_nothing_left(
    fake: FakePlace, status: int, message: str, words: str
) -> None:
    def admit(kind: str, one: dict[str, Any]) -> None:
        if kind == "jobs":
            raise Refused(status, "Forbidden", message)

    fake.store.admit = admit
    runtime = fake.runtime()
    await runtime.open()
    with pytest.raises(RuntimeFailure, match=words):
        await runtime.start(PLAIN)
    assert runtime.states() == []
    assert await fake.left() == []
    await runtime.close()


async def test_a_cluster_that_is_away_is_asked_again(fake: FakePlace) -> None:
    runtime = fake.runtime()
    await runtime.open()
    fake.kubelet.cores = 0.0
    fake.server.away = True
    starting = asyncio.create_task(runtime.start(PLAIN))
    await until(lambda: fake.server.requests[-1:] == [("POST", fake.path("secrets"))])
    fake.server.away = False
    await starting
    assert len(fake.store.objects["jobs"]) == 1
    await runtime.close()


async def test_a_lost_node_is_told_and_its_pod_is_let_go(
    control: Control, fake: FakePlace, plane: PodPlane, commit: str
) -> None:
    plane.start()
    code = "import time; print('there', flush=True); time.sleep(600)"
    await control.run("w1", make_order(commit, argv=["python", "-c", code]))
    await control.until(lambda: b"there" in control.log("w1"), timeout=60)
    await fake.kubelet.lose(await fake.pod())
    final = await control.final("w1", timeout=60)
    assert (final.outcome, final.retryable) == (Outcome.ERROR, True)
    assert "node node1 does not answer any more" in str(final.reason)
    await fake.until_empty()
    await plane.end()


async def settled(runtime: Any, key: RunKey) -> RunState:
    await until(lambda: runtime.state(key).phase in (RunPhase.EXITED, RunPhase.LOST), 30)
    found: RunState = runtime.state(key)
    return found


@pytest.mark.parametrize("forgets", [False, True])
async def test_what_happens_while_a_watch_is_cut_is_heard_afterwards(
    fake: FakePlace, forgets: bool
) -> None:
    runtime = fake.runtime()
    await runtime.open()
    fake.kubelet.cores = 0.0
    await runtime.start(PLAIN)
    await until(lambda: runtime.state(PLAIN.key).reason not in (None, "its pod is being made"))
    fake.server.away = True
    await fake.server.cut()
    [(space, name)] = fake.store.objects["pods"]
    fake.store.delete("pods", space, name, 0)
    if forgets:
        fake.store.forget()
    fake.server.away = False
    state = await settled(runtime, PLAIN.key)
    assert (state.phase, state.reason) == (RunPhase.LOST, "its pod was deleted")
    await runtime.remove(PLAIN.key)
    assert await fake.left() == []
    await runtime.close()


async def test_a_secret_that_a_killed_agent_left_is_swept(fake: FakePlace) -> None:
    labels = names.labels(PLAIN.key, "plane-1")
    ours = {"metadata": {"name": names.name(PLAIN.key), "labels": labels}}
    fake.store.create("secrets", fake.namespace, ours)
    fake.store.create("secrets", fake.namespace, {"metadata": {"name": "somebody-elses"}})
    runtime = fake.runtime()
    await runtime.open()
    assert await fake.left() == ["secrets/somebody-elses"]
    await runtime.close()


async def test_one_list_and_one_watch_for_each_kind_whatever_the_number_of_runs(
    control: Control, fake: FakePlace, plane: PodPlane, commit: str
) -> None:
    runtime = plane.start()
    for number in range(3):
        await control.run(f"w{number}", make_order(commit, argv=["echo", "x"]))
    for number in range(3):
        await control.final(f"w{number}", timeout=60)
    asked = [path for what, path in fake.server.requests if what == "watch"]
    assert sorted(asked) == sorted({fake.path(kind) for kind in ("jobs", "pods", "events")})
    assert [mirror.lists for mirror in runtime.mirrors] == [1, 1, 1]
    pods = [path for _, path in fake.server.requests if f"{fake.path('pods')}/" in path]
    assert pods == []
    await plane.end()


async def test_an_agent_of_5000_pods_fits_into_150_megabytes(fake: FakePlace) -> None:
    await fake.kubelet.stop()
    fake.store.listeners.clear()  # nobody runs these pods
    big = {"field": "x" * 4000}
    for number in range(5000):
        labels = names.labels(RunKey(f"w{number}", 1), "plane-1")
        meta = {"name": names.name(RunKey(f"w{number}", 1)), "labels": labels, "managedFields": big}
        fake.store.create("jobs", fake.namespace, {"metadata": meta, "spec": {}})
        running = [{"name": "run", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]
        status = {"phase": "Running", "podIP": "127.0.0.1", "containerStatuses": running}
        pod = {"metadata": {**meta, "name": f"{meta['name']}-x"}, "spec": {}, "status": status}
        fake.store.create("pods", fake.namespace, pod)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kubernetes.adopting", fake.server.url, fake.namespace),
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
    )
    out, _ = await process.communicate()
    adopted, resident = map(int, out.split())
    assert adopted == 5000
    assert resident < POD_MOST, f"{resident >> 20} MiB"


async def test_kubectl_reads_and_deletes_what_is_here(fake: FakePlace, kubectl: str) -> None:
    runtime = fake.runtime()
    await runtime.open()
    fake.kubelet.cores = 0.0
    await runtime.start(PLAIN)
    name = names.name(PLAIN.key)

    async def ask(*words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(kubectl, "--server", fake.server.url, "-n", fake.namespace, *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        return out.decode()

    assert await ask("get", "jobs", "-o", "name") == f"job.batch/{name}\n"
    assert name in await ask("get", "pods", "-l", f"smalti.org/workload={PLAIN.key.workload_id}")
    assert "smalti.org/attempt" in await ask("get", "secret", name, "-o", "yaml")
    await ask("delete", "job", name, "--wait=false")
    state = await settled(runtime, PLAIN.key)
    assert state.phase is RunPhase.LOST
    await fake.until_empty()
    await runtime.close()


async def test_the_api_is_spoken_to_in_its_own_words(fake: FakePlace) -> None:
    """A page at a time, and nothing of a kind that was not asked for."""
    for number in range(7):
        fake.store.create("secrets", fake.namespace, {"metadata": {"name": f"s{number}"}})
    api = Api(fake.access)
    page = await api.call("GET", fake.path("secrets"), params={"limit": "5"})
    assert len(page["items"]) == 5
    rest = {"limit": "5", "continue": page["metadata"]["continue"]}
    assert len((await api.call("GET", fake.path("secrets"), params=rest))["items"]) == 2
    await api.close()

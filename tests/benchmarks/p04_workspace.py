"""P4: a new workspace from POST to an answering JupyterLab, beside a plain JupyterHub.

Both start the same JupyterLab of the tools' environment and are asked in turn. Ready is what a
person sees: the server's own API answers through the front door. Ours makes the workspace, checks
the project out and puts it into its sandbox on the way.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import httpx

from tests.benchmarks.cpu import Meter
from tests.benchmarks.plain_hub import PlainHub, node_proxy, wait_for_page
from tests.benchmarks.platform_use import make_project, settle
from tests.benchmarks.rows import Row, median_ratio
from tests.e2e.lab import READY, Lab, tools_are_built
from tests.instance import Instance

ROUNDS = 7
EVERY = 0.02
MOST = 1.15


def run(smalti: Instance, _: Meter) -> list[Row]:
    """Measure with JupyterHub's own proxy as the peer, and with Traefik for comparison."""
    settle(smalti)
    tools_are_built(smalti)
    tools = smalti.home / "environments" / ".tools" / "1" / "bin" / "jupyterhub-singleuser"
    mine, node, traefik = [], [], []
    with (
        tempfile.TemporaryDirectory() as first,
        tempfile.TemporaryDirectory() as second,
        PlainHub(Path(first), proxy=node_proxy(), command=tools) as by_node,
        PlainHub(Path(second), command=tools) as by_traefik,
        smalti.client() as client,
    ):
        project_id = make_project(client, "desks")
        for number in range(ROUNDS + 1):
            node.append(_plain(by_node, f"person{number}"))
            traefik.append(_plain(by_traefik, f"person{number}"))
            mine.append(_ours(smalti, client, project_id, f"desk{number}"))
    # The first round warms up.
    return [
        _row("its own proxy", mine[1:], node[1:], MOST),
        _row("Traefik", mine[1:], traefik[1:], None),
    ]


def _row(peer: str, ours: list[float], theirs: list[float], most: float | None) -> Row:
    ratio = median_ratio(ours, theirs)
    must = f"at most {most:g} times: {ratio:.2f}" if most else f"(is {ratio:.2f} times)"
    return Row("P4", f"workspace ready, beside {peer}", f"{statistics.median(ours):.2f} s",
               f"plain JupyterHub: {statistics.median(theirs):.2f} s", must,
               ratio <= most if most else None)  # fmt: skip


def _plain(hub: PlainHub, person: str) -> float:
    with hub.client() as client:
        user = f"/hub/api/users/{person}"
        client.post(user).raise_for_status()
        # As in ours, the person's own token opens the server.
        access = {"scopes": [f"access:servers!user={person}"]}
        token = client.post(f"{user}/tokens", json=access).raise_for_status().json()["token"]
        with httpx.Client(headers={"Authorization": f"token {token}"}) as browser:
            began = time.monotonic()
            assert client.post(f"{user}/servers/desk").status_code in (201, 202)
            wait_for_page(f"{hub.url}/user/{person}/desk/api/status", READY, browser, EVERY)
            taken = time.monotonic() - began
        while client.delete(f"{user}/servers/desk").status_code == 202:
            time.sleep(0.1)
    return taken


def _ours(smalti: Instance, client: httpx.Client, project_id: str, name: str) -> float:
    lab = Lab(smalti, name)
    with httpx.Client(headers=lab.headers) as browser:
        began = time.monotonic()
        made = client.post("/workspaces", json={"project_id": project_id, "name": name})
        assert made.status_code == 201, made.text
        path = f"/workspaces/{made.json()['id']}"
        client.post(f"{path}/start").raise_for_status()
        wait_for_page(f"{smalti.url}{lab.path}/api/status", READY, browser, EVERY)
        taken = time.monotonic() - began
    client.post(f"{path}/stop").raise_for_status()
    smalti.wait(lambda: client.get(path).json()["status"] == "Stopped", 60, "the workspace's end")
    return taken

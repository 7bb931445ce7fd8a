"""P12: the whole embedded stack, idle and starting, beside a plain JupyterHub with its proxy."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.benchmarks.cpu import Meter
from tests.benchmarks.platform_use import descendants, pss, settle
from tests.benchmarks.rows import Row
from tests.instance import Instance, free_port

IDLE_SECONDS = 60
PLAIN = """
c.JupyterHub.bind_url = "http://127.0.0.1:{front}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikProxy.traefik_api_url = "http://127.0.0.1:{api}"
c.TraefikProxy.traefik_api_username = "a"
c.TraefikProxy.traefik_api_password = "b"
c.TraefikFileProviderProxy.dynamic_config_file = "{folder}/rules.toml"
c.TraefikProxy.static_config_file = "{folder}/static.toml"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allow_all = True
"""


class PlainHub:
    """JupyterHub and Traefik as they come."""

    def __init__(self, folder: Path) -> None:
        self.front = free_port()
        text = PLAIN.format(front=self.front, hub=free_port(), api=free_port(), folder=folder)
        (folder / "config.py").write_text(text)
        self.folder = folder

    def start(self) -> float:
        """Start; give the seconds until the login page answers."""
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        command = [sys.executable, "-m", "jupyterhub", "-f", str(self.folder / "config.py")]
        began = time.monotonic()
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, env=environment
            )
        wait_for_page(f"http://127.0.0.1:{self.front}/hub/login")
        return time.monotonic() - began

    def stop(self) -> None:
        """End both; the hub may leave its proxy behind."""
        below = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def wait_for_page(url: str, seconds: float = 60) -> None:
    """Wait until a page answers 200."""
    end_by = time.monotonic() + seconds
    while time.monotonic() < end_by:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{url} did not answer within {seconds:g} s")


def run(smalti: Instance, _: Meter) -> list[Row]:
    """Measure; restarts the instance once."""
    settle(smalti)
    smalti.down()
    began = time.monotonic()
    smalti.up()
    ready = time.monotonic() - began
    settle(smalti)
    with tempfile.TemporaryDirectory() as folder:
        hub = PlainHub(Path(folder))
        hub.start()
        hub.stop()
        plain_ready = hub.start()
        time.sleep(IDLE_SECONDS)
        plain = pss(hub.process.pid) / 1e6
        hub.stop()
    mine = {name: pss(pid) / 1e6 for name, pid in smalti.pids().items() if name != "supervisor"}
    mine["supervisor"] = pss(smalti.pid("supervisor")) / 1e6 - _below(smalti)
    total = sum(mine.values())
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sorted(mine.items()))
    print(f"PSS in MB: {parts}")
    return [
        Row("P12", f"idle {IDLE_SECONDS} s, PSS of all processes", f"{total:.0f} MB",
            f"plain JupyterHub: {plain:.0f} MB", "under 600 MB", total < 600),
        Row("P12", "warm start until all is ready", f"{ready:.1f} s",
            f"plain JupyterHub: {plain_ready:.1f} s", "15 s", ready <= 15),
    ]  # fmt: skip


def _below(smalti: Instance) -> float:
    """PSS in MB of the processes that are counted by themselves and sit below the supervisor."""
    under = set(descendants(smalti.pid("supervisor")))
    counted = [pid for name, pid in smalti.pids().items() if name != "supervisor"]
    return sum(pss(pid) for pid in counted if pid in under) / 1e6

"""A plain JupyterHub as it comes, to be measured beside ours: its proxy, its local spawner."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

from tests.benchmarks.platform_use import descendants
from tests.instance import free_port

# The proxy that JupyterHub takes when it is told nothing.
NODE_PROXY = "configurable-http-proxy@5.3.0"
PEERS = Path(__file__).resolve().parents[2] / "build" / "peers"
COMMON = """
c.JupyterHub.bind_url = "http://127.0.0.1:{front}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.args = ["--allow-root"]
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "bench", "services": ["bench"],
      "scopes": ["admin:users", "admin:servers", "tokens"]}}
]
"""
TRAEFIK = """
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikProxy.traefik_api_url = "http://127.0.0.1:{api}"
c.TraefikProxy.traefik_api_username = "a"
c.TraefikProxy.traefik_api_password = "b"
c.TraefikFileProviderProxy.dynamic_config_file = "{folder}/rules.toml"
c.TraefikProxy.static_config_file = "{folder}/static.toml"
"""
NODE = """
c.ConfigurableHTTPProxy.command = ["{program}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.auth_token = "{token}"
"""


def node_proxy() -> Path:
    """Give JupyterHub's own proxy, fetched once by npm. Raises CalledProcessError, OSError."""
    program = PEERS / "node_modules" / ".bin" / "configurable-http-proxy"
    if not program.exists():
        PEERS.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-save", "--prefix", str(PEERS), NODE_PROXY]
        subprocess.run(command, check=True)
    return program


class PlainHub:
    """JupyterHub with Traefik, or with the `proxy` that is given; `command` starts a server."""

    def __init__(
        self, folder: Path, *, proxy: Path | None = None, command: Path | None = None
    ) -> None:
        self.front, self.token = free_port(), secrets.token_hex(16)
        text = COMMON + (TRAEFIK if proxy is None else NODE)
        if command is not None:
            text += f"c.Spawner.cmd = [{str(command)!r}]\n"
        (folder / "homes").mkdir()
        (folder / "config.py").write_text(
            text.format(front=self.front, hub=free_port(), api=free_port(), folder=folder,
                        program=proxy, token=self.token)
        )  # fmt: skip
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.front}"

    def start(self) -> float:
        """Start; give the seconds until the login page answers."""
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        command = [sys.executable, "-m", "jupyterhub", "-f", str(self.folder / "config.py")]
        began = time.monotonic()
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, env=environment
            )
        wait_for_page(f"{self.url}/hub/login")
        return time.monotonic() - began

    def __enter__(self) -> PlainHub:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            print("\n".join((self.folder / "log").read_text().splitlines()[-40:]))
        self.stop()

    def stop(self) -> None:
        """End it and all below it; the hub may leave its proxy behind."""
        below = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def client(self) -> httpx.Client:
        """Give a client that may start servers and get into them."""
        headers = {"Authorization": f"token {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


def wait_for_page(
    url: str, seconds: float = 60, client: httpx.Client | None = None, every: float = 0.05
) -> None:
    """Wait until a page answers 200, asking again after `every` seconds."""
    ask = client.get if client is not None else httpx.get
    end_by = time.monotonic() + seconds
    while time.monotonic() < end_by:
        with contextlib.suppress(httpx.HTTPError):
            if ask(url, timeout=2).status_code == 200:
                return
        time.sleep(every)
    raise AssertionError(f"{url} did not answer within {seconds:g} s")

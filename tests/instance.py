"""A whole Smalti of its own for a test: real processes, free ports, a temporary state folder.

Used by every end-to-end test, drill and benchmark. It starts and ends Smalti only as a person
does, by `smalti-admin`, and touches nothing that it did not start.

    with Instance(tmp_path) as smalti:
        httpx.get(f"{smalti.api}/projects", headers=smalti.bearer())
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

REPOSITORY = Path(__file__).resolve().parents[1]
SMALTI_ADMIN = Path(sys.executable).with_name("smalti-admin")
# Built once per machine and linked into each instance: a build takes some 10 s.
ENVIRONMENTS = Path(tempfile.gettempdir()) / f"smalti-test-environments-{os.getuid()}"
PREFIX = "/services/smalti"
EVERY_PROCESS = "frontdoor,hub,platform,agent,experiments"


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Instance:
    """One Smalti. Use it as a context manager; on a failure its logs are printed."""

    def __init__(
        self,
        folder: Path,
        *,
        admin: str = "admin",
        password: str | None = "mosaic-of-small-tiles",
        processes: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`password` None: Smalti makes a one-time password itself. `processes`: only these.

        Without `processes`: all but the experiments, whose start takes long.
        """
        self.home = folder / "smalti-home"
        self.admin, self.password = admin, password
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        # Programs connect to the address; glibc does not know *.localhost.
        self.url = f"http://127.0.0.1:{self.port}"
        self.base = f"{self.url}{PREFIX}"
        self.api = f"{self.base}/api/v1"
        self.hub_api = f"{self.url}/hub/api"
        self._tokens: dict[str, str] = {}
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SMALTI_")},
            "SMALTI_HOME": str(self.home),
            "SMALTI_PORT": str(self.port),
            "SMALTI_ENVIRONMENT_CACHE": str(ENVIRONMENTS),
            "SMALTI_EXPERIMENTS": str(int("experiments" in (processes or ""))),
            **({"SMALTI_PROCESSES": processes} if processes else {}),
            **(environment or {}),
        }

    def __enter__(self) -> Instance:
        try:
            self.up()
        except BaseException:
            self.print_logs()
            self.down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.print_logs()
        self.down()
        self.end_runs()
        if kind is None:
            shutil.rmtree(self.home, ignore_errors=True)

    # starting and ending

    def command(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run `smalti-admin` on this instance; `extra` goes into its environment."""
        return subprocess.run(
            [str(SMALTI_ADMIN), *arguments],
            env={**self.environment, **extra},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def up(self) -> str:
        """Start it and wait until all of it is ready; return what was printed."""
        admin = {"SMALTI_ADMIN_USER": self.admin}
        if self.password is not None:
            admin["SMALTI_ADMIN_PASSWORD"] = self.password
        done = self.command("up", "--detach", **admin)
        if done.returncode != 0:
            raise AssertionError(f"smalti-admin up failed: {done.stdout}{done.stderr}")
        return done.stdout

    def down(self) -> None:
        """End the control processes. What runs goes on, as for a person."""
        done = self.command("down")
        if done.returncode != 0:
            raise AssertionError(f"smalti-admin down failed: {done.stdout}{done.stderr}")

    def restart(self) -> None:
        """Down and up again."""
        self.down()
        self.up()

    def status(self) -> dict[str, Any]:
        """Return `smalti-admin status --json`."""
        value: dict[str, Any] = json.loads(self.command("status", "--json").stdout)
        return value

    def ports(self) -> dict[str, int]:
        """Return the ports by process."""
        value: dict[str, int] = json.loads((self.home / "run" / "ports.json").read_text())
        return value

    def pid(self, name: str) -> int:
        """Return the pid of frontdoor, hub, platform, agent or supervisor."""
        value: int = json.loads((self.home / "run" / f"{name}.json").read_text())["pid"]
        return value

    def pids(self) -> dict[str, int]:
        """Return the pids of all processes that are recorded, the supervisor's too."""
        names = (path.stem for path in (self.home / "run").glob("*.json"))
        return {name: self.pid(name) for name in names if name != "ports"}

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to one process, by default -9; return the pid that it had."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def wait_ready(self, name: str, not_pid: int | None = None, seconds: float = 60) -> None:
        """Wait until a process runs and answers, under another pid than `not_pid`."""

        def ready() -> bool:
            rows = {row["name"]: row for row in self.status()["processes"]}
            return rows[name]["state"] == "running" and rows[name]["pid"] != not_pid

        self.wait(ready, seconds, f"{name} to be ready")

    def wait(self, there: Callable[[], bool], seconds: float = 30, what: str = "it") -> None:
        """Wait for a condition; AssertionError when it does not come true in time."""
        end_by = time.monotonic() + seconds
        while not there():
            if time.monotonic() > end_by:
                raise AssertionError(f"waited {seconds:g} s for {what} in vain")
            time.sleep(0.05)

    def end_runs(self) -> None:
        """End what this instance's agent left running: processes that name its state folder."""
        own = str(self.home / "agent")
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.decode(errors="replace").startswith(own) for word in words):
                try:
                    os.kill(int(folder.name), signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def print_logs(self, lines: int = 60) -> None:
        """Print the end of every log, for the report of a failed test."""
        for path in sorted((self.home / "logs").glob("*.log")):
            print(f"===== {path.name}")
            print("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))

    def logs(self) -> str:
        """Return everything that the processes have logged."""
        files = sorted((self.home / "logs").iterdir())
        return "\n".join(path.read_text(errors="replace") for path in files)

    # people

    def token(self, user: str | None = None) -> str:
        """Return a hub token of a person (default: the admin), made once by `smalti-admin`."""
        user = user or self.admin
        if user not in self._tokens:
            done = self.command("token", user)
            if done.returncode != 0:
                raise AssertionError(f"smalti-admin token failed: {done.stderr}")
            self._tokens[user] = done.stdout.strip()
        return self._tokens[user]

    def bearer(self, user: str | None = None) -> dict[str, str]:
        """Return the headers that act for a person."""
        return {"Authorization": f"Bearer {self.token(user)}"}

    def add_person(self, name: str) -> str:
        """Add a person to the hub; return a token of theirs."""
        headers = {"Authorization": f"token {self.token()}"}
        answer = httpx.post(f"{self.hub_api}/users/{name}", headers=headers, timeout=30)
        answer.raise_for_status()
        return self.token(name)

    def client(self, user: str | None = None) -> httpx.Client:
        """Return a client of the API that acts for a person."""
        return httpx.Client(base_url=self.api, headers=self.bearer(user), timeout=60)

    def browse(self) -> httpx.Client:
        """Return a client without a login that keeps cookies, on the main host."""
        return httpx.Client(base_url=self.origin, timeout=30, follow_redirects=False)

    def log_in(
        self, user: str, password: str, client: httpx.Client | None = None
    ) -> httpx.Response:
        """Fill in the login form; return the answer to the form, redirects not followed."""
        client = client or self.browse()
        page = client.get("/hub/login")
        return client.post(
            "/hub/login",
            data={"_xsrf": form_xsrf(page), "username": user, "password": password},
        )


def form_xsrf(page: httpx.Response) -> str:
    """Find the XSRF value of a form of the hub."""
    found = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
    assert found, f"no form on {page.url}: {page.status_code}"
    return found.group(1)

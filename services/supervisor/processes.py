"""The list of processes, as data: what is started, in which order, and when it counts as ready.

Called by the supervisor's loop, `status` and `doctor`. A new process is a new entry here.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.core.settings import has_experiments
from services.supervisor.frontdoor import LOOPBACK, PREFIX
from services.supervisor.home import Home, SupervisorError

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Process:
    """One process of the platform.

    `port` and `path` say where it answers 200 when it is ready. Hub and platform are asked
    through the front door: they are ready when people can reach them.
    """

    name: str
    command: tuple[str, ...]
    port: str | None = None
    path: str = "/"
    # A busy machine may need minutes, and ending what is slow only makes it slower; what has
    # ended is seen at once.
    ready_timeout: float = 300.0
    stop_grace: float = 10.0
    waited_for: bool = True  # False: the login page is shown before it is ready


def processes(home: Home) -> Sequence[Process]:
    """Return the processes in the order of their start; they are ended in reverse.

    SMALTI_PROCESSES names some of them, to run the others by hand (under a debugger, say).
    """
    chosen = os.environ.get("SMALTI_PROCESSES")
    every = _every(home)
    if not has_experiments(os.environ):
        every = tuple(process for process in every if process.name != "experiments")
    if not chosen:
        return every
    names = {name.strip() for name in chosen.split(",")}
    unknown = names - {process.name for process in every}
    if unknown:
        raise SupervisorError(f"SMALTI_PROCESSES names no process of ours: {', '.join(unknown)}.")
    return tuple(process for process in every if process.name in names)


def _every(home: Home) -> Sequence[Process]:
    return (
        Process(
            "frontdoor",
            (_traefik(), f"--configfile={home.path('frontdoor', 'static.yml')}"),
            port="traefik_api",
            path="/ping",
        ),
        Process(
            "hub",
            (
                sys.executable,
                "-m",
                "jupyterhub",
                "-f",
                str(REPOSITORY / "hub_config" / "jupyterhub_config.py"),
            ),
            port="frontdoor",
            path="/hub/health",
        ),
        Process(
            "platform",
            (sys.executable, "-m", "services.platform"),
            port="frontdoor",
            path=f"{PREFIX}/health",
            stop_grace=20.0,
        ),
        Process("agent", (sys.executable, "-m", "services.planes.agent"), stop_grace=20.0),
        Process(
            "experiments",
            (sys.executable, "-m", "services.experiments.gateway"),
            port="experiments",
            path="/services/mlflow/health",
            ready_timeout=120.0,
            waited_for=False,
        ),
    )


def _traefik() -> str:
    path = Path(sysconfig.get_path("scripts")) / "traefik"
    if not path.exists():
        raise SupervisorError(f"Traefik is missing at {path}; `make up` installs it.")
    return str(path)


def answers(process: Process, ports: dict[str, int], timeout: float = 2.0) -> bool:
    """Ask a process whether it is ready. One without a port is ready when it lives."""
    if process.port is None:
        return True
    port = ports[process.port]
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.request("GET", process.path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def child_environment(home: Home) -> dict[str, str]:
    """Build the environment of a process: ours without the admin's password, with our programs."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("SMALTI_ADMIN_USER", "SMALTI_ADMIN_PASSWORD")
    }
    environment["SMALTI_HOME"] = str(home.root)
    environment["PATH"] = os.pathsep.join(
        [sysconfig.get_path("scripts"), environment.get("PATH", os.defpath)]
    )
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def fingerprint(process: Process) -> str:
    """Digest of the command and our code; what runs with another is restarted, not adopted."""
    digest = hashlib.sha256(repr(process.command).encode())
    if process.name != "frontdoor":
        for folder in ("services", "spawners", "hub_config"):
            for file in sorted((REPOSITORY / folder).rglob("*.py")):
                seen = file.stat()
                digest.update(f"{file}:{seen.st_size}:{seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]

"""`smalti-admin run NAME`: one process without a supervisor, as a container runs it.

Called by `cli`. What the supervisor would have made is mounted instead: the secrets, the ports and
the places (`services.core.places`). It makes the folders that are missing, writes the front door's
files, and then becomes the process: signals and the exit status are that process's own.
"""

from __future__ import annotations

import os
from typing import NoReturn

from services.core.places import PlacesError
from services.supervisor import frontdoor
from services.supervisor.home import FOLDERS, SHARED_FOLDERS, Home, SupervisorError, read_json
from services.supervisor.processes import Process, child_environment, processes
from services.supervisor.up import path_only


def become(home: Home, name: str) -> NoReturn:
    """Turn into one process. Raises SupervisorError."""
    process = _process(home, name)
    ports = read_json(home.path("run", "ports.json"))
    if ports is None:
        raise SupervisorError(f"{home.path('run', 'ports.json')} is missing: it names the ports.")
    _make_folders(home)
    if name == "frontdoor":
        _write_routes(home, ports)
    os.chdir(home.root)
    os.execve(process.command[0], process.command, child_environment(home))  # noqa: S606


def _process(home: Home, name: str) -> Process:
    known = {process.name: process for process in processes(home)}
    if name not in known:
        raise SupervisorError(f"There is no process {name}; there are {', '.join(known)}.")
    return known[name]


def _make_folders(home: Home) -> None:
    try:
        for folders, mode in ((FOLDERS, 0o700), (SHARED_FOLDERS, 0o755)):
            for folder in folders:
                home.path(folder).mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise SupervisorError(
            f"The folder {error.filename} cannot be made ({error.strerror}): mount a volume "
            "that this user may write at SMALTI_HOME."
        ) from None


def _write_routes(home: Home, ports: dict[str, int]) -> None:
    try:
        frontdoor.write_files(home, ports, path_only=path_only())
    except PlacesError as error:
        raise SupervisorError(str(error)) from None
    except FileNotFoundError as error:
        raise SupervisorError(f"The front door needs {error.filename}, which is missing.") from None

"""The state folder: where everything is, made with the right modes, locked by one supervisor.

Used by every module of the supervisor. It never decides what is inside the files of others.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = (
    "run",
    "secrets",
    "hub",
    "platform",
    "platform/audit-spool",
    "agent",
    "experiments",
    "frontdoor",
    "frontdoor/routes",
    "logs",
    "backups",
)
SHARED_FOLDERS = ("environments", "environments/default")


class SupervisorError(Exception):
    """One clear sentence for the person at the terminal; `status` is the exit status."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Home:
    """Paths below one `SMALTI_HOME`."""

    root: Path

    def path(self, *parts: str) -> Path:
        """Return a path below the state folder."""
        return self.root.joinpath(*parts)

    def log(self, name: str) -> Path:
        """Return the log file of a process."""
        return self.path("logs", f"{name}.log")

    def make_folders(self) -> None:
        """Create what is missing; everything but environments is for the owner only."""
        for folder in FOLDERS:
            self.path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path("secrets").chmod(0o700)
        for folder in SHARED_FOLDERS:
            self.path(folder).mkdir(parents=True, exist_ok=True, mode=0o755)


def find_home(environment: Mapping[str, str] = os.environ) -> Home:
    """Return the state folder that `SMALTI_HOME` names, or the default."""
    named = environment.get("SMALTI_HOME")
    if named:
        return Home(Path(named).expanduser().absolute())
    return Home(Path("~/.local/share/smalti").expanduser())


def write_private(path: Path, text: str) -> None:
    """Write a file for the owner only, whole or not at all, and keep it through a power cut."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write a small JSON file atomically, mode 0600."""
    write_private(path, json.dumps(value, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None when the file is missing or was never finished."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


class Lock:
    """The flock that says: this supervisor owns this state folder. The kernel frees it at death."""

    def __init__(self, home: Home) -> None:
        self._file = home.path("smalti.lock").open("a+")

    def take(self) -> bool:
        """Try to become the owner; False when another process is."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the folder free for the next supervisor."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._file.close()

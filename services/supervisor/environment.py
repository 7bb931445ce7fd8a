"""The environments that the platform brings: *default* for jobs' code, and the tools of sessions.

Owns which there are, what each is made of and the build beside the starting processes: the login
page does not wait for it; jobs and sessions wait with that reason until theirs is there. Called
by `up` and `status`; `building` does the work. A finished environment is never changed.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.supervisor.home import Home, SupervisorError, read_json
from services.supervisor.logs import last_lines, open_log
from services.supervisor.processes import REPOSITORY

Say = Callable[[str], None]
CLIENT = REPOSITORY / "extensions" / "client"
LAB = REPOSITORY / "extensions" / "lab"
STAMP = ".smalti-environment.json"
# A folder of finished environments by digest, shared by several instances (used by tests).
CACHE = "SMALTI_ENVIRONMENT_CACHE"
_SOURCES = (".py", ".toml", ".typed", ".json")


@dataclass(frozen=True)
class Recipe:
    """What one environment is made of: a locked list, our own packages, and what is left out.

    `without` names what is removed again, below the environment's folder.
    """

    words: str
    place: tuple[str, ...]
    requirements: Path
    packages: tuple[Path, ...]
    without: tuple[str, ...] = ()

    def base_digest(self) -> str:
        """Digest of what the locked packages are installed from."""
        value = hashlib.sha256(f"{sys.version_info[:3]} {sys.base_prefix}\n".encode())
        value.update(self.requirements.read_bytes())
        return value.hexdigest()

    def digest(self) -> str:
        """Digest of everything that the environment is made from, our packages included."""
        value = hashlib.sha256(self.base_digest().encode())
        value.update("\n".join(self.without).encode())
        for package in self.packages:
            for file in sorted(package.rglob("*")):
                if file.suffix in _SOURCES and "__pycache__" not in file.parts:
                    value.update(f"{file.relative_to(package)}\n".encode() + file.read_bytes())
        return value.hexdigest()

    def folder(self, home: Home) -> Path:
        """Where the environment is."""
        return home.path("environments", *self.place)

    def state(self, home: Home) -> str:
        """Say whether it is `ready`, `outdated` (whole, of an earlier list) or `missing`."""
        stamp = read_json(self.folder(home) / STAMP)
        if stamp is None:
            return "missing"
        return "ready" if stamp.get("digest") == self.digest() else "outdated"


DEFAULT = Recipe(
    "The default environment for jobs",
    ("default", "1"),
    REPOSITORY / "images" / "environment" / "requirements.lock",
    (CLIENT,),
)
TOOLS = Recipe(
    "The tools environment for workspaces",
    # No environment of a person can have a name that begins with a dot.
    (".tools", "1"),
    REPOSITORY / "images" / "tools" / "requirements.lock",
    (CLIENT, LAB),
    # Kernels come from the session's own environment.
    without=("share/jupyter/kernels",),
)
RECIPES = (DEFAULT, TOOLS)


class EnvironmentBuild:
    """The build beside the supervisor, in a process of its own: one recipe after the other."""

    def __init__(self, home: Home, say: Say) -> None:
        self.home, self.say = home, say
        self._popen: subprocess.Popen[bytes] | None = None
        self._building: list[Recipe] = []

    def begin(self) -> None:
        """Start the build of what is needed."""
        self._building = [one for one in RECIPES if one.state(self.home) != "ready"]
        if not self._building:
            return
        names = " and ".join(_lower(one.words) for one in self._building)
        self.say(f"Building {names}; the login page does not wait for it")
        log = open_log(self.home.log("environment"))
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "services.supervisor.building", str(self.home.root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                start_new_session=True,
            )
        finally:
            os.close(log)

    def finished(self) -> bool:
        """Say whether nothing is being built any more; tells each outcome once."""
        if self._popen is None:
            return True
        status = self._popen.poll()
        for one in [one for one in self._building if one.state(self.home) == "ready"]:
            self._building.remove(one)
            self.say(f"{one.words} is ready")
        if status is None:
            return False
        self._popen = None
        for one in self._building:
            words = " ".join(last_lines(self.home.log("environment"), 2))
            self.say(
                f"{one.words} could not be built, so they wait: {words} "
                f"(more in {self.home.log('environment')}; the next start tries again)"
            )
        self._building = []
        return True

    def stop(self) -> None:
        """Leave off building; what is half made is swept at the next start."""
        if self._popen is not None and self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGTERM)
            self._popen.wait()


def check_recipes() -> None:
    """Raise SupervisorError when a list is missing."""
    for one in RECIPES:
        if not one.requirements.exists():
            raise SupervisorError(f"{one.requirements} is missing.")


def _lower(words: str) -> str:
    return words[0].lower() + words[1:]

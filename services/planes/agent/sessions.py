"""Getting a session ready: what its tool, its kernels and its git find, and where it answers.

Owns `sessions/<run>/` in the agent's home: kernels, settings of git, programs, and `live/`,
where the tool tells what happens. Called when a session is prepared and whenever its run is
reported on. All that must outlive the agent is in the run's folder. Must never put a token into
a file, and believes a port only when the person's own process listens there.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

from services.planes.agent import session_kernels, watching
from services.planes.agent.programs import SYSTEM_PATH, CannotPrepare
from services.planes.agent.trash import Trash
from services.planes.agent.volumes import Volume
from services.planes.protocol import Activity, RunOrder
from spawners.runtime import RunKey

log = logging.getLogger(__name__)

START = Path(__file__).with_name("session_start.py")
# Below the ports that the kernel gives to outgoing connections.
PORTS = range(20_000, 30_000)
ACTIVITY = "activity.json"
# Without these, as they are set here, a session would not work or not be where it is said to be.
SESSION_VARIABLES = frozenset(
    {
        "GIT_CONFIG_SYSTEM",
        "JUPYTERHUB_SERVICE_URL",
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_PATH",
        "JUPYTER_RUNTIME_DIR",
        "PATH",
        "SHELL",
    }
)
FIRST_TO_GO = """#!/bin/sh
# At the memory limit this goes first, and what serves it stays.
echo 500 2>/dev/null >/proc/self/oom_score_adj
exec "$@"
"""
CREDENTIAL = """#!/bin/sh
# Answers git's question for a password with the token of this run.
test "$1" = get && printf 'username=smalti\\npassword=%s\\n' "$SMALTI_TOKEN"
"""


class Sessions:
    """What belongs to each session's run beside its volume."""

    def __init__(self, folder: Path, tools: Path, trash: Trash) -> None:
        self._folder = folder
        self._tools = tools
        self._trash = trash
        self._ports: dict[str, int] = {}
        self._answering: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.glob("*/session.json"):
            self._ports[file.parent.name] = json.loads(file.read_text())["port"]

    def folder(self, key: RunKey) -> Path:
        """Where what belongs to a session's run is."""
        return self._folder / str(key)

    def tools(self, order: RunOrder) -> Path:
        """The tools environment. CannotPrepare when it or the tool is not here."""
        assert order.session is not None
        if order.session.tool != "jupyterlab":
            raise CannotPrepare(f"this plane has no tool {order.session.tool}")
        if not (self._tools / "bin" / "jupyterhub-singleuser").exists():
            raise CannotPrepare("the tools for workspaces are not on this plane yet", True)
        return self._tools

    def make(self, key: RunKey, order: RunOrder, environment: Path, origin: str) -> Path:
        """Make the folder of a run; `origin` is the control plane's for runs. OSError."""
        folder = self.folder(key)
        self.clear(key)
        (folder / "live").mkdir(parents=True)
        (folder / "config").mkdir()
        (folder / "config" / "migrated").touch()  # else Jupyter would look for an old one to copy
        for name, text in (("first-to-go", FIRST_TO_GO), ("git-credential-smalti", CREDENTIAL)):
            _write_program(folder / "bin" / name, text)
        (folder / "bin" / "smalti").symlink_to(self._tools / "bin" / "smalti")
        _write_kernels(folder, order, environment)
        (folder / "gitconfig").write_text(gitconfig(folder, order, origin))
        self._ports[str(key)] = port = self._free_port()
        (folder / "session.json").write_text(json.dumps({"port": port}))
        return folder

    def clear(self, key: RunKey) -> None:
        """Throw away what belongs to a run, if there is anything."""
        self._ports.pop(str(key), None)
        self._answering.discard(str(key))
        self._trash.throw(self.folder(key))

    def _free_port(self) -> int:
        """Choose a port that nobody uses and no other session has been given."""
        taken = set(self._ports.values())
        first = random.randrange(len(PORTS))  # noqa: S311 - several agents keep apart, no secret
        for number in range(len(PORTS)):
            port = PORTS[(first + number) % len(PORTS)]
            if port not in taken and _is_free(port):
                return port
        raise CannotPrepare("all ports for sessions are in use", retryable=True)

    def variables(self, key: RunKey, order: RunOrder, environment: Path) -> dict[str, str]:
        """What a session finds in its environment beside what every run does."""
        assert order.session is not None
        folder = self.folder(key)
        return {
            "PATH": f"{environment / 'bin'}:{folder / 'bin'}:{SYSTEM_PATH}",
            "SHELL": shutil.which("bash", path=SYSTEM_PATH) or "/bin/sh",
            "GIT_CONFIG_SYSTEM": str(folder / "gitconfig"),
            "JUPYTER_PATH": str(folder / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            # Memory that is the sandbox's own: the server writes its token there.
            "JUPYTER_RUNTIME_DIR": f"/dev/shm/smalti-{key}",  # noqa: S108
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{self._ports[str(key)]}"
            + order.session.base_url,
            "SMALTI_ACTIVITY_FILE": str(folder / "live" / ACTIVITY),
        }

    def command_line(
        self, key: RunKey, order: RunOrder, volume: Volume, origin: str
    ) -> tuple[str, ...]:
        """Say what to execute: first our own few steps, then the tool."""
        launcher = self.folder(key) / "bin" / "first-to-go"
        return tool_command(order, self._tools, START, origin, (volume.project, launcher))

    # -- while it runs -------------------------------------------------------------------------

    def address(self, key: RunKey, volume: Volume) -> str | None:
        """Where a session answers; None until its own process listens there."""
        name = str(key)
        port = self._ports.get(name)
        if port is None:
            return None
        if name not in self._answering:
            owner = watching.listener(port)
            if owner is None or owner != volume.home.stat().st_uid:
                return None
            self._answering.add(name)
        return f"http://127.0.0.1:{port}"

    def activity(self, key: RunKey) -> Activity | None:
        """What a session's tool told last; None when it told nothing that can be used."""
        return watching.read_activity(self.folder(key) / "live" / ACTIVITY)


def tool_command(
    order: RunOrder, tools: Path, start: Path, origin: str, places: tuple[Path, Path]
) -> tuple[str, ...]:
    """Say how to become a session's tool; `places` are the project and what starts programs."""
    assert order.session is not None
    project, launcher = places
    # Without the person's packages and PYTHON* variables: they cannot break a login.
    python = (str(tools / "bin" / "python"), "-I")
    shell = [str(launcher), "/bin/bash"]
    restore = ("--restore", order.session.restore) if order.session.restore else ()
    return (
        *(*python, str(start), "--origin", origin + order.repository, *restore, "--"),
        *(*python, "-m", "jupyterhub.singleuser"),
        f"--ServerApp.root_dir={project}",
        f"--ServerApp.terminado_settings={{'shell_command': {shell!r}}}",
    )


def _write_program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _write_kernels(folder: Path, order: RunOrder, environment: Path) -> None:
    """Offer the kernels of the environment, and of it only."""
    named = order.environment
    found = session_kernels.Environment(environment, named.name, named.revision)
    launcher = str(folder / "bin" / "first-to-go")
    try:
        session_kernels.write(folder / "jupyter" / "kernels", found, launcher)
    except session_kernels.NoKernel as error:
        raise CannotPrepare(str(error)) from error


def gitconfig(folder: Path, order: RunOrder, origin: str) -> str:
    """The settings of git that a session finds; a person's own ones count more."""
    helper = _quoted(folder / "bin" / "git-credential-smalti")
    lines = [f'[credential "{origin}"]', f"\thelper = {helper}"]
    person = {"name": order.person_name, "email": order.person_email}
    lines += ["[user]", *(f"\t{k} = {_quoted(v)}" for k, v in person.items() if v)]
    lines += ["[push]", "\tautoSetupRemote = true", "[init]", "\tdefaultBranch = main"]
    return "\n".join(lines) + "\n"


def _quoted(value: object) -> str:
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def run_origin(api: str) -> str:
    """Cut the address of the API for runs to its origin."""
    parts = urlsplit(api)
    return f"{parts.scheme}://{parts.netloc}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

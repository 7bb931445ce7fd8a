"""Getting a session ready for a cluster: what its pod finds, and what is seen of it from outside.

Owns where everything of a session is in its pod. Called by `pods`. What a session on this machine
has in folders of the agent's is here brought along as small texts (`tools`), or made in the pod
itself: its kernels, because the environment can only be seen there. Must never put a token into
one of these texts.
"""

from __future__ import annotations

from pathlib import Path

from services.planes.agent import session_kernels, watching
from services.planes.agent.programs import SYSTEM_PATH, CannotPrepare
from services.planes.agent.sessions import (
    ACTIVITY,
    CREDENTIAL,
    FIRST_TO_GO,
    START,
    gitconfig,
    tool_command,
)
from services.planes.agent.volumes import checked_branch
from services.planes.protocol import RunOrder
from spawners.kubernetes.manifests import WORK
from spawners.kubernetes.orders import PROJECT, SESSION_PORT, TOOLS, VOLUME
from spawners.runtime import RemoteSession, RunKey, Shown

HOME = Path(VOLUME, "home")
LIVE = Path(WORK, "live")
_BIN = Path(TOOLS, "bin")
_JUPYTER = Path(WORK, "jupyter")
_KERNELS = Path(session_kernels.__file__)
_SMALTI = """#!/bin/sh
exec {tools}/bin/smalti "$@"
"""


def texts(order: RunOrder, origin: str, tools: Path) -> dict[str, str]:
    """The small texts that a session's pod is given, by name."""
    return {
        START.name: START.read_text(),
        _KERNELS.name: _KERNELS.read_text(),
        # In a container every process has the same high score, which can be raised only.
        "bin/first-to-go": FIRST_TO_GO.replace("echo 500", "echo 1000"),
        "bin/git-credential-smalti": CREDENTIAL,
        "bin/smalti": _SMALTI.format(tools=tools),
        "gitconfig": gitconfig(Path(TOOLS), order, origin),
        "config/migrated": "",  # else Jupyter would look for an old configuration to copy
    }


def remote(order: RunOrder, origin: str) -> RemoteSession:
    """What a session is besides a run. CannotPrepare."""
    assert order.session is not None
    if order.session.tool != "jupyterlab":
        raise CannotPrepare(f"this plane has no tool {order.session.tool}")
    branch = order.session.branch
    return RemoteSession(
        volume=order.session.volume,
        origin=origin + order.repository,
        activity=LIVE / ACTIVITY,
        branch=checked_branch(branch) if branch else None,
    )


def variables(key: RunKey, order: RunOrder, environment: Path) -> dict[str, str]:
    """What a session finds in its environment beside what every run does."""
    assert order.session is not None
    return {
        "PATH": f"{environment / 'bin'}:{_BIN}:{SYSTEM_PATH}",
        "SHELL": "/bin/bash",
        "GIT_CONFIG_SYSTEM": f"{TOOLS}/gitconfig",
        "JUPYTER_PATH": str(_JUPYTER),
        "JUPYTER_CONFIG_DIR": f"{TOOLS}/config",
        # Memory that is the pod's own: the server writes its token there.
        "JUPYTER_RUNTIME_DIR": f"/dev/shm/smalti-{key}",  # noqa: S108
        "JUPYTERHUB_SERVICE_URL": f"http://0.0.0.0:{SESSION_PORT}{order.session.base_url}",
        "SMALTI_ACTIVITY_FILE": str(LIVE / ACTIVITY),
    }


def command_line(order: RunOrder, tools: Path, environment: Path, origin: str) -> tuple[str, ...]:
    """Say what to execute: the kernels are offered first, then as on any machine."""
    named = order.environment
    launcher = _BIN / "first-to-go"
    start = Path(TOOLS, START.name)
    return (
        *(str(tools / "bin" / "python"), "-I", f"{TOOLS}/{_KERNELS.name}"),
        *("--environment", str(environment), "--into", str(_JUPYTER)),
        *("--name", named.name, "--revision", str(named.revision)),
        *("--launcher", str(launcher), "--"),
        *tool_command(order, tools, start, origin, (Path(PROJECT), launcher)),
    )


def report(shown: Shown) -> dict[str, object]:
    """What there is to report of a session from what its runtime sees."""
    activity = watching.parse_activity(shown.activity) if shown.activity else None
    return {"address": shown.address, "activity": activity}

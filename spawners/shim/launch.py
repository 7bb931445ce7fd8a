"""Starts a run's program: the few steps between the shim's fork and the program's exec.

Used by `supervise`. What runs in a forked child must do nothing but system calls that concern
the child, and must report a failure through a pipe instead of raising.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from typing import Any

from spawners.shim import cgroups

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MOST_FILES = 65_536
# Python ignores some signals and the zygote others; a program must find none ignored.
_DEFAULTS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ)


def become_subreaper() -> None:
    """Make orphans below this process its own children, so that none can hide."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def give(folder: str | int, owner: int) -> None:
    """Hand a folder (a path or descriptor) and all in it to a person's uid and gid.

    Links are not followed. A file with several names is left alone: its other name may be the
    platform's (a hard link of a local clone), and must not become a person's to change.
    A folder changes hands after what is in it: one that is the person's is so with all below.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(folder, flags) if isinstance(folder, str) else folder
    try:
        if os.fstat(handle).st_uid == owner:
            return
        with os.scandir(handle) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    give(os.open(entry.name, flags, dir_fd=handle), owner)
                elif entry.stat(follow_symlinks=False).st_nlink == 1:
                    os.chown(entry.name, owner, owner, dir_fd=handle, follow_symlinks=False)
        os.fchown(handle, owner, owner)
    finally:
        os.close(handle)


def _limit(kind: int, wanted: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (wanted, wanted))


def _limit_files(disk: int) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _MOST_FILES)
    _limit(resource.RLIMIT_FSIZE, disk)


def launch_sandboxed(order: dict[str, Any], output: int, inherited: tuple[int, ...]) -> int:
    """Start the sandbox, which waits inside before it executes anything; its pid.

    Without a fork of this process: copying it would cost more than all else the shim does.
    The sandbox puts itself into no group and dies with the shim by its own will, hence the wait.
    """
    for handle in inherited:
        os.set_inheritable(handle, True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    _limit_files(order["disk"])
    try:
        return os.posix_spawn(
            order["argv"][0],
            order["argv"],
            order["env"],
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULTS,
        )
    finally:
        # Ours is the log, which has a limit of its own. (Not to be had back without root.)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


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
    for number in _DEFAULTS:
        signal.signal(number, signal.SIG_DFL)
    _limit_files(order["disk"])
    os.umask(0o022)
    os.chdir(order["cwd"])
    os.execvpe(order["argv"][0], order["argv"], order["env"])  # noqa: S606


def launch_bare(order: dict[str, Any], group: cgroups.Group | None, output: int) -> int:
    """Fork and execute the program itself, without a sandbox; its pid.

    Raises
    ------
    OSError
        When the program could not be executed; nothing is left of the try.
    """
    error_reader, error_writer = os.pipe2(os.O_CLOEXEC)
    shim = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _child(order, group, output, shim)
        except OSError as error:
            os.write(error_writer, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(error_writer)
    told = os.read(error_reader, 64)
    os.close(error_reader)
    if told:
        os.waitpid(pid, 0)
        raise OSError(int(told), os.strerror(int(told)))
    return pid

"""How a run ended, read from what the kernel and the sandbox say: pure decisions.

Used by `supervise` when a program is over. Must do no I/O.
"""

from __future__ import annotations

import errno
import os
import signal
from typing import NamedTuple

NOT_STARTED = "not_started"
DELETED = "deleted"  # of a run in a pod: the pod was taken away


class Ending(NamedTuple):
    """Exit code (negative for a signal), the `RunEnd` value and the reason for people."""

    exit_code: int | None
    end: str | None
    reason: str | None


def with_loss(ending: Ending, lost: str | None) -> Ending:
    """Say with the reason what was lost of the output; how the program ended stays true."""
    if lost is None:
        return ending
    return ending._replace(reason=f"{ending.reason}; {lost}" if ending.reason else lost)


def exit_code(status: int, sandboxed: bool) -> int:
    """Turn a wait status into an exit code; the sandbox says 128 + n for signal n."""
    code = os.waitstatus_to_exitcode(status)
    if sandboxed and 128 < code < 128 + signal.NSIG:
        return 128 - code
    return code


def not_executed(failure: OSError, program: str) -> Ending:
    """Say why the program (or the sandbox before it) could not be executed."""
    if failure.errno in (errno.ENOENT, errno.ENOTDIR):
        return Ending(127, NOT_STARTED, f"command not found: {program}")
    if failure.errno in (errno.EACCES, errno.ENOEXEC):
        return Ending(126, NOT_STARTED, f"command cannot be executed: {program}")
    return Ending(126, NOT_STARTED, f"the program could not be started: {failure.strerror}")


def sandbox_failure(
    code: int, log: bytes, program: str, executed: bool, sandboxed: bool
) -> Ending | None:
    """Tell a sandbox that could not execute the program from a program that failed.

    bwrap reports an exit code only for what it has executed, so its own failures are certain.
    The step that drops rights inside it reports by 126 or 127 and one line, which must then be
    all there is in the log: a program that says the same is believed, about itself alone.
    """
    if not sandboxed or code < 0:
        return None
    line = log.strip().decode(errors="replace")
    missing = line.endswith("No such file or directory")
    if executed:
        named = line.startswith(f"setpriv: failed to execute {program}:") and "\n" not in line
        if code not in (126, 127) or not named:
            return None
    elif not line.startswith("bwrap: execvp "):
        said = line.rpartition("\n")[2].removeprefix("bwrap: ")
        return Ending(126, NOT_STARTED, f"the sandbox could not be made: {said or 'no word'}")
    if missing:
        return Ending(127, NOT_STARTED, f"command not found: {program}")
    why = line.rpartition(": ")[2]
    return Ending(126, NOT_STARTED, f"command cannot be executed: {program}: {why}")

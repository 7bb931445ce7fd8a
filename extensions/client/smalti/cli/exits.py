"""Exit codes: what scripts may rely on. Listed in docs/reference/cli.md, from here."""

from __future__ import annotations

from smalti import errors

OK = 0
FAILED = 1
USAGE = 2
ERROR = 3
REFUSED = 4
CONNECTION = 5
STOPPED = 6
WAITED = 7
INTERNAL = 70
INTERRUPTED = 130
PIPE = 141

MEANINGS = {
    OK: "Done. For a job that was waited for: it Succeeded.",
    FAILED: "The job that was waited for Failed: its program ended with an error.",
    USAGE: "The command line is not right; nothing was done.",
    ERROR: "The job that was waited for ended in Error: the platform could not run it.",
    REFUSED: "Refused: not logged in, not allowed, not found, in conflict, or against a rule.",
    CONNECTION: "No connection, a broken transfer, or a platform that is not well.",
    STOPPED: "The job that was waited for was Stopped by somebody or by a limit.",
    WAITED: "The time given for waiting is over; the job goes on.",
    INTERNAL: "A fault of this program; SMALTI_DEBUG=1 shows where.",
    INTERRUPTED: "Interrupted by Ctrl-C. A job that was followed goes on.",
    PIPE: "The program that read the output went away.",
}
_JOBS = {"Succeeded": OK, "Failed": FAILED, "Error": ERROR, "Stopped": STOPPED}


def of_job(status: str) -> int:
    """Return the exit code for a job's final status."""
    return _JOBS.get(status, ERROR)


def of_error(error: errors.SmaltiError) -> int:
    """Return the exit code for what the client raised."""
    if isinstance(error, errors.WaitedTooLong):
        return WAITED
    if isinstance(error, errors.BadRequest) and error.status is None:
        return USAGE  # found wrong here, before anything was sent
    away = (errors.ConnectionFailed, errors.ServerError, errors.UnexpectedAnswer)
    if isinstance(error, (*away, errors.TransferFailed)):
        return CONNECTION
    return REFUSED

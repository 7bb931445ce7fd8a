"""`up --detach`: the supervisor in the background, its progress still told to the caller.

Called by `cli`. The caller waits on a pipe until the platform is ready or has failed; the
supervisor's own log gets the same lines (never a password: see `first_start`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from services.supervisor.home import Home, SupervisorError
from services.supervisor.logs import open_log
from services.supervisor.records import now
from services.supervisor.up import run

READY, FAILED = "\0ready", "\0failed"


def up_detached(home: Home) -> int:
    """Start the supervisor in the background; return its exit status, 0 once all is ready."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _become_daemon()
        _supervise(home, write_end)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end, encoding="utf-8") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if text == READY:
                return 0
            if text.startswith(FAILED):
                return int(text.removeprefix(FAILED))
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
    sys.stderr.write("The supervisor ended without a word.\n")
    return 1


def _become_daemon() -> None:
    os.setsid()
    if os.fork() > 0:
        os._exit(0)


def _supervise(home: Home, write_end: int) -> None:
    pipe: int | None = write_end
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)

    def send(text: str) -> None:
        if pipe is not None:
            try:
                os.write(pipe, f"{text}\n".encode())
            except BrokenPipeError:
                return  # the caller has gone; the log still has it

    def ready() -> None:
        nonlocal pipe
        send(READY)
        if pipe is not None:
            os.close(pipe)
        pipe = None

    status = 0
    try:
        run(home, teller(home, send), ready)
    except SupervisorError as error:
        send(str(error))
        status = error.status
    except BaseException as error:  # noqa: BLE001 - the last frame: whatever it is must be told
        send(f"The supervisor failed: {error!r}")
        status = 1
    send(f"{FAILED}{status or 1}")
    os._exit(status)


def teller(home: Home, show: Callable[[str], None]) -> Callable[[str], None]:
    """Return a `say` that shows a line and keeps it, with its time, in the supervisor's log."""

    def say(text: str) -> None:
        show(text)
        if not home.path("logs").is_dir():
            return
        try:
            log = open_log(home.log("supervisor"))
        except OSError:
            return  # no descriptors or no room; whoever watches has been told
        try:
            os.write(log, f"{now()} {text}\n".encode())
        except OSError:
            return
        finally:
            os.close(log)

    return say

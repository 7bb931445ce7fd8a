"""`smalti-admin up`: from nothing to a running platform, in words that a person can follow.

Called by `cli`. Everything that can be refused is refused before the first process starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from services.supervisor import experiments, records
from services.supervisor.checks import preflight
from services.supervisor.environment import EnvironmentBuild
from services.supervisor.first_start import FirstAdmin, keep_for_reading, make_first_admin
from services.supervisor.frontdoor import write_files
from services.supervisor.home import Home, Lock, SupervisorError, read_json
from services.supervisor.keys import make_secrets
from services.supervisor.loop import Supervisor
from services.supervisor.ports import choose
from services.supervisor.processes import processes

Say = Callable[[str], None]
# Which entry of ports.json each process listens on.
LISTENS = {
    "frontdoor": ("frontdoor", "traefik_api"),
    "hub": ("hub",),
    "platform": ("platform",),
    "experiments": ("experiments",),
}


def run(home: Home, say: Say, ready: Callable[[], None] | None = None) -> None:
    """Bring the platform up and keep it up until a signal ends it.

    `ready` is called once everything is there, the default environment included.
    Raises SupervisorError.
    """
    preflight(home)
    lock = Lock(home)
    if not lock.take():
        raise SupervisorError(_already_running(home))
    home.make_folders()
    records.save(home, "supervisor", records.record_of(os.getpid()))
    try:
        _run_locked(home, say, ready)
    finally:
        records.remove(home, "supervisor")
        lock.release()


def _run_locked(home: Home, say: Say, ready: Callable[[], None] | None) -> None:
    ports, changed = choose(home, os.environ.get("SMALTI_PORT"), _held_ports(home))
    make_secrets(home)
    admin = make_first_admin(home)
    write_files(home, ports, path_only=path_only())
    supervised = processes(home)
    if any(process.name == "experiments" for process in supervised):
        experiments.bring_up_to_date(home, say)
    supervisor = Supervisor(home, supervised, ports, say)
    supervisor.listen_to_signals()
    environment = EnvironmentBuild(home, say)
    if any(process.name == "agent" for process in supervised):
        environment.begin()
    try:
        if supervisor.bring_up(adopt=not changed):
            _welcome(home, ports["frontdoor"], admin, say, watched=ready is None)
            supervisor.watch(also=_when_complete(environment, ready))
        say("Stopping. What people run goes on and is taken over at the next start.")
    finally:
        environment.stop()
        supervisor.bring_down()
        say("Stopped.")


def _when_complete(
    environment: EnvironmentBuild, ready: Callable[[], None] | None
) -> Callable[[], None]:
    waiting = ready

    def look() -> None:
        nonlocal waiting
        if environment.finished() and waiting is not None:
            waiting()
            waiting = None

    return look


def path_only() -> bool:
    """Say whether one origin serves everything: SMALTI_PATH_ONLY=1, for one trusted person."""
    return os.environ.get("SMALTI_PATH_ONLY", "") not in ("", "0", "false")


def _held_ports(home: Home) -> set[str]:
    held: set[str] = set()
    for name, entries in LISTENS.items():
        left = records.load(home, name)
        if left is not None and left.alive:
            held.update(entries)
    return held


def _already_running(home: Home) -> str:
    supervisor = records.load(home, "supervisor")
    ports = read_json(home.path("run", "ports.json")) or {}
    who = f" (supervisor pid {supervisor.pid})" if supervisor and supervisor.alive else ""
    where = f" at http://localhost:{ports['frontdoor']}" if "frontdoor" in ports else ""
    return (
        f"Smalti already runs on {home.root}{who}{where}; end it with `smalti-admin down`, "
        "or name another state folder with SMALTI_HOME."
    )


def _welcome(home: Home, port: int, admin: FirstAdmin | None, say: Say, *, watched: bool) -> None:
    say(f"Smalti is at http://localhost:{port}")
    if admin is None:
        return
    if admin.password is None:
        say(f"Log in as {admin.name} with the password from SMALTI_ADMIN_PASSWORD.")
    elif watched and sys.stdout.isatty():
        # Straight to the terminal: what `say` says may be kept in a log.
        sys.stdout.write(
            f"Log in as {admin.name} with the one-time password {admin.password}\n"
            "You will be asked to choose your own. It is not shown again.\n"
        )
        sys.stdout.flush()
    else:
        say(f"Log in as {admin.name}; the one-time password is in {keep_for_reading(home, admin)}")

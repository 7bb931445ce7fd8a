"""`smalti-admin down`: ends the control processes, also those that a dead supervisor left.

Called by `cli`. What people run is not touched: shims outlive every one of us.
"""

from __future__ import annotations

import signal
import time

from services.supervisor import records
from services.supervisor.home import Home, Lock, SupervisorError
from services.supervisor.processes import processes

PATIENCE = 90.0


def down(home: Home) -> bool:
    """End everything and wait for it; False when nothing ran. Raises SupervisorError."""
    if not home.path("smalti.lock").exists():
        return False
    lock = Lock(home)
    ran = False
    supervisor = records.load(home, "supervisor")
    if supervisor is not None and supervisor.alive:
        ran = True
        records.send(supervisor, signal.SIGTERM)
    end_by = time.monotonic() + PATIENCE
    while not lock.take():
        ran = True
        if time.monotonic() > end_by:
            raise SupervisorError(
                f"The supervisor has not ended within {PATIENCE:.0f} s; "
                f"its log is {home.log('supervisor')}."
            )
        time.sleep(0.05)
    try:
        for process in reversed(processes(home)):
            left = records.load(home, process.name)
            if left is not None and left.alive:
                ran = True
                records.end(left, process.stop_grace)
            records.remove(home, process.name)
        records.remove(home, "supervisor")
    finally:
        lock.release()
    return ran

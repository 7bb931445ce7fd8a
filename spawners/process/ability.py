"""Finds out by a real trial how well this machine can keep runs apart.

Owns the choice of `Isolation`. Called once by `ProcessRuntime.open`, in a thread.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from spawners.process import sandbox as sandboxes
from spawners.process.sandbox import Rooms, Sandbox
from spawners.process.settings import ProcessSettings
from spawners.process.system import EtcFolders
from spawners.runtime import Isolation, Limits, RunKey, RunSpec, RuntimeFailure

log = logging.getLogger(__name__)


def choose(settings: ProcessSettings, etc: EtcFolders) -> tuple[Sandbox | None, str | None]:
    """The strongest sandbox that works and was wished, and why not a stronger one.

    Raises
    ------
    RuntimeFailure
        When a demanded isolation does not work here.
    """
    wish = settings.isolation
    if wish == "none":
        return None, "switched off"
    bwrap = sandboxes.find_bwrap(settings.bwrap)
    why: list[str] = []
    for isolation in (Isolation.FULL, Isolation.NAMESPACES):
        if wish not in ("auto", isolation.value):
            continue
        if bwrap is None:
            why.append(f"{isolation}: bubblewrap is not installed")
        elif isolation is Isolation.FULL and os.geteuid() != 0:
            why.append(f"{isolation}: only root can give every person a uid")
        else:
            hidden = (settings.state, *settings.hidden)
            found = Sandbox(bwrap, isolation, settings.system, hidden, _shared_uid(settings))
            failed = _try(found, settings, etc)
            if failed is None:
                return found, "; ".join(why) or None
            why.append(f"{isolation}: {failed}")
            log.warning("isolation %s does not work here: %s", isolation, failed)
    if wish != "auto":
        raise RuntimeFailure(f"isolation does not work here: {'; '.join(why)}")
    return None, "; ".join(why)


def _shared_uid(settings: ProcessSettings) -> int | None:
    """The uid before the first person's: reserved too, and nobody's.

    Root must never stay root inside: even without any capability it may write kernel settings.
    """
    return settings.first_uid - 1 if os.geteuid() == 0 else None


def _try(sandbox: Sandbox, settings: ProcessSettings, etc: EtcFolders) -> str | None:
    """Run `id -u` inside as a run would be; None when it works, else what was said."""
    uid = sandbox.shared_uid
    folder = Path(tempfile.mkdtemp(prefix="trial-", dir=settings.state))
    try:
        made = [folder / name for name in ("work", "outputs", "tmp", "home")]
        for path in made:
            path.mkdir()
            if uid is not None:
                os.chown(path, uid, uid)
        work, outputs, tmp, home = made
        spec = RunSpec(
            key=RunKey("trial", 0),
            argv=("/bin/sh", "-c", "id -u && touch w && ! touch /usr/w 2>/dev/null"),
            env={},
            workdir=work,
            outputs=outputs,
            environment=Path(sys.prefix),
            person_id="",
            limits=Limits(cpu=1.0, memory=1 << 28),
        )
        rooms = Rooms(etc.folder(uid if uid is not None else os.getuid()), tmp, home)
        return sandboxes.trial(sandbox, spec, rooms, uid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Ends and clears away what a run left when its shim could not do it itself.

Called by `ProcessRuntime`, in threads, after a shim was killed and when runs are removed. Must
only ever touch what the run's own files, group or mark name.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from spawners.process.orders import MARK
from spawners.process.records import Run
from spawners.shim import cgroups, files, processes

_PATIENCE = 10.0


def end_leftovers(run: Run) -> bool:
    """Kill all that still lives of a run; False when something did not die in time.

    The kernel has begun it already (the program dies with its shim); this waits for the end.
    """
    facts = files.record(str(run.folder)) or {}
    named = [(facts.get("pid"), facts.get("start_time")), tuple(facts.get("outer", (None, None)))]
    for pid, started in named:
        processes.kill_same(pid, started)
    # A sandbox whose shim died in the instant before it would have been told of it.
    for pid, started in processes.with_argument(str(run.folder / files.TMP).encode()):
        processes.kill_same(pid, started)
    if run.group is not None:
        done = cgroups.kill(run.group, _PATIENCE)
        return cgroups.remove(run.group, 1.0) and done
    return _kill_marked(run.mark)


def _kill_marked(mark: str | None) -> bool:
    if mark is None:
        return True
    entry = f"{MARK}={mark}".encode()
    end = time.monotonic() + _PATIENCE
    while found := processes.with_environment(entry):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end:
            return False
        time.sleep(0.005)  # a process that is nobody's child here sends no event
    return True


def remove_folder(folder: Path) -> bool:
    """Remove a run's folder if that takes only moments; False when it needs a thread."""
    for name in (files.STOP, files.LOG, files.RECORD):
        with suppress(FileNotFoundError):
            os.unlink(folder / name)
    try:
        for name in (files.TMP, files.HOME):
            os.rmdir(folder / name)
        os.rmdir(folder)
    except FileNotFoundError:
        return not folder.exists()
    except OSError:
        return False
    return True


def remove_tree(folder: Path) -> None:
    """Remove a run's folder with all that the program left in it."""
    shutil.rmtree(folder, ignore_errors=True)

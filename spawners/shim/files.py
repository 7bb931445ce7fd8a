"""The files through which a shim and the runtime know of each other, and how they are written.

    <run folder>/
      record       what became of the run, one JSON object a line: the claim of the shim that
                   stands over it, then that the program runs, then how it ended
      stop         a wish to end it, written by the runtime before it signals the shim
      log          what the program wrote
      tmp/ home/   the run's own /tmp and home

The record appears with its first line, at most once in a run's life; lines are only added, each
by one write. Must hold no decision.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import Any

RECORD = "record"
STOP = "stop"
LOG = "log"
TMP = "tmp"
HOME = "home"


def read(folder: str, name: str) -> dict[str, Any] | None:
    """Read a wish; None when it is not there."""
    try:
        with open(f"{folder}/{name}", "rb") as file:
            content: dict[str, Any] = json.loads(file.read())
            return content
    except FileNotFoundError:
        return None


def _write_beside(folder: str, name: str, content: dict[str, Any]) -> str:
    beside = f"{folder}/.{name}.{os.getpid()}"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, json.dumps(content).encode() + b"\n")
    finally:
        os.close(handle)
    return beside


def write(folder: str, name: str, content: dict[str, Any]) -> None:
    """Put a wish in place, whole, over an older one."""
    os.rename(_write_beside(folder, name, content), f"{folder}/{name}")


def claim(folder: str, content: dict[str, Any]) -> bool:
    """Begin the record unless somebody has begun it before; says which."""
    beside = _write_beside(folder, RECORD, content)
    try:
        os.link(beside, f"{folder}/{RECORD}")
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)
    return True


def note(folder: str, content: dict[str, Any]) -> None:
    """Add a line to the record, which must have been begun."""
    handle = os.open(f"{folder}/{RECORD}", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        os.write(handle, json.dumps(content).encode() + b"\n")
    finally:
        os.close(handle)


def record(folder: str) -> dict[str, Any] | None:
    """All that the record says, later lines over earlier ones; None when it was not begun."""
    try:
        with open(f"{folder}/{RECORD}", "rb") as file:
            lines = file.read().split(b"\n")[:-1]  # what follows the last line end is unfinished
    except FileNotFoundError:
        return None
    found: dict[str, Any] = {}
    for line in lines:
        found.update(json.loads(line))
    return found


def boot_id() -> str:
    """Name this boot of the machine: pids and start times of another mean nothing."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def now() -> float:
    """Seconds since 1970, for people; never used to measure a duration."""
    return time.time()

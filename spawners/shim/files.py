"""The files through which a shim and the runtime know of each other, and how they are written.

    <run folder>/
      order.json   what to start, written by the runtime, taken away by the shim (it holds secrets)
      shim.json    the claim: who stands over this run; exists at most once, never rewritten
      state.json   what became of the program: after its start, and again after its end
      stop.json    a wish to end it, written by the runtime before it signals the shim
      log          what the program wrote
      tmp/ home/   the run's own /tmp and home

Everything appears whole or not at all. Must hold no decision.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import Any

ORDER = "order.json"
CLAIM = "shim.json"
STATE = "state.json"
STOP = "stop.json"
LOG = "log"
TMP = "tmp"
HOME = "home"


def read(folder: str, name: str) -> dict[str, Any] | None:
    """Read one of the files; None when it is not there."""
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
        os.write(handle, json.dumps(content).encode())
    finally:
        os.close(handle)
    return beside


def write(folder: str, name: str, content: dict[str, Any]) -> None:
    """Put a file in place, whole, over an older one."""
    os.rename(_write_beside(folder, name, content), f"{folder}/{name}")


def claim(folder: str, content: dict[str, Any]) -> bool:
    """Put the claim in place unless somebody has claimed before; says which."""
    beside = _write_beside(folder, CLAIM, content)
    try:
        os.link(beside, f"{folder}/{CLAIM}")
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)
    return True


def boot_id() -> str:
    """Name this boot of the machine: pids and start times of another mean nothing."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def now() -> float:
    """Seconds since 1970, for people; never used to measure a duration."""
    return time.time()

"""The ports of one instance: chosen once, kept in `run/ports.json`, chosen anew when taken.

Called by `up`. It never listens itself.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection
from pathlib import Path

from services.supervisor.home import Home, SupervisorError, read_json, write_json

DEFAULT_PORT = 8000
INNER = ("hub", "platform", "traefik_api", "experiments")


def choose(home: Home, wanted: str | None, ours: Collection[str]) -> tuple[dict[str, int], bool]:
    """Return the ports and whether any changed.

    `wanted` is SMALTI_PORT; `ours` names the entries whose process still runs and holds its port.
    Raises SupervisorError when the front door's port is taken.
    """
    kept = {k: int(v) for k, v in (read_json(home.path("run", "ports.json")) or {}).items()}
    front = _number(wanted) if wanted else kept.get("frontdoor", DEFAULT_PORT)
    if not ("frontdoor" in ours and kept.get("frontdoor") == front):
        _require_free(front)
    ports = {"frontdoor": front}
    for name in INNER:
        port = kept.get(name)
        usable = port is not None and (name in ours or free(port))
        ports[name] = port if port is not None and usable else _any_port(set(ports.values()))
    changed = ports != kept
    if changed:
        write_json(home.path("run", "ports.json"), ports)
    return ports, changed


def free(port: int) -> bool:
    """Say whether a port of the loopback address can be listened on."""
    return _listen_error(port) is None


def _listen_error(port: int) -> OSError | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def _any_port(taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def _number(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SupervisorError(f"SMALTI_PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _require_free(port: int) -> None:
    error = _listen_error(port)
    if error is None:
        return
    if error.errno == errno.EACCES:
        raise SupervisorError(
            f"Port {port} may only be used by root; choose one above 1023 with SMALTI_PORT."
        )
    holder = listener(port)
    by = f" by {holder}" if holder else ""
    raise SupervisorError(
        f"Port {port} is already in use{by}; end that program, or choose another port: "
        f"SMALTI_PORT={port + 1} make up"
    )


def listener(port: int) -> str | None:
    """Name the process that listens on a port ("nginx, pid 12"), where /proc lets us see it."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and int(parts[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{parts[9]}]")
    if not inodes:
        return None
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _holds(folder, inodes):
            name = (folder / "comm").read_text().strip()
            return f"{name}, pid {folder.name}"
    return None


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        return any(os.readlink(file) in inodes for file in (process / "fd").iterdir())
    except OSError:  # it ended meanwhile, or it belongs to somebody else
        return False

"""The warm process that forks shims.

Started by `spawners.process.nursery` with one end of a socket pair; holds nothing but loaded
modules. Each message is an order; the fork that answers becomes that run's shim and speaks
through the same socket. When the runtime's end closes, the zygote ends; its shims go on.
Must never import late: what is imported here is shared by all shims.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import Any

from spawners.shim import files, supervise

MOST = 1 << 17  # bytes of a message; a longer order comes in memory that is handed over
IN_MEMORY = b"+"  # such a message


def main(handle: int) -> None:
    """Serve until the runtime closes its end."""
    wire = socket.socket(fileno=handle)
    wire.set_inheritable(False)  # no program may ever hold it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the shims
    # Signals meant for a shim may come before it has its own handlers: it looks at its files then.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # keeps the shared pages shared
    gc.disable()
    boot_id = files.boot_id()
    while order := _receive(wire):
        try:
            pid = os.fork()
        except OSError as error:
            wire.send(f"F {os.path.basename(order['folder'])} {error.errno}".encode())
            continue
        if pid == 0:
            code = 1
            try:
                os.setsid()
                supervise.run(order, wire, boot_id)
                code = 0
            except Exception:  # noqa: BLE001 - the last word of a process that has nobody above it
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(code)
        del order  # it holds the run's secrets


def _receive(wire: socket.socket) -> dict[str, Any] | None:
    """Wait for an order; None when nobody is there any more to send one."""
    message, handles, _, _ = socket.recv_fds(wire, MOST, 1)
    if not message:
        return None
    if handles:
        with os.fdopen(handles[0], "rb") as memory:
            memory.seek(0)
            message = memory.read()
    order: dict[str, Any] = json.loads(message)
    return order


if __name__ == "__main__":
    main(int(sys.argv[1]))

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

from spawners.shim import files, supervise

MOST = 1 << 17  # bytes of a message; a longer order comes in a file


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
    while message := wire.recv(MOST):
        order = json.loads(message)
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


if __name__ == "__main__":
    main(int(sys.argv[1]))

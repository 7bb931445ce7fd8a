"""Has shims born: keeps one warm zygote and asks it for a shim per run.

Owns the zygote process and the wire to it and its shims. Used by `ProcessRuntime` only. A dead
zygote is replaced at the next request; shims it had forked are not its prisoners and live on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from spawners.runtime import RuntimeFailure
from spawners.shim.zygote import IN_MEMORY, MOST

log = logging.getLogger(__name__)

_ROOT = Path(__file__).parents[2]
_PROGRAM = (
    f"import sys; sys.path.append({str(_ROOT)!r}); "
    "from spawners.shim.zygote import main; main(int(sys.argv[1]))"
)
Hear = Callable[[str, str, list[str]], None]


class Nursery:
    """One zygote at a time, and what it and its shims say.

    `hear(word, name, facts)` is called in the loop for each message: C (claimed; the shim's pid
    and start time), R (running; the shim's pid, the program's, the time), F (could not be
    forked; an errno).
    """

    def __init__(self, log_path: Path, hear: Hear) -> None:
        self._log_path = log_path
        self._hear = hear
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None
        self._watch: int | None = None
        # Wires of dead zygotes: shims they had forked still speak through them.
        self._old: list[socket.socket] = []
        self._unsent: deque[bytes] = deque()

    @property
    def pid(self) -> int | None:
        """The living zygote's pid, for tests and health."""
        return self._process.pid if self._process is not None else None

    def open(self) -> None:
        """Start a zygote if there is none."""
        if self._process is not None and self._process.poll() is None:
            return
        self._retire()
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs, self._log_path.open("ab") as output:
            handle = theirs.fileno()
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _PROGRAM, str(handle)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(handle,),
                    start_new_session=True,
                    cwd="/",
                    env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                )
            except OSError as error:
                ours.close()
                raise RuntimeFailure(f"no shim can be started: {error.strerror}") from error
        self._wire = ours
        self._watch = os.pidfd_open(self._process.pid)
        loop.add_reader(self._watch, self._died)
        loop.add_reader(ours.fileno(), self._receive, ours)

    def ask(self, order: bytes) -> None:
        """Send an order to the zygote; the answer comes to `hear`, or never if it dies now.

        Raises
        ------
        RuntimeFailure
            When no zygote can be had.
        """
        self.open()
        self._unsent.append(order)
        if len(self._unsent) == 1:
            self._send()

    def _send(self) -> None:
        """Send what waits; go on when the wire has room again, drop it when the zygote is dead."""
        loop = asyncio.get_running_loop()
        wire = self._wire
        while self._unsent and wire is not None:
            try:
                _send_order(wire, self._unsent[0])
            except BlockingIOError:
                loop.add_writer(wire.fileno(), self._send)
                return
            except OSError as error:
                log.warning("the zygote is gone: %s", error)
                self._retire()
                return
            self._unsent.popleft()
        if wire is not None:
            loop.remove_writer(wire.fileno())

    def close(self) -> None:
        """Let the zygote end; shims live on."""
        self._retire()
        loop = asyncio.get_running_loop()
        for wire in self._old:
            loop.remove_reader(wire.fileno())
            wire.close()
        self._old.clear()

    def receive(self) -> None:
        """Hear now what has been said and waits to be read."""
        if self._wire is not None:
            self._receive(self._wire)

    def _receive(self, wire: socket.socket) -> None:
        while True:
            try:
                message = wire.recv(4096)
            except (BlockingIOError, ConnectionResetError):
                return
            if not message:
                # Nobody holds the other end any more: neither a zygote nor a shim of it.
                asyncio.get_running_loop().remove_reader(wire.fileno())
                wire.close()
                if wire in self._old:
                    self._old.remove(wire)
                if wire is self._wire:
                    self._wire = None
                return
            word, name, *facts = message.decode().split(" ")
            self._hear(word, name, facts)

    def _died(self) -> None:
        if self._process is not None:
            code = self._process.wait()
            log.warning("the zygote %d ended with %d", self._process.pid, code)
        self._retire()

    def _retire(self) -> None:
        loop = asyncio.get_running_loop()
        if self._watch is not None:
            loop.remove_reader(self._watch)
            os.close(self._watch)
            self._watch = None
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            # It ends when the wire closes or at the kill; both are quick.
            process.kill()
            process.wait()
        self._unsent.clear()  # whoever waits for an answer asks again
        if self._wire is not None:
            loop.remove_writer(self._wire.fileno())
            self._old.append(self._wire)
            self._wire = None


def _send_order(wire: socket.socket, order: bytes) -> None:
    """Send an order; one that is too long for a message goes in memory that has no name."""
    if len(order) < MOST:
        wire.send(order)
        return
    handle = os.memfd_create("order")
    try:
        with os.fdopen(os.dup(handle), "wb") as memory:
            memory.write(order)
        socket.send_fds(wire, [IN_MEMORY], [handle])
    finally:
        os.close(handle)

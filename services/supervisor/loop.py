"""The supervisor's life: bring everything up in order, watch it, bring it down.

Called by `up`. It takes no request from outside: signals and the files in `run/` are all
that it listens to.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from services.supervisor.child import HOPELESS, Child, Say
from services.supervisor.home import Home, SupervisorError
from services.supervisor.logs import rotate
from services.supervisor.processes import Process, answers, fingerprint

MOMENT = 0.25
ROTATE_EVERY = 10.0
TELL_EVERY = 30.0
# Ends during the first start after which `up` says so and gives up.
FIRST_TRIES = 3


class Supervisor:
    """All processes of one state folder."""

    def __init__(
        self, home: Home, processes: Sequence[Process], ports: dict[str, int], say: Say
    ) -> None:
        self.home, self.ports, self.say = home, ports, say
        self.children = [Child(home, process, say) for process in processes]
        self._stop = threading.Event()
        self._rotated = 0.0

    def listen_to_signals(self) -> None:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to end cleanly."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def bring_up(self, *, adopt: bool) -> bool:
        """Start or adopt every process and wait until each answers.

        Returns False when told to stop meanwhile. Raises SupervisorError when one cannot start.
        """
        for child in self.children:
            self._start_or_adopt(child, adopt=adopt)
        return all(self._wait_ready(child) for child in self.children if child.process.waited_for)

    def _start_or_adopt(self, child: Child, *, adopt: bool) -> None:
        if child.adopt():
            same = child.record is not None and child.record.fingerprint == fingerprint(
                child.process
            )
            if adopt and same:
                self.say(f"{child.name}: still running, taken over")
                return
            self.say(f"{child.name}: still running, started again with the present code")
            child.stop()
        child.start()

    def _wait_ready(self, child: Child) -> bool:
        began = time.monotonic()
        tell_at = began + TELL_EVERY
        while not self.stopping:
            for one in self.children:
                one.tend()
                self._give_up_if_hopeless(one)
            if child.settled and answers(child.process, self.ports):
                self.say(f"{child.name}: ready")
                return True
            if time.monotonic() - began > child.process.ready_timeout:
                raise SupervisorError(
                    f"{child.name} does not answer after {child.process.ready_timeout:.0f} s; "
                    f"its log is {self.home.log(child.name)}."
                )
            if time.monotonic() > tell_at:
                tell_at += TELL_EVERY
                self.say(f"{child.name}: starting for {time.monotonic() - began:.0f} s by now")
            self._stop.wait(0.05)
        return False

    def _give_up_if_hopeless(self, child: Child) -> None:
        if child.alive or not child.process.waited_for:
            return
        if child.exit_status == HOPELESS:
            raise SupervisorError(child.last_words(), status=HOPELESS)
        if len(child.backoff.crashes) >= FIRST_TRIES:
            raise SupervisorError(
                f"{child.name} cannot start: it ended {child.how_it_ended()}, saying: "
                f"{child.last_words()} (more in {self.home.log(child.name)})"
            )

    def watch(self, also: Callable[[], None] | None = None) -> None:
        """Keep everything running until told to stop."""
        while not self._stop.wait(MOMENT):
            for child in self.children:
                child.tend()
            self._rotate_logs()
            if also is not None:
                also()

    def _rotate_logs(self) -> None:
        if time.monotonic() - self._rotated < ROTATE_EVERY:
            return
        self._rotated = time.monotonic()
        for path in self.home.path("logs").glob("*.log"):
            try:
                rotate(path)
            except OSError as error:  # a full disk must not end the one who watches
                self.say(f"{path} cannot be rotated: {error.strerror}")

    def bring_down(self) -> None:
        """End every process, the last started first. What people run goes on."""
        for child in reversed(self.children):
            child.stop()

"""One watched process: started, adopted, started again with back-off, ended.

Called by `loop`. It signals the process alone and never its group, because what an agent's
shims run must outlive every one of us.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace

from services.supervisor import records
from services.supervisor.backoff import Backoff
from services.supervisor.home import Home
from services.supervisor.logs import last_lines, open_log
from services.supervisor.processes import Process, child_environment, fingerprint
from services.supervisor.records import Record

Say = Callable[[str], None]
# A process that ends so has found something no restart can mend (sysexits: EX_CONFIG).
HOPELESS = 78
SETTLED = 1.5
TROUBLED = 5.0


class Child:
    """The present life of one entry of the process list."""

    def __init__(self, home: Home, process: Process, say: Say) -> None:
        self.home, self.process, self.say = home, process, say
        self.record: Record | None = None
        self.backoff = Backoff()
        self.start_again_at: float | None = None
        self.exit_status: int | None = None
        self._popen: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._saved = True
        self._log_from = 0

    @property
    def name(self) -> str:
        return self.process.name

    @property
    def alive(self) -> bool:
        """Whether it runs now. Reaps our own child when it has ended."""
        if self._popen is not None:
            return self._popen.poll() is None
        return self.record is not None and self.record.alive

    @property
    def settled(self) -> bool:
        """Whether it runs, and one that answers nobody has run long enough to be believed."""
        unproven = self.process.port is None and time.monotonic() - self._began < SETTLED
        return self.alive and not unproven

    def adopt(self) -> bool:
        """Take over a process that an earlier supervisor left running; False when there is none."""
        left = records.load(self.home, self.name)
        if left is None or not left.alive:
            return False
        self.record = left
        self._began = time.monotonic()
        return True

    def start(self) -> None:
        """Start the process in a session of its own, its output appended to its log."""
        log = open_log(self.home.log(self.name))
        self._log_from = os.fstat(log).st_size
        try:
            self._popen = subprocess.Popen(
                self.process.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home.root,
                env=child_environment(self.home),
                start_new_session=True,
            )
        finally:
            os.close(log)
        restarts = len(self.backoff.crashes)
        self.record = records.record_of(
            self._popen.pid, fingerprint(self.process), restarts=restarts
        )
        self._saved = False
        self._save()
        self._began = time.monotonic()
        self.start_again_at = None
        self.exit_status = None

    def tend(self) -> None:
        """Notice an end and start again when it is time. Called every moment by the loop."""
        self._save()
        if self.alive:
            return
        at = time.monotonic()
        if self.start_again_at is None:
            self._ended(at)
        if self.start_again_at is not None and at >= self.start_again_at:
            try:
                self.start()
            except OSError as error:  # no memory, no descriptors, no room: it may pass
                self.start_again_at = at + TROUBLED
                self.say(f"{self.name} cannot be started now: {error.strerror}")

    def _save(self) -> None:
        """Write the record; on a full disk it is tried again at the next moment."""
        if self._saved or self.record is None:
            return
        try:
            records.save(self.home, self.name, self.record)
        except OSError:
            return
        self._saved = True

    def _ended(self, at: float) -> None:
        self.exit_status = self._popen.returncode if self._popen is not None else None
        wait = self.backoff.crashed(at, at - self._began)
        self.start_again_at = at + wait
        reason = f"{self.name} ended {self.how_it_ended()}"
        if self.backoff.looping:
            self.say(
                f"{reason}; it keeps ending, so the next try is in {wait:.0f} s. "
                f"Its last words are in {self.home.log(self.name)}: {self.last_words()}"
            )
        else:
            self.say(f"{reason}; starting it again" + (f" in {wait:g} s" if wait else ""))
        if self.record is not None:
            state = "failing" if self.backoff.looping else "waiting"
            self.record = replace(self.record, state=state, reason=reason)
            self._saved = False
            self._save()

    def how_it_ended(self) -> str:
        """Tell the exit status in words."""
        if self.exit_status is None:
            return "while nobody watched"
        if self.exit_status < 0:
            return f"by signal {signal.Signals(-self.exit_status).name}"
        return f"with status {self.exit_status}"

    def last_words(self) -> str:
        """Return the last line that it wrote in this life, or a dash."""
        path = self.home.log(self.name)
        if path.exists() and path.stat().st_size <= self._log_from:
            return "-"
        return " ".join(last_lines(path, 1)) or "-"

    def stop(self) -> None:
        """End the process: SIGTERM, then SIGKILL after its grace. Forget its record."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(self.process.stop_grace)
            except subprocess.TimeoutExpired:
                self.say(f"{self.name} did not end within {self.process.stop_grace:g} s: killed")
                self._popen.kill()
                self._popen.wait()
        elif self._popen is None and self.record is not None and self.record.alive:
            records.end(self.record, self.process.stop_grace)
        records.remove(self.home, self.name)

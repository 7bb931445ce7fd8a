"""Stands over one run from its start to its end.

Owns the life of one program: claims the run, starts it, moves its log, holds its time, disk
and (without control groups) memory and process limits, ends it when asked, leaves nothing of it
alive, and writes down what became of it. Forked from the zygote, outlives the runtime, depends
on nobody: the wire to the runtime carries hints, the truth is in the files.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import time
from contextlib import suppress
from typing import Any

from spawners.shim import cgroups, endings, files, launch, processes
from spawners.shim.disk import DiskWatch, measure
from spawners.shim.log import LogPump
from spawners.shim.memory import MemoryWatch

_TREE_INTERVAL = 0.25
_DRAIN = 5.0
_NO_ROOM = 10.0  # seconds that a program that is over waits for room for its last output


def run(order: dict[str, Any], wire: socket.socket, boot_id: str) -> None:
    """Be the shim of the run that was ordered; returns when it is over and written down."""
    folder = order["folder"]
    claim = {
        "shim": os.getpid(),
        "shim_start": processes.start_time(os.getpid()),
        "boot_id": boot_id,
    }
    if not files.claim(folder, order["claim"] | claim):
        return
    supervision = Supervision(folder, order, wire)
    supervision.tell("C", claim["shim_start"])
    supervision.run()


class Supervision:
    """One run's program, log, limits and end."""

    def __init__(self, folder: str, order: dict[str, Any], wire: socket.socket) -> None:
        self.folder = folder
        self.order = order
        self.name = os.path.basename(folder)
        self._wire = wire
        self._group = cgroups.Group(*order["group"]) if order["group"] else None
        self._log = LogPump(f"{folder}/{files.LOG}", order["log"], order["log_notice"].encode())
        self._wake, self._status = self._make_wake(), os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._gate = os.pipe2(os.O_CLOEXEC)  # the sandbox waits at it before it executes
        self._told = b""
        self.pid = 0
        self.inner: int | None = None  # pid of the sandbox's first process
        self.exit_status: int | None = None
        self.stopped: dict[str, Any] | None = None
        self._kill_at: float | None = None
        self._deadline: float | None = None
        self._disk = DiskWatch(order["disk_folders"], order["disk"], order["disk_spare"])
        reason = order["reasons"]["memory"]
        self._memory = MemoryWatch(order["endures"], reason, self._group, self._log, self._remark)
        self._tree_due = 0.0
        self._peak = 0
        self._tree_cpu = 0.0
        self._lost: str | None = None  # that output could not be stored, in words
        self.facts: dict[str, Any] = {}

    def _make_wake(self) -> int:
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        return reader

    def tell(self, word: str, *facts: object) -> None:
        """Send the runtime a hint; it may be away, and reads the files when it is back."""
        message = " ".join(map(str, (word, self.name, os.getpid(), *facts)))
        with suppress(OSError):
            self._wire.send(message.encode(), socket.MSG_DONTWAIT)

    def _remark(self, text: str) -> None:
        """Write down what is to be known of the run while it goes on; the newest counts."""
        with suppress(OSError):  # no room: it stands in the log, which waits for some
            files.note(self.folder, {"remark": text})
            self.tell("N")

    # Start

    def run(self) -> None:
        """Start, watch, end, write down."""
        failure = self._start()
        if failure is not None:
            self._finish(failure)
            return
        self._watch()
        self._end_leftovers()
        self._finish(None)

    def _start(self) -> OSError | None:
        launch.become_subreaper()
        order = self.order
        try:
            if self._group is not None:
                cgroups.create(self._group, cgroups.Caps(*order["caps"]))
            if order["owner"] is not None:
                for path in order["own_folders"]:
                    os.chown(path, order["owner"], order["owner"])
                for path in order["give"]:
                    launch.give(path, order["owner"])
            self._see_stop()
            if self.stopped is not None:
                return InterruptedError()
            self.pid = self._launch()
        except OSError as error:
            return error
        self._log.started()
        for handle in (self._status[1], self._gate[0]):
            os.close(handle)
        if order["timeout"] is not None:
            self._deadline = time.monotonic() + order["timeout"]
        if not order["sandboxed"]:
            self._note_running(self.pid)
        return None

    def _launch(self) -> int:
        order = self.order
        if not order["sandboxed"]:
            return launch.launch_bare(order, self._group, self._log.writer)
        handles = {"{status}": self._status[1], "{gate}": self._gate[0]}
        order["argv"] = [str(handles.get(word, word)) for word in order["argv"]]
        return launch.launch_sandboxed(order, self._log.writer, tuple(handles.values()))

    def _entered(self, inner: int) -> None:
        """The sandbox is made and waits: put it under its limits, then let it go on."""
        self.inner = inner
        if self._group is not None:
            try:
                cgroups.join(self._group, inner)
            except OSError as error:
                self._stop("not_started", 0.0, f"limits could not be set: {error.strerror}")
                return
        self._note_running(inner)
        with suppress(BrokenPipeError):  # it died meanwhile, which is told elsewhere
            os.write(self._gate[1], b"1")
        os.close(self._gate[1])

    def _note_running(self, pid: int) -> None:
        self.facts = {
            "pid": pid,
            "start_time": processes.start_time(pid),
            "outer": [self.pid, processes.start_time(self.pid)],
            "started_at": files.now(),
        }
        files.note(self.folder, self.facts)
        self.tell("R", pid, self.facts["started_at"])

    # Watch

    def _watch(self) -> None:
        poll = select.poll()
        for handle in (self._wake, self._log.reader, self._status[0]):
            poll.register(handle, select.POLLIN)
        self._see_stop()  # one that came before the handlers were there
        while self.exit_status is None:
            for handle, _ in poll.poll(self._patience()):
                if handle == self._log.reader:
                    self._move_log(poll)
                elif handle == self._status[0]:
                    if self._read_status():
                        poll.unregister(handle)
                else:
                    self._woken()
            if self._log.retry_at is not None and time.monotonic() >= self._log.retry_at:
                self._move_log(poll)
            self._check_limits()

    def _move_log(self, poll: select.poll) -> None:
        """Move output; look away from the pipe at its end, and while there is no room."""
        self._log.move()
        if self._log.retry_at is None and not self._log.ended:
            poll.register(self._log.reader, select.POLLIN)
            return
        with suppress(KeyError):  # a further try while we look away
            poll.unregister(self._log.reader)

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._wake, 64):
                pass
        self._see_stop()
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.exit_status = status

    def _read_status(self) -> bool:
        """Take what the sandbox says of itself; True at the end of it."""
        try:
            piece = os.read(self._status[0], 4096)
        except BlockingIOError:
            return False
        self._told += piece
        if self.inner is None and b"\n" in self._told:
            self._entered(int(json.loads(self._told.split(b"\n", 1)[0])["child-pid"]))
        return not piece

    @property
    def _executed(self) -> bool:
        """Whether the sandbox says that it executed what it was to execute."""
        with suppress(OSError):
            self._read_status()
        return b'"exit-code"' in self._told

    def _patience(self) -> int | None:
        """Milliseconds until something is due; None when nothing is."""
        due = [self._disk.due]
        if self._deadline is not None and self.stopped is None:
            due.append(self._deadline)
        if self._kill_at is not None:
            due.append(self._kill_at)
        if self._group is None:
            due.append(self._tree_due)
        if self._log.retry_at is not None:
            due.append(self._log.retry_at)
        return max(0, int((min(due) - time.monotonic()) * 1000) + 1)

    def _check_limits(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._stop("time_limit", self.order["grace"], self.order["reasons"]["time"])
        if now >= self._disk.due:
            self._memory.tell()
            if self._disk.exceeded():
                self._stop("disk_limit", self.order["grace"], self.order["reasons"]["disk"])
        if self._group is None and now >= self._tree_due:
            self._check_tree(now)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = now + 1.0
            self._kill()

    def _check_tree(self, now: float) -> None:
        """Hold memory and processes where no control group does."""
        used = processes.tree_usage(os.getpid())
        self._tree_due = now + _TREE_INTERVAL
        self._peak = max(self._peak, used.memory)
        self._tree_cpu = max(self._tree_cpu, used.cpu_seconds)
        _, memory, count = self.order["caps"]
        if used.processes > count:
            self._stop("process_limit", 0.0, self.order["reasons"]["processes"])
        elif (
            used.memory > memory
            and processes.tree_memory(os.getpid()) > memory
            and not self._memory.end_largest(self.pid, self.inner)
        ):
            self._stop("out_of_memory", 0.0, self.order["reasons"]["memory"])

    # End

    def _see_stop(self) -> None:
        wish = files.read(self.folder, files.STOP)
        if wish is not None:
            self._stop(wish["end"], wish["grace"], wish["reason"])

    def _stop(self, end: str, grace: float, reason: str) -> None:
        """Ask the program to end; the first reason stays, a shorter grace replaces a longer."""
        kill_at = time.monotonic() + grace
        if self.stopped is None:
            self.stopped = {"end": end, "reason": reason}
            if self.pid and grace > 0:
                self._terminate()
        if self._kill_at is None or kill_at < self._kill_at:
            self._kill_at = kill_at

    def _terminate(self) -> None:
        # The whole process group is asked, as `timeout` and a terminal do: a shell that waits
        # for a child would otherwise hear of it only after that child.
        group = self.inner if self.order["sandboxed"] else self.pid
        with suppress(ProcessLookupError):
            if group is None:
                os.kill(self.pid, signal.SIGTERM)  # not yet inside: nothing of the person's runs
            else:
                os.killpg(group, signal.SIGTERM)

    def _kill(self) -> None:
        for pid in (self.inner, self.pid):
            if pid and self.exit_status is None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _end_leftovers(self) -> None:
        """Kill what the program left behind, then take the rest of its output."""
        if self._group is not None:
            cgroups.kill(self._group)
        end = time.monotonic() + _DRAIN
        while processes.kill_descendants(os.getpid()) and time.monotonic() < end:
            with suppress(ChildProcessError):
                os.waitpid(-1, 0)
        self._take_the_rest(end)

    def _take_the_rest(self, end: float) -> None:
        """Move the output that the program left, and wait some time if there is no room."""
        poll = select.poll()
        poll.register(self._log.reader, select.POLLIN)
        patience_ends = time.monotonic() + _NO_ROOM
        while not self._log.ended:
            now = time.monotonic()
            if self._log.retry_at is None:
                if now >= end:
                    return
                if poll.poll(100):
                    self._log.move()
                continue
            if now >= patience_ends:
                self._lost = self._log.give_up()
                return
            time.sleep(max(0.0, self._log.retry_at - now))  # nothing else is left to be done
            end = max(end, time.monotonic() + 1.0)  # waiting for room is no slowness of the pipe
            self._log.move()

    def _usage(self) -> dict[str, Any]:
        if self._group is not None:
            with suppress(OSError, ValueError):
                return {
                    "cpu_seconds": cgroups.cpu_seconds(self._group),
                    "memory_peak": cgroups.memory_peak(self._group),
                }
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "cpu_seconds": max(self._tree_cpu, reaped.ru_utime + reaped.ru_stime),
            "memory_peak": max(self._peak, reaped.ru_maxrss * 1024),
        }

    def _finish(self, failure: OSError | None) -> None:
        """Write down what became of the run; the last act."""
        ending = endings.with_loss(self._ending(failure), self._lost)
        facts = {
            **ending._asdict(),
            "finished_at": files.now(),
            "usage": self._usage(),
            "log_size": self._log.size,
        }
        if self._group is not None:
            cgroups.remove(self._group)
        files.note(self.folder, facts)

    def _ending(self, failure: OSError | None) -> endings.Ending:
        reasons = self.order["reasons"]
        if self.stopped is not None:
            status = self.exit_status
            code = None if status is None else endings.exit_code(status, self.order["sandboxed"])
            return endings.Ending(code, self.stopped["end"], self.stopped["reason"])
        if failure is not None:
            return endings.not_executed(failure, self.order["program"])
        code = endings.exit_code(self.exit_status or 0, self.order["sandboxed"])
        if code == 0:
            return endings.Ending(0, None, None)
        beginning = self._log.first_bytes(f"{self.folder}/{files.LOG}", 4096)
        found = endings.sandbox_failure(
            code, beginning, self.order["program"], self._executed, self.order["sandboxed"]
        )
        if found is not None:
            return found
        return self._limit_hit(code, reasons)

    def _limit_hit(self, code: int, reasons: dict[str, str]) -> endings.Ending:
        """Say which limit a failed program had run into, if one."""
        if self._group is not None:
            with suppress(OSError):
                if self._memory.ended_it(code):
                    return endings.Ending(code, "out_of_memory", reasons["memory"])
                if cgroups.refused_forks(self._group):
                    return endings.Ending(code, "process_limit", reasons["processes"])
        full = self.order["disk"] - (1 << 16)  # blocks: a file at its limit may take less than it
        if code == -signal.SIGXFSZ or measure(self.order["disk_folders"]) >= full:
            return endings.Ending(code, "disk_limit", reasons["disk"])
        return endings.Ending(code, None, None)

"""A job while it goes on: its state in one moving line, its log as it comes.

Used by the commands that wait or follow. They end with the exit code of the job's state; by
Ctrl-C they end and the job goes on.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from smalti import decode, durations
from smalti.cli import exits, output
from smalti.cli.app import App
from smalti.cli.terminal import LogFilter, clean
from smalti.views import FINAL, JobView, LogText

if TYPE_CHECKING:
    from smalti.job import Job


def label(app: App, job: Job) -> str:
    """Name a job as people may type it: its project's name and its number."""
    from smalti.errors import SmaltiError

    try:
        return f"{app.client.projects.get(job.view.project_id).full_name}#{job.number}"
    except SmaltiError:
        return job.id  # a consumer of results may not see the project


def sentence(status: str, reason: str | None) -> str:
    """Say how a job is: `Queued: waiting for 2 of 4 CPUs in tier small`."""
    return f"{status}: {clean(reason)}" if reason else status


class StateLine:
    """Shows a job's state on stderr: moving for a terminal, else a line for each change."""

    def __init__(self, app: App, name: str) -> None:
        self._app, self._name = app, clean(name)
        self._shown = ""
        self._status: Any = None

    def __enter__(self) -> StateLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pause()

    def tell(self, status: str, reason: str | None) -> None:
        """Show a state, if it is new."""
        text = f"{self._name} {sentence(status, reason)}"
        if text == self._shown or self._app.json:
            return
        self._shown = text
        if not self._app.lively:
            output.note(text)
            return
        if self._status is None:
            self._status = output.console(stderr=True).status("")
            self._status.start()
        from rich.text import Text

        self._status.update(Text(text))

    def tell_of(self, view: JobView) -> None:
        """Show a job's state; its end is told by `ended`."""
        if not view.is_final:
            self.tell(view.status, view.reason)

    def pause(self) -> None:
        """Take the moving line away, so that something else can be printed."""
        if self._status is not None:
            self._status.stop()
            self._status = None
            self._shown = ""


@contextlib.contextmanager
def leaving(app: App, name: str) -> Iterator[None]:
    """On Ctrl-C say that the job goes on, and how to stop it."""
    try:
        yield
    except KeyboardInterrupt:
        app.note("")
        app.note(f"{name} goes on. To stop it: smalti jobs stop {name}")
        raise


def wait(app: App, job: Job, name: str, timeout: float | None = None) -> int:
    """Wait for a job, showing its state; return the exit code for how it ended."""
    with leaving(app, name), StateLine(app, name) as line:
        job.wait(timeout, changed=line.tell_of)
    return ended(app, job, name)


def follow(app: App, job: Job, name: str, offset: int = 0) -> int:
    """Print a job's log as it comes; return the exit code for how the job ended."""
    write = _json_text if app.json else writer()
    with leaving(app, name), StateLine(app, name) as line:
        if not app.json:
            line.tell(job.status, job.reason)
        try:
            for event in job.follow(offset):
                if isinstance(event, LogText):
                    line.pause()
                    write(event)
                elif app.json:
                    output.print_json_line({"type": "status", **decode.plain(event)})
                elif event.status not in FINAL and (event.status != "Running" or app.lively):
                    line.tell(event.status, event.reason)
        finally:
            line.pause()
            write(None)
        job.wait(changed=line.tell_of)
    return ended(app, job, name, lines=True)


def ended(app: App, job: Job, name: str, *, lines: bool = False) -> int:
    """Tell how a job ended, and return the exit code for it."""
    if app.json:
        view = decode.plain(job.view)
        output.print_json_line({"type": "job", "job": view}) if lines else output.print_json(view)
    else:
        output.note(f"{name} {sentence(job.status, job.reason)}{_took(job.view)}")
        last = job.view.last_lines
        if not lines and job.status == "Failed" and isinstance(last, str) and last.strip():
            app.note("Its last lines:")
            for text in last.splitlines()[-10:]:
                app.note(f"  {text}")
    return exits.of_job(job.status)


def _took(view: JobView) -> str:
    if view.started_at is None or view.finished_at is None:
        return ""
    return f" (ran {durations.show((view.finished_at - view.started_at).total_seconds())})"


def _json_text(piece: LogText | None) -> None:
    if piece is not None:
        output.print_json_line({"type": "log", **decode.plain(piece)})


def writer() -> Callable[[LogText | None], None]:
    """Return what writes pieces of a log to stdout, and on None ends.

    To a terminal without its escape sequences other than colours, else as it is.
    """
    filtered = LogFilter(colours=output.colours()) if output.is_terminal(sys.stdout) else None
    ended_in = [""]

    def write(piece: LogText | None) -> None:
        if piece is None:
            if filtered is not None:
                click.echo(filtered.close() + ("" if ended_in[0] in {"", "\n"} else "\n"), nl=False)
            return
        text = piece.text if filtered is None else filtered.feed(piece.text)
        ended_in[0] = text[-1:] or ended_in[0]
        stream = sys.stdout.buffer
        stream.write(text.encode("utf-8", "replace"))
        stream.flush()

    return write

"""`smalti jobs logs` and `smalti jobs wait`."""

from __future__ import annotations

import codecs
import sys

import click

from smalti.cli import current, output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.jobs import live
from smalti.cli.parsing import span
from smalti.views import LogText


@click.command(cls=Command)
@click.argument("job", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on until the job ends.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Begin at this byte.")
@pass_app
def logs(app: App, job: str | None, follow: bool, offset: int) -> int:
    """Print a job's log.

    With --follow the exit code tells how the job ended. A pipe gets the log as the job wrote
    it, a terminal without escape sequences other than colours.
    """
    found = current.job(app, job)
    if follow:
        return live.follow(app, found, live.label(app, found), offset)
    if app.json:
        text = "".join(found.logs(offset=offset))
        output.print_json({"job_id": found.id, "offset": offset, "text": text})
        return 0
    if output.is_terminal(sys.stdout):
        write, decoder = live.writer(), codecs.getincrementaldecoder("utf-8")("replace")
        for piece in found.log_bytes(offset):
            write(LogText(0, decoder.decode(piece)))
        write(LogText(0, decoder.decode(b"", final=True)))
        write(None)
        return 0
    stream = sys.stdout.buffer
    for piece in found.log_bytes(offset):
        stream.write(piece)
    stream.flush()
    return 0


@click.command(cls=Command)
@click.argument("job", required=False)
@click.option(
    "--timeout",
    metavar="DURATION",
    callback=span,
    help="Wait no longer than this; the job goes on.",
)
@pass_app
def wait(app: App, job: str | None, timeout: int | None) -> int:
    """Wait until a job has ended; the exit code tells how."""
    found = current.job(app, job)
    return live.wait(app, found, live.label(app, found), timeout)

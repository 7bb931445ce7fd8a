"""`smalti jobs`: run, watch, show, fetch, stop, repeat and compare."""

from __future__ import annotations

import click

from smalti.cli.app import Group
from smalti.cli.jobs import compare, control, outputs, run, show, watch


@click.group(cls=Group)
def jobs() -> None:
    """Jobs: programs that run on the platform.

    A JOB is named PROJECT#NUMBER, OWNER/PROJECT#NUMBER, by its id or, in a clone of the
    project, by its number. Where JOB may be left out, your newest one is meant.
    """


for _part in (
    run.run,
    show.list_jobs,
    show.show,
    watch.logs,
    watch.wait,
    outputs.outputs,
    show.metrics,
    control.stop,
    control.rerun,
    compare.compare,
):
    jobs.add_command(_part)

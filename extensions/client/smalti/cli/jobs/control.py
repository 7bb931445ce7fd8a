"""`smalti jobs stop` and `rerun`."""

from __future__ import annotations

import click

from smalti.cli import current, output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.jobs import live
from smalti.cli.terminal import clean


@click.command(cls=Command)
@click.argument("job")
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
@pass_app
def stop(app: App, job: str, wait: bool) -> None:
    """Stop a job."""
    found = current.job(app, job).stop()
    name = live.label(app, found)
    if wait:
        with live.leaving(app, name), live.StateLine(app, name) as line:
            found.wait(changed=line.tell_of)
    text = f"{name} {live.sentence(found.status, found.reason)}"
    app.show(found.view, lambda: output.note(text))


@click.command(cls=Command)
@click.argument("job", required=False)
@click.option("--newest", is_flag=True, help="At the newest commit of its branch, not the same.")
@click.option("--follow/--no-follow", default=False, help="Print its log until it ends.")
@click.option("--wait", is_flag=True, help="Wait until it ends, without its log.")
@pass_app
def rerun(app: App, job: str | None, newest: bool, follow: bool, wait: bool) -> int:
    """Run a job again, with the same settings."""
    made = current.job(app, job).rerun(newest=newest)
    name = live.label(app, made)
    if follow:
        return live.follow(app, made, name)
    if wait:
        return live.wait(app, made, name)
    app.show(made.view, lambda: click.echo(clean(name)))
    return 0

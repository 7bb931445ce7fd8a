"""`smalti jobs run`."""

from __future__ import annotations

from typing import Any

import click

from smalti.cli import current, output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.jobs import live
from smalti.cli.parsing import span, variables
from smalti.cli.terminal import clean
from smalti.errors import BadRequest


@click.command(cls=Command)
@click.argument("project")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--file", "-f", help="Run this file of the project (.py, .ipynb, .sh, .R).")
@click.option("--shell", metavar="LINE", help="Run this line with /bin/sh.")
@click.option("--ref", help="Branch, tag or commit; else the default branch.")
@click.option("--workspace", help="Run this workspace's files as they are now; see below.")
@click.option("--snapshot", type=click.IntRange(1), help="Of the workspace: this snapshot.")
@click.option("--tier", help="Hardware tier; else the project's or the default one.")
@click.option("--environment", help="Environment, by name or id; else the project's.")
@click.option("--revision", type=click.IntRange(1), help="Revision of the environment.")
@click.option(
    "--env",
    "-e",
    callback=variables,
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a variable (repeatable).",
)
@click.option("--title", help="What the job is called in lists.")
@click.option("--tag", "tags", multiple=True, help="Mark the job (repeatable).")
@click.option(
    "--timeout",
    metavar="DURATION",
    callback=span,
    help="Stop it after this time, such as 90s or 2h.",
)
@click.option("--retries", type=click.IntRange(0, 10), help="Start again so often if it fails.")
@click.option("--follow/--no-follow", default=False, help="Print its log until it ends.")
@click.option("--wait", is_flag=True, help="Wait until it ends, without its log.")
@pass_app
def run(app: App, /, project: str, command: tuple[str, ...], **options: Any) -> int:
    """Run a command of a project as a job: smalti jobs run wine -- python train.py

    With --file, what stands after '--' are the file's arguments. Returns at once, unless told
    to --follow or --wait: then the exit code tells how the job ended.

    In a workspace, a job of its own project runs the workspace's files as they are, committed
    or not, unless --ref says otherwise. Members of the project then see them as the job's code.
    """
    follow, wait = options.pop("follow"), options.pop("wait")
    what = _what(command, options.pop("shell"), options.get("file"))
    if options.get("file") and command:
        options["args"] = command
    found = current.project(app, project)
    if options["ref"] is None and options["workspace"] is None:
        options["workspace"] = current.workspace_of(found.id)
    job = app.client.jobs.start(found, what, **options)
    name = f"{found.full_name}#{job.number}"
    if follow:
        return live.follow(app, job, name)
    if wait:
        return live.wait(app, job, name)

    def people() -> None:
        click.echo(clean(name))
        output.note(f"{live.sentence(job.status, job.reason)}. Its log: smalti jobs logs -f {name}")

    app.show(job.view, people)
    return 0


def _what(
    command: tuple[str, ...], shell: str | None, file: str | None
) -> str | tuple[str, ...] | None:
    given = [bool(command) and not file, shell is not None, file is not None]
    if sum(given) != 1:
        raise click.UsageError("say what to run: -- COMMAND..., or --file FILE, or --shell LINE")
    if shell is not None and not shell.strip():
        raise BadRequest("the line for the shell is empty")
    return shell if shell is not None else (None if file else command)

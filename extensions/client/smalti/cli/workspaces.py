"""`smalti workspaces`: made, started, opened, stopped, kept, deleted and had back."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

import click

from smalti.cli import current, output
from smalti.cli.app import App, Group, pass_app
from smalti.cli.jobs import live
from smalti.cli.parsing import span
from smalti.cli.snapshots import branch, restore, snapshots
from smalti.cli.terminal import clean

if TYPE_CHECKING:
    from smalti.views import WorkspaceView
    from smalti.workspace import Workspace

STATES = ["Stopped", "Starting", "Queued", "Preparing", "Running", "Stopping", "Failed"]


@click.group(cls=Group)
def workspaces() -> None:
    """Workspaces: JupyterLab on a project, in a folder that stays.

    A WORKSPACE is one of yours by its name, or any by its id.
    """


@workspaces.command("create")
@click.argument("project")
@click.option("--name", help="Its name; else derived from the project's.")
@click.option("--title", help="What it is called in lists.")
@click.option("--tool", type=click.Choice(["jupyterlab"]), help="What to work with.")
@click.option("--environment", help="Environment, by name or id; else the project's.")
@click.option("--revision", type=click.IntRange(1), help="Revision of the environment.")
@click.option("--tier", help="Hardware tier; else the project's or the default one.")
@click.option("--branch", help="Branch, tag or commit; else the default branch.")
@click.option("--no-start", is_flag=True, help="Make it without starting it.")
@click.option("--wait/--no-wait", default=True, help="Wait until it can be opened.")
@pass_app
def create(app: App, /, project: str, no_start: bool, wait: bool, **options: Any) -> None:
    """Make a workspace of a project and start it: smalti workspaces create wine"""
    made = app.client.workspaces.create(current.project(app, project), **options)
    app.note(f"Made workspace {made.name}.")
    if not no_start:
        _start(app, made, wait)
    _shown(app, made)


@workspaces.command("list")
@click.argument("project", required=False)
@click.option("--status", type=click.Choice(STATES, case_sensitive=False), help="In this state.")
@click.option("--all", "everybody", is_flag=True, help="Those of others too.")
@click.option("--deleted", is_flag=True, help="Deleted ones that can be had back.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@pass_app
def list_workspaces(app: App, /, project: str | None, everybody: bool, **which: Any) -> None:
    """List your workspaces, the newest first: of a project, or all."""
    chosen = None if project is None else current.project(app, project)
    person = None if everybody else "me"
    found = list(app.client.workspaces.list(project=chosen, person=person, **which))
    heads = ("workspace", "status", "project", "owner", "active", "reason")
    rows = [
        (
            one.name,
            one.status,
            one.view.project,
            one.view.owner.name,
            output.ago(one.view.last_activity_at),
            one.reason,
        )
        for one in found
    ]
    app.show([one.view for one in found], lambda: output.print_table(heads, rows))


@workspaces.command("show")
@click.argument("workspace")
@pass_app
def show(app: App, workspace: str) -> None:
    """Show a workspace: how it stands, why, and when it ends by itself."""
    found = app.client.workspaces.get(workspace)
    app.show(found.view, lambda: output.print_fields(_pairs(found.view)))


@workspaces.command("start")
@click.argument("workspace")
@click.option("--wait/--no-wait", default=True, help="Wait until it can be opened.")
@click.option(
    "--timeout", metavar="DURATION", callback=span, help="Wait no longer; it starts all the same."
)
@pass_app
def start(app: App, workspace: str, wait: bool, timeout: int | None) -> None:
    """Start a workspace, telling what it waits for until it can be opened."""
    found = app.client.workspaces.get(workspace)
    _start(app, found, wait, timeout)
    _shown(app, found)


@workspaces.command("stop")
@click.argument("workspace")
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
@pass_app
def stop(app: App, workspace: str, wait: bool) -> None:
    """Stop a workspace; its files stay."""
    found = app.client.workspaces.get(workspace).stop()
    if wait:
        with live.StateLine(app, found.name) as line:

            def tell(view: WorkspaceView) -> None:
                if view.status != "Stopped":  # the end is told below
                    line.tell(view.status, view.reason)

            found.wait(status="Stopped", changed=tell)
    text = f"{found.name} {live.sentence(found.status, found.reason)}"
    app.show(found.view, lambda: output.note(text))


@workspaces.command("open")
@click.argument("workspace")
@click.option("--browser", is_flag=True, help="Open it in this machine's browser.")
@pass_app
def open_(app: App, workspace: str, browser: bool) -> None:
    """Print the address of a workspace, starting it if it does not run."""
    found = app.client.workspaces.get(workspace)
    if found.status != "Running":
        _start(app, found, True)
    _shown(app, found)
    if browser and found.url:
        webbrowser.open(found.url)


@workspaces.command("keep")
@click.argument("workspace")
@click.argument("duration", required=False, callback=span)
@click.option("--off", is_flag=True, help="Give the lease back.")
@pass_app
def keep(app: App, workspace: str, duration: int | None, off: bool) -> None:
    """Keep a running workspace though nothing happens in it: smalti workspaces keep wine 8h"""
    if off == (duration is not None):
        raise click.UsageError("say for how long, such as 8h, or --off")
    found = app.client.workspaces.get(workspace).keep(None if off else duration)
    until = output.local(found.view.keep_until)
    text = f"{found.name} is kept until {until}." if until else f"{found.name} is not kept."
    app.show(found.view, lambda: output.note(text))


@workspaces.command("delete")
@click.argument("workspace")
@pass_app
def delete(app: App, workspace: str) -> None:
    """Delete a workspace; for some days it can be had back with its files."""
    found = app.client.workspaces.get(workspace)
    found.delete()
    back = f"Have it back with: smalti workspaces undelete {found.name}"
    app.show({"deleted": found.id}, lambda: output.note(f"Deleted {found.name}. {back}"))


@workspaces.command("undelete")
@click.argument("workspace")
@pass_app
def undelete(app: App, workspace: str) -> None:
    """Have a deleted workspace back."""
    found = app.client.workspaces.get(workspace, deleted=True).undelete()
    app.show(found.view, lambda: output.note(f"{found.name} is back."))


def _start(app: App, found: Workspace, wait: bool, timeout: float | None = None) -> None:
    found.start()
    if not wait:
        return
    with live.StateLine(app, found.name) as line:
        try:
            found.wait(timeout, changed=lambda view: line.tell(view.status, view.reason))
        except KeyboardInterrupt:
            app.note("")
            app.note(f"{found.name} goes on. To stop it: smalti workspaces stop {found.name}")
            raise


def _shown(app: App, found: Workspace) -> None:
    def people() -> None:
        if found.url and found.status == "Running":
            click.echo(clean(found.url, 2000))
        else:
            output.note(f"{found.name} {live.sentence(found.status, found.reason)}")

    app.show(found.view, people)


def _pairs(view: WorkspaceView) -> list[tuple[str, object]]:
    return [
        ("workspace", view.name),
        ("title", view.title),
        ("id", view.id),
        ("project", view.project),
        ("owner", view.owner.name),
        ("status", view.status),
        ("reason", view.reason),
        ("address", view.url),
        ("works at", view.busy),
        ("ends", output.local(view.ends_at)),
        ("kept until", output.local(view.keep_until)),
        ("last activity", output.ago(view.last_activity_at)),
        ("tool", view.tool),
        ("branch", view.branch),
        ("environment", view.environment_id),
        ("revision", view.revision),
        ("tier", view.tier),
        ("starts", view.starts),
        ("made", output.local(view.created_at)),
        ("deleted", output.local(view.deleted_at)),
        ("gone for good", output.local(view.gone_at)),
    ]


for _command in (snapshots, restore, branch):
    workspaces.add_command(_command)

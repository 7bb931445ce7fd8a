"""`smalti workspaces snapshots`, `restore` and `branch`: what was saved of a workspace."""

from __future__ import annotations

import click

from smalti.cli import output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.terminal import clean


@click.command("snapshots", cls=Command)
@click.argument("workspace")
@click.option("--limit", type=click.IntRange(1), default=20, help="Show so many.")
@click.option("--take", is_flag=True, help="Save the files of a running workspace now, first.")
@pass_app
def snapshots(app: App, workspace: str, limit: int, take: bool) -> None:
    """List what was saved of a workspace's files, the newest first.

    Files that are not in the newest snapshot are named, with the reason.
    """
    if take:
        app.client.snapshots.take(workspace)
    found = list(app.client.snapshots.list(workspace, limit=limit))
    heads = ("number", "taken", "files", "size", "changed", "not saved", "commit")
    rows = [
        (
            one.number,
            output.ago(one.taken_at),
            one.files,
            output.size(one.size),
            "yes" if one.changed else "no",
            len(one.unsafe) or "",
            one.commit[:10],
        )
        for one in found
    ]

    def people() -> None:
        output.print_table(heads, rows)
        for text in found[0].unsafe if found else ():
            output.note(f"not in the newest: {clean(text)}")

    app.show(found, people)


@click.command("restore", cls=Command)
@click.argument("workspace")
@click.argument("number", type=click.IntRange(1))
@pass_app
def restore(app: App, workspace: str, number: int) -> None:
    """Go back: a stopped workspace starts with the files of a snapshot.

    What it has now stays in its newest snapshot.
    """
    made = app.client.snapshots.restore(workspace, number)
    app.show(
        made,
        lambda: output.note(
            f"The workspace will have the files of snapshot {made.number} when it is started."
        ),
    )


@click.command("branch", cls=Command)
@click.argument("workspace")
@click.argument("number", type=click.IntRange(1))
@click.argument("name")
@pass_app
def branch(app: App, workspace: str, number: int, name: str) -> None:
    """Open a snapshot beside: make a branch of the project at it.

    Members of the project see the branch, with all files of the snapshot.
    """
    made = app.client.snapshots.branch(workspace, number, name)
    app.show(made, lambda: click.echo(f"{clean(made.name)} {made.commit[:10]}"))

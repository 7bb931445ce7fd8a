"""`smalti files`: a project's files without a clone; each change is a commit of yours."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from smalti.cli import current, output
from smalti.cli.app import App, Group, pass_app
from smalti.errors import TransferFailed

REF = click.option("--ref", help="Branch, tag or commit; else the default branch.")
BRANCH = click.option("--branch", help="Commit to this branch; else the default one.")
MESSAGE = click.option("--message", "-m", help="The commit's message.")


@click.group(cls=Group)
def files() -> None:
    """Files of a project, at any branch, tag or commit."""


@files.command("list")
@click.argument("project")
@click.argument("path", required=False)
@REF
@pass_app
def list_files(app: App, project: str, path: str | None, ref: str | None) -> None:
    """List what a directory of the project holds."""
    found = list(current.project(app, project).files.list(path, ref=ref))
    rows = [
        (one.path + ("/" if one.type == "directory" else ""), output.size(one.size))
        for one in found
    ]
    app.show(found, lambda: output.print_table(("path", "size"), rows))


@files.command("get")
@click.argument("project")
@click.argument("path")
@click.option("--output", "-o", "target", metavar="FILE", help="Write here; '-' is stdout.")
@REF
@pass_app
def get(app: App, project: str, path: str, target: str | None, ref: str | None) -> None:
    """Fetch a file: into FILE, else under its own name in this folder."""
    found = current.project(app, project)
    if target == "-":
        content = found.files.read(path, ref=ref)
        if app.json:
            text = content.decode("utf-8", "replace")
            output.print_json({"path": path, "size": len(content), "text": text})
            return
        stream = sys.stdout.buffer
        stream.write(content)
        stream.flush()
        return
    name = path.rsplit("/", 1)[-1]
    goal = found.files.download(path, target or _own_name(name), ref=ref)
    value = {"path": path, "file": str(goal), "size": goal.stat().st_size}
    app.show(value, lambda: output.note(f"{path} is now in {goal}."))


def _own_name(name: str) -> Path:
    from smalti.downloads import place

    target = place(Path.cwd(), name)
    if target.exists():
        raise TransferFailed(f"{name} is here already: say --output FILE")
    return target


@files.command("put")
@click.argument("project")
@click.argument("source", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@click.argument("path", required=False)
@BRANCH
@MESSAGE
@pass_app
def put(
    app: App, project: str, source: str, path: str | None, branch: str | None, message: str | None
) -> None:
    """Put FILE ('-' is stdin) into the project, at PATH or under its own name."""
    if source == "-" and path is None:
        raise click.UsageError("what comes from stdin needs a PATH")
    from smalti.files import Change

    found = current.project(app, project)
    content = sys.stdin.buffer.read() if source == "-" else Path(source)
    goal = path or Path(source).name
    commit = found.files.write(goal, content, Change(branch, message))
    app.show(commit, lambda: output.note(f"{goal} is in commit {commit.id[:10]}."))


@files.command("remove")
@click.argument("project")
@click.argument("path")
@BRANCH
@MESSAGE
@pass_app
def remove(app: App, project: str, path: str, branch: str | None, message: str | None) -> None:
    """Take a file out of the project."""
    from smalti.files import Change

    commit = current.project(app, project).files.remove(path, Change(branch, message))
    app.show(commit, lambda: output.note(f"{path} is removed."))

"""`smalti secrets` and `smalti vault`. A value is typed unseen or piped in, never an argument."""

from __future__ import annotations

import sys
import time

import click

from smalti.cli import current, output
from smalti.cli.app import App, Group, pass_app
from smalti.cli.terminal import clean
from smalti.errors import BadRequest

LARGEST = 1 << 20  # bytes that are read; the platform says how many it takes
PROJECT = click.option("--project", help="Of this project (`.`: the current one), not your own.")


@click.group(cls=Group)
def secrets() -> None:
    """Secrets: variables of your runs whose values nobody is shown."""


@secrets.command("set")
@click.argument("name")
@PROJECT
@pass_app
def set_secret(app: App, name: str, project: str | None) -> None:
    """Keep a secret. Its value is asked for, or read from standard input."""
    project_id = _project(app, project)
    value = _value(name)
    made = app.client.secrets.set(name, value, project_id)
    if not made.hidden_in_logs:
        app.note(
            f"Warning: the value of {clean(name)} is too short to be hidden: a log that it is "
            "written to shows it."
        )
    app.show(made, lambda: output.note(f"{clean(name)} is kept."))


@secrets.command("list")
@PROJECT
@pass_app
def list_secrets(app: App, project: str | None) -> None:
    """List secrets by name; never their values."""
    found = list(app.client.secrets.list(_project(app, project)))
    heads = ("name", "scope", "changed", "by", "last used", "used by")
    rows = [
        (
            one.name,
            one.scope,
            output.ago(one.updated_at),
            one.updated_by.name,
            output.ago(one.last_used_at) or "never",
            ", ".join(f"{use.kind} of {use.person.name}" for use in one.used_by[:3]),
        )
        for one in found
    ]
    app.show(found, lambda: output.print_table(heads, rows))


@secrets.command("delete")
@click.argument("name")
@PROJECT
@pass_app
def delete(app: App, name: str, project: str | None) -> None:
    """Delete a secret; runs that have begun keep what they were given."""
    app.client.secrets.delete(name, _project(app, project))
    app.show({"deleted": name}, lambda: output.note(f"{clean(name)} is deleted."))


@click.group(cls=Group)
def vault() -> None:
    """The vault that keeps secrets, for administrators."""


@vault.command("status")
@pass_app
def status(app: App) -> None:
    """Show which keys are in use and how the last rotation went."""
    found = app.client.secrets.vault()
    last = found.rotation
    pairs = [
        ("master key kept by", found.provider),
        ("master keys in use", ", ".join(found.master_keys)),
        ("sealed values", found.sealed),
        ("last rotation", last and f"{last.what} keys: {last.phase}, {last.done} of {last.total}"),
        ("it waits", last and last.reason),
    ]
    app.show(found, lambda: output.print_fields(pairs))


@vault.command("rotate")
@click.option("--data", is_flag=True, help="Seal every value anew, under a new data key.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the end.")
@pass_app
def rotate(app: App, data: bool, no_wait: bool) -> None:
    """Change the master key (or with --data the data keys) while everything runs."""
    client = app.client.secrets
    client.rotate("data" if data else "master")
    found = client.vault()
    while not no_wait and found.rotation is not None and found.rotation.phase != "done":
        if found.rotation.reason:
            app.note(found.rotation.reason)
        time.sleep(0.5)
        found = client.vault()
    last = found.rotation
    app.show(found, lambda: output.note(f"{last.done} of {last.total} values." if last else ""))


def _project(app: App, project: str | None) -> str | None:
    return None if project is None else current.project(app, project).id


def _value(name: str) -> str:
    """Ask for a value without showing it, or read what is piped in.

    One line loses its line end, which a shell's echo adds; several lines stay as they are.
    """
    if output.is_terminal(sys.stdin):
        text: str = click.prompt(f"Value of {clean(name)}", hide_input=True, err=True)
        return text
    raw = sys.stdin.buffer.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise BadRequest("the value is too long")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the value is not UTF-8 text; encode it first, as with base64") from error
    line = text.removesuffix("\n").removesuffix("\r")
    return text if "\n" in line else line

"""`smalti jobs compare`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from smalti.cli import current, output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.terminal import clean, clean_lines
from smalti.views import Comparison, OutputSide


@click.command(cls=Command)
@click.argument("left")
@click.argument("right")
@click.option("--patch", is_flag=True, help="Show the difference of the code in full.")
@pass_app
def compare(app: App, left: str, right: str, patch: bool) -> None:
    """Compare two jobs: settings, code, metrics and outputs."""
    sides = current.job(app, left), current.job(app, right)
    found = app.client.jobs.compare(*sides)
    app.show(found, lambda: _print(found, (left, right), patch=patch))


def _print(found: Comparison, names: tuple[str, str], *, patch: bool) -> None:
    heads = [clean(name) for name in names]
    _section("Settings", heads, [(one.name, one.left, one.right) for one in found.settings])
    metrics = [(m.name, output.number(m.left), output.number(m.right)) for m in found.metrics]
    _section("Metrics", heads, metrics)
    _section(
        "Outputs",
        heads,
        [(one.path, _side(one.left), _side(one.right)) for one in found.outputs if not one.same],
    )
    code = [
        (one.path, one.status, f"+{one.additions or 0} -{one.deletions or 0}")
        for one in found.code.files
    ]
    _section("Code", ["change", "lines"], code)
    if patch:
        click.echo(clean_lines(found.code.patch))


def _section(title: str, heads: list[str], rows: Sequence[tuple[object, object, object]]) -> None:
    click.echo(f"{title}:" if rows else f"{title}: no difference")
    if rows:
        output.print_table(("  name", *heads), [(f"  {row[0]}", *row[1:]) for row in rows])


def _side(one: OutputSide | None) -> str:
    return "-" if one is None else f"{output.size(one.size)} {(one.sha256 or '')[:8]}".rstrip()

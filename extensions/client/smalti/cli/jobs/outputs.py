"""`smalti jobs outputs`: listed, or brought here."""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from smalti.cli import current, output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.terminal import clean

if TYPE_CHECKING:
    from smalti.views import Output


@click.command(cls=Command)
@click.argument("job", required=False)
@click.option("--download", metavar="DIR", help="Bring the files into this folder.")
@click.option("--filter", "pattern", metavar="GLOB", default="*", help="Only these, as '*.png'.")
@pass_app
def outputs(app: App, job: str | None, download: str | None, pattern: str) -> None:
    """List the files that a job left, or download them.

    Each file is checked by its checksum and appears only when it is whole; one that is there
    and unchanged is not fetched again.
    """
    found = current.job(app, job)
    if download is None:
        chosen = [one for one in found.outputs() if fnmatch.fnmatchcase(one.path, pattern)]
        rows = [(one.path, output.size(one.size), one.media_type) for one in chosen]
        app.show(chosen, lambda: output.print_table(("path", "size", "type"), rows))
        return
    with _progress(app) as progress:
        files = [str(path) for path in found.download(download, pattern, progress=progress)]

    def people() -> None:
        for name in files:
            click.echo(clean(name, 4096))
        output.note(f"{len(files)} files are in {download}.")

    app.show({"folder": download, "files": files}, people)


@contextlib.contextmanager
def _progress(app: App) -> Iterator[Callable[[Output, int], None]]:
    """Show how downloads come along, where somebody watches."""
    if not app.lively:
        yield lambda one, count: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=output.console(stderr=True), transient=True) as bar:
        tasks: dict[str, object] = {}

        def advance(one: Output, count: int) -> None:
            if one.path not in tasks:
                tasks[one.path] = bar.add_task(clean(one.path, 60), total=one.size)
            bar.advance(tasks[one.path], count)  # type: ignore[arg-type]

        yield advance

"""`smalti completion`: lets a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from smalti.cli.app import App, Command, pass_app


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_app
def completion(app: App, shell: str) -> None:
    """Print the completion script of a shell.

    For bash, put `eval "$(smalti completion bash)"` into ~/.bashrc.
    """
    from smalti.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(cli, {}, "smalti", "_SMALTI_COMPLETE").source()
    app.show({"shell": shell, "script": script}, lambda: click.echo(script))

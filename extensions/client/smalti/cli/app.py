"""What every command gets: the client, made when first needed, and how to print.

Also the kinds of command and group that give each command `--json`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from smalti.cli import output

if TYPE_CHECKING:
    from smalti.client import Client


class App:
    """One run of the command line."""

    def __init__(self, server: str | None = None, profile: str | None = None) -> None:
        self.server = server
        self.profile = profile
        self.json = False
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The client for the server that was named, or else is configured."""
        if self._client is None:
            from smalti.client import connect

            self._client = connect(self.server, profile=self.profile)
        return self._client

    def close(self) -> None:
        """Close the client, if there is one."""
        if self._client is not None:
            self._client.close()

    def show(self, value: Any, people: Callable[[], None]) -> None:
        """Print a result: as JSON if that was asked for, else as `people` does it."""
        if self.json:
            from smalti import decode

            output.print_json(decode.plain(value))
        else:
            people()

    def note(self, text: str) -> None:
        """Remark something to people, on stderr; programs are not told."""
        if not self.json:
            output.note(text)

    @property
    def lively(self) -> bool:
        """Tell whether somebody watches stderr, where moving things are shown."""
        return not self.json and output.is_terminal(sys.stderr)

    @property
    def debug(self) -> bool:
        """Tell whether faults are to be shown with their trace."""
        return os.environ.get("SMALTI_DEBUG", "") not in {"", "0"}


def _set_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_object(App).json = True  # type: ignore[union-attr]


class Command(click.Command):
    """A command with `--json`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--json"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_set_json,
                help="Print JSON, for programs.",
            )
        )


class Group(click.Group):
    """A group whose commands have `--json`."""

    command_class = Command
    group_class = type


CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
pass_app = click.make_pass_decorator(App)

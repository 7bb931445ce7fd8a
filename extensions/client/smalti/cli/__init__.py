"""The command line: `smalti`. Here: its root, and how every run of it ends.

Must never show a trace to people, or a token to anybody. Commands are one file per noun;
none imports the client before it is needed, so that help and completion are quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from smalti import __version__
from smalti.cli import (
    account,
    catalog,
    clone,
    completion,
    exits,
    files,
    jobs,
    models,
    projects,
    secrets,
    tokens,
    workspaces,
)
from smalti.cli.app import CONTEXT, App, Group
from smalti.cli.terminal import clean
from smalti.errors import SmaltiError


class _ReaderGone(Exception):
    """What a broken pipe becomes on its way through click, which would end with 1."""


class _Root(Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error


@click.group(cls=_Root, context_settings=CONTEXT)
@click.option("--server", metavar="URL", help="The platform's address.")
@click.option("--profile", metavar="NAME", help="The login to use, if there are several.")
@click.version_option(__version__, prog_name="smalti")
@click.pass_context
def cli(context: click.Context, server: str | None, profile: str | None) -> None:
    """Work with a Smalti platform: projects, jobs, their logs and outputs."""
    app = App(server, profile)
    context.obj = app
    context.call_on_close(app.close)


for _part in (
    account.login,
    account.logout,
    account.whoami,
    account.status,
    projects.projects,
    files.files,
    jobs.jobs,
    models.models,
    models.experiments,
    workspaces.workspaces,
    catalog.environments,
    catalog.tiers,
    catalog.planes,
    tokens.tokens,
    secrets.secrets,
    secrets.vault,
    clone.git_credential,
    completion.completion,
):
    cli.add_command(_part)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(args=words, prog_name="smalti", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else exits.OK
    except click.ClickException as error:
        error.show()
        return exits.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return exits.INTERRUPTED
    except SmaltiError as error:
        return _told(error, as_json=_wants_json(words))
    except (BrokenPipeError, _ReaderGone):
        # Nothing more can be written; keep the interpreter from trying at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.PIPE
    except Exception as error:
        if _debug():
            raise
        name = type(error).__name__
        click.echo(f"smalti: {name}: {clean(error)} (a fault; see SMALTI_DEBUG=1)", err=True)
        return exits.INTERNAL


def _told(error: SmaltiError, *, as_json: bool) -> int:
    code = exits.of_error(error)
    if _debug():
        import traceback

        traceback.print_exc()
    if as_json:
        fields = ("code", "message", "status", "request_id", "details")
        body = {name: getattr(error, name) for name in fields}
        click.echo(json.dumps({"error": body, "exit_code": code}), err=True)
        return code
    found = f" [request {clean(error.request_id)}]" if (error.status or 0) >= 500 else ""
    click.echo(f"smalti: {clean(error.message, 1000)}{found}", err=True)
    return code


def _wants_json(words: list[str]) -> bool:
    own = words[: words.index("--")] if "--" in words else words
    return "--json" in own


def _debug() -> bool:
    return os.environ.get("SMALTI_DEBUG", "") not in {"", "0"}

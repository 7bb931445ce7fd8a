"""`smalti projects clone`, and `smalti git-credential` which git asks for the token.

So git works with the login that is there already, and the token gets into no address, no
command line and no file of git's.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from urllib.parse import urlsplit

import click

from smalti import address, config, settings
from smalti.cli import current, output
from smalti.cli.app import App, Command, pass_app
from smalti.errors import ConfigurationError, TransferFailed

LONGEST_LINE = 10_000


@click.command("clone", cls=Command)
@click.argument("project")
@click.argument("folder", required=False)
@click.option("--branch", help="Check out this branch.")
@pass_app
def clone(app: App, project: str, folder: str | None, branch: str | None) -> None:
    """Clone a project's repository. Pull and push there need no password."""
    found = current.project(app, project)
    url, name = found.clone_url, folder or found.name
    origin = address.origin_of(url)
    if not origin.same(app.client.target.address.origin):
        raise TransferFailed(f"the platform gives another server's address: {url}")
    key = f"credential.{origin.scheme}://{urlsplit(url).netloc}.helper"
    # The empty one first: no other helper is asked, or told the token to keep.
    command = ["git", "clone", "-c", f"{key}=", "-c", f"{key}={_helper(app)}"]
    if branch is not None:
        command += ["--branch", branch]
    try:
        done = subprocess.run([*command, "--", url, name], stdout=subprocess.DEVNULL, check=False)
    except OSError as error:
        raise TransferFailed(f"git cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise TransferFailed(f"git clone ended with {done.returncode}")
    value = {"project": found.full_name, "folder": name, "url": url}
    app.show(value, lambda: output.note(f"{found.full_name} is in {name}."))


def _helper(app: App) -> str:
    words = [sys.executable, "-m", "smalti"]
    if app.client.target.profile is not None:
        words += ["--profile", app.client.target.profile]
    return f"!{shlex.join(words)} git-credential"


@click.command("git-credential", cls=Command)
@click.argument("action", type=click.Choice(["get", "store", "erase"]))
@pass_app
def git_credential(app: App, action: str) -> None:
    """Be git's credential helper: git asks, and gets your token for the platform only.

    To use it in any clone:
    git config credential.http://localhost:8000.helper '!smalti git-credential'
    """
    asked = dict(line.rstrip("\n").partition("=")[::2] for line in iter(_line, "") if line != "\n")
    if action != "get":
        return
    try:
        origin = address.origin_of(f"{asked.get('protocol')}://{asked.get('host')}")
    except ConfigurationError:
        return
    target = settings.resolve(settings.Wish(app.server, profile=app.profile))
    if not origin.same(target.address.origin):
        target = _of_origin(origin) or target
    if not origin.same(target.address.origin) or target.token is None:
        return  # silence lets git ask somebody else
    answer = {"username": target.user or "token", "password": target.token}
    app.show(answer, lambda: click.echo("".join(f"{k}={v}\n" for k, v in answer.items()), nl=False))


def _line() -> str:
    line = sys.stdin.readline(LONGEST_LINE)
    return "" if line == "\n" else line


def _of_origin(origin: address.Origin) -> settings.Target | None:
    for name, profile in config.load(config.path()).profiles.items():
        where = address.parse(profile.url)
        if origin.same(where.origin):
            return settings.Target(where, profile.token, name, profile.user)
    return None

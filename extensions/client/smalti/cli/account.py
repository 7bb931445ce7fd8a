"""`smalti login`, `logout`, `whoami` and `status`."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import click

from smalti import address, config
from smalti.cli import exits, output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.parsing import span
from smalti.cli.terminal import clean
from smalti.config import Profile
from smalti.errors import BadRequest, ConfigurationError, SmaltiError

if TYPE_CHECKING:
    from smalti.address import Address

ASK = "ask"


@click.command(cls=Command)
@click.argument("url", required=False)
@click.option("--user", metavar="NAME", help="Your name; asked for if not given.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option(
    "--token",
    is_flag=False,
    flag_value=ASK,
    help="Use this token instead of a password: asked for if none follows, '-' reads it from "
    "standard input. (Others on this machine may see what is on a command line.)",
)
@click.option(
    "--expires",
    metavar="DURATION",
    callback=span,
    default="90d",
    help="How long the token that is made is good for, such as 12h or 90d (the default).",
)
@click.option("--save-as", metavar="NAME", help="Name of this login, to have several.")
@pass_app
def login(app: App, /, url: str | None, **options: object) -> None:
    """Log in to the platform at URL, and keep a token for it in a file of your own.

    With name and password a new token is made; `smalti logout` revokes it.
    """
    file = config.path()
    known = config.load(file)
    name = options["save_as"] or app.profile or os.environ.get("SMALTI_PROFILE")
    profile_name = str(name or known.current)
    where = _where(url or app.server, known.profiles.get(profile_name))
    if not address.is_loopback(where.origin.host) and where.origin.scheme == "http":
        app.note(f"warning: {where.root} is not encrypted; others may read what you send")
    if options["token"] is not None:
        profile = _by_token(where, str(options["token"]))
    else:
        profile = _by_password(where, options)
    config.save(config.load(file).with_profile(profile_name, profile), file)
    if os.environ.get("SMALTI_TOKEN"):
        app.note("warning: SMALTI_TOKEN is set and goes before this login")
    value = {"url": where.root, "user": profile.user, "profile": profile_name}
    app.show(value, lambda: output.note(f"Logged in to {where.root} as {profile.user}."))


def _where(url: str | None, profile: Profile | None) -> Address:
    known = profile.url if profile else address.DEFAULT
    return address.parse(url or os.environ.get("SMALTI_API_URL") or known)


def _by_token(where: Address, given: str) -> Profile:
    from smalti.client import Client
    from smalti.settings import Target

    token = given
    if given == "-":
        token = sys.stdin.readline().strip()
    elif given == ASK:
        token = click.prompt("Token", hide_input=True, err=True).strip()
    with Client(Target(where, token)) as client:
        return Profile(where.root, client.me().name, token)


def _by_password(where: Address, options: dict[str, object]) -> Profile:
    from smalti import hub
    from smalti.client import Client
    from smalti.settings import Target
    from smalti.transport import Transport

    user = str(options["user"] or _ask("User", hidden=False))
    if options["password_stdin"]:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = _ask(f"Password of {clean(user)}", hidden=True)
    seconds = options["expires"]
    assert isinstance(seconds, int)
    wish = hub.Login(user, password, f"smalti on {socket.gethostname()}", seconds)
    transport = Transport(where, None)
    try:
        made = hub.make_token(transport, wish)
    finally:
        transport.close()
    with Client(Target(where, made.token)) as client:
        try:
            name = client.me().name
        except SmaltiError:
            hub.revoke_token(client.transport, made.user, made.id)  # nobody will ever use it
            raise
    return Profile(where.root, name, made.token, made.id or None, made.expires_at)


def _ask(what: str, *, hidden: bool) -> str:
    if not output.is_terminal(sys.stdin):
        raise BadRequest(
            "nobody is there to be asked: give --user and --password-stdin, or --token -"
        )
    return str(click.prompt(what, hide_input=hidden, err=True))


@click.command(cls=Command)
@click.option("--all", "every", is_flag=True, help="End every login.")
@pass_app
def logout(app: App, every: bool) -> int:
    """Revoke the token of a login and forget it."""
    file = config.path()
    known = config.load(file)
    name = app.profile or os.environ.get("SMALTI_PROFILE") or known.current
    names = list(known.profiles) if every else [name]
    if not every and name not in known.profiles:
        raise ConfigurationError("you are not logged in")
    code, revoked = exits.OK, []
    for one in names:
        problem = _revoke(known.profiles[one])
        config.save(config.load(file).without_profile(one), file)
        if problem is None:
            revoked.append(one)
        else:
            code = exits.CONNECTION
            app.note(f"Forgotten here; but the token could not be revoked: {problem}")
    value = {"forgotten": names, "revoked": revoked}
    app.show(value, lambda: output.note(f"Logged out of {', '.join(names) or 'nothing'}."))
    return code


def _revoke(profile: Profile) -> str | None:
    """Revoke a login's token where we made it; return what went wrong."""
    if profile.token_id is None:
        return None  # it was brought along, and may be in use elsewhere
    from smalti import hub
    from smalti.transport import Transport

    try:
        transport = Transport(address.parse(profile.url), profile.token)
        hub.revoke_token(transport, profile.user, profile.token_id)
        transport.close()
    except SmaltiError as error:
        return error.message
    return None


@click.command(cls=Command)
@pass_app
def whoami(app: App) -> None:
    """Show who you are to the platform."""
    me = app.client.me()
    pairs = [
        ("name", me.name),
        ("id", me.id),
        ("kind", me.kind),
        ("roles", ", ".join(me.roles)),
        ("groups", ", ".join(me.groups)),
        ("server", app.client.url),
    ]
    app.show(me, lambda: output.print_fields(pairs))


@click.command(cls=Command)
@pass_app
def status(app: App) -> int:
    """Show whether the platform is well, and what it depends on."""
    health = app.client.health()

    def people() -> None:
        output.print_fields(
            [("server", app.client.url), ("status", health.status), ("version", health.version)]
        )
        rows = [(one.name, one.status, one.detail) for one in health.dependencies]
        output.print_table(("dependency", "status", "detail"), rows)

    app.show(health, people)
    return exits.OK if health.status == "ok" else exits.CONNECTION

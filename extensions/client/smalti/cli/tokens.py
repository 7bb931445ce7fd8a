"""`smalti tokens`: tokens for programs."""

from __future__ import annotations

import click

from smalti.cli import current, output
from smalti.cli.app import App, Group, pass_app


@click.group(cls=Group)
def tokens() -> None:
    """Tokens that let programs act for you."""


@tokens.command("list")
@pass_app
def list_tokens(app: App) -> None:
    """List your tokens."""
    found = list(app.client.tokens.list())
    heads = ("name", "id", "kind", "created", "expires", "last used")
    rows = [
        (
            one.name,
            one.id,
            one.kind,
            output.ago(one.created_at),
            output.local(one.expires_at) or "never",
            output.ago(one.last_used_at) or "never",
        )
        for one in found
    ]
    app.show(found, lambda: output.print_table(heads, rows))


@tokens.command("create")
@click.argument("name")
@click.option("--project", help="Good for this project only.")
@click.option("--right", "rights", multiple=True, help="A right it has (repeatable; else all).")
@click.option("--days", type=click.IntRange(1, 365), help="How long it is good for.")
@pass_app
def create(
    app: App, name: str, project: str | None, rights: tuple[str, ...], days: int | None
) -> None:
    """Make a token. It is printed now and never again."""
    made = app.client.tokens.create(
        name,
        rights=rights or None,
        project_id=current.project(app, project).id if project else None,
        expires_in_days=days,
    )
    app.note(f"Token {made.id}. Keep it safe: it is not shown again.")
    app.show(made, lambda: click.echo(made.token))


@tokens.command("revoke")
@click.argument("token_id")
@pass_app
def revoke(app: App, token_id: str) -> None:
    """End a token, by its id."""
    app.client.tokens.revoke(token_id)
    app.show({"revoked": token_id}, lambda: output.note(f"Token {token_id} is revoked."))

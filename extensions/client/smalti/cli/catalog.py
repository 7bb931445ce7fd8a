"""`smalti environments`, `smalti tiers` and `smalti planes`: what jobs can run in and on."""

from __future__ import annotations

import click

from smalti.cli import output
from smalti.cli.app import App, Group, pass_app


@click.group(cls=Group)
def environments() -> None:
    """Environments: the software that jobs run with."""


@environments.command("list")
@pass_app
def list_environments(app: App) -> None:
    """List the environments."""
    found = list(app.client.environments.list())
    heads = ("name", "revision", "status", "visibility", "id")
    rows = [(one.name, one.revision, one.status, one.visibility, one.id) for one in found]
    app.show(found, lambda: output.print_table(heads, rows))


@click.group(cls=Group)
def tiers() -> None:
    """Hardware tiers: how much of a machine a job may have."""


@tiers.command("list")
@pass_app
def list_tiers(app: App) -> None:
    """List the hardware tiers."""
    found = list(app.client.tiers.list())
    heads = ("name", "cpu", "memory", "gpu", "plane", "price/h", "default", "description")
    rows = [
        (
            one.name,
            output.number(one.cpu),
            output.size(one.memory),
            one.gpu,
            one.plane,
            output.number(one.price_per_hour),
            "yes" if one.default else "",
            one.description,
        )
        for one in found
    ]
    app.show(found, lambda: output.print_table(heads, rows))


@click.group(cls=Group)
def planes() -> None:
    """Data planes: the places that run jobs."""


@planes.command("list")
@pass_app
def list_planes(app: App) -> None:
    """List the data planes."""
    found = list(app.client.planes.list())
    heads = ("name", "kind", "status", "isolation", "cpu", "memory", "seen")
    rows = [
        (
            one.name,
            one.kind,
            one.status,
            one.isolation,
            f"{output.number(one.used.cpu)} of {output.number(one.capacity.cpu)}",
            f"{output.size(one.used.memory)} of {output.size(one.capacity.memory)}",
            output.ago(one.last_seen_at),
        )
        for one in found
    ]
    app.show(found, lambda: output.print_table(heads, rows))

"""`smalti workspaces`."""

from __future__ import annotations

import click

from smalti.cli.app import Group
from smalti.cli.snapshots import branch, restore, snapshots


@click.group(cls=Group)
def workspaces() -> None:
    """Workspaces: interactive tools whose files stay."""


for _command in (snapshots, restore, branch):
    workspaces.add_command(_command)

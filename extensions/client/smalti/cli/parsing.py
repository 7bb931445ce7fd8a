"""From words of the command line to values, where click has no type for it."""

from __future__ import annotations

import click

from smalti import durations


def span(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Read a duration, as seconds."""
    if value is None:
        return None
    try:
        return durations.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error


def variables(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Read `NAME=VALUE` words; of two with one name the later counts."""
    found: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{value!r} is not NAME=VALUE", context, parameter)
        found[name] = text
    return found

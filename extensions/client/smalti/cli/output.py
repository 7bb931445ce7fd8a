"""What is printed: tables and notes for people, JSON for programs.

Used by all commands through `App`. Results go to stdout, remarks and progress to stderr, so
that a result can be piped. Everything that a stranger may have written is cleaned here.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

import click

from smalti import durations
from smalti.cli.terminal import clean

if TYPE_CHECKING:
    from rich.console import Console

GIVING_WAY = frozenset({"what", "reason", "description", "detail"})
LEAST = 10  # characters that such a column keeps
STYLES: dict[str, dict[str, Any]] = {
    "Succeeded": {"fg": "green"},
    "Running": {"fg": "cyan"},
    "Failed": {"fg": "red"},
    "Error": {"fg": "red", "bold": True},
    "Stopped": {"fg": "yellow"},
    "Stopping": {"fg": "yellow"},
    "ok": {"fg": "green"},
    "connected": {"fg": "green"},
    "degraded": {"fg": "yellow"},
    "away": {"fg": "red"},
    "failed": {"fg": "red"},
}


def is_terminal(stream: IO[Any]) -> bool:
    """Tell whether a person sees what is written there."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def colours() -> bool:
    """Tell whether colours are wanted (see no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = False) -> Console:
    """Make a console that takes texts as they are, without markup."""
    from rich.console import Console as RichConsole

    return RichConsole(
        stderr=stderr, markup=False, emoji=False, highlight=False, no_color=not colours()
    )


def print_json(value: Any) -> None:
    """Write one JSON document, for a program: one line unless a person looks at it."""
    indent = 2 if is_terminal(sys.stdout) else None
    click.echo(json.dumps(_safe(value), indent=indent, ensure_ascii=indent is not None))


def print_json_line(value: Any) -> None:
    """Write one line of a stream of JSON documents."""
    click.echo(json.dumps(_safe(value), ensure_ascii=False))


def _safe(value: Any) -> Any:
    """Replace what is no Unicode text: lone surrogates could not be written."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _safe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_safe(item) for item in value]
    return value


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table: fitted to a terminal's width, or whole and plain into a pipe."""
    from rich.cells import cell_len, set_cell_size

    cells = [["" if cell is None else clean(cell) for cell in row] for row in rows]
    columns = list(zip(heads, *cells, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    styled = is_terminal(sys.stdout)
    if styled:
        widths = fit(heads, widths, shutil.get_terminal_size().columns)
    for number, row in enumerate([[head.upper() for head in heads], *cells]):
        shown = []
        for cell, width in zip(row, widths, strict=True):
            cut = cell_len(cell) > width
            text = set_cell_size(cell, width - 1) + "…" if cut else set_cell_size(cell, width)
            style = {"bold": True} if number == 0 else STYLES.get(cell, {})
            shown.append(click.style(text, **style) if styled and colours() and style else text)
        click.echo("  ".join(shown).rstrip())


def fit(heads: Sequence[str], widths: Sequence[int], room: int) -> list[int]:
    """Take columns with long texts back, the widest first, until a table fits into `room`.

    Names and states are what one looks for, so they stay whole even where that is too wide.
    """
    fitted = list(widths)
    while sum(fitted) + 2 * (len(fitted) - 1) > room:
        wide = [n for n, head in enumerate(heads) if head in GIVING_WAY and fitted[n] > LEAST]
        if not wide:
            break
        fitted[max(wide, key=lambda n: fitted[n])] -= 1
    return fitted


def print_fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Write names and values, one line each; those without value are left out."""
    shown = [(name, clean(value)) for name, value in pairs if value not in {None, ""}]
    width = max((len(name) for name, _ in shown), default=0)
    styled = is_terminal(sys.stdout) and colours()
    for name, value in shown:
        head = f"{name}:".ljust(width + 2)
        click.echo((click.style(head, bold=True) if styled else head) + value)


def note(text: str) -> None:
    """Write a remark for people to stderr."""
    click.echo(clean(text, 2000), err=True)


def size(count: float | None) -> str:
    """Write an amount of bytes for people."""
    if count is None:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def number(value: Any) -> str:
    """Write a number as short as it can be understood."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def ago(moment: datetime | None) -> str:
    """Write when something was, as seen from now."""
    if moment is None:
        return ""
    seconds = (datetime.now(timezone.utc) - moment).total_seconds()
    return "now" if seconds < 1 else f"{durations.show(seconds)} ago"


def local(moment: datetime | None) -> str:
    """Write a moment in the person's own time zone."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")

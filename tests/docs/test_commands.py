"""Every command line in the documentation is one that the programs take."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

import click
import pytest

from tests.docs.pages import REPOSITORY, all_pages

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.S | re.M)
INDENTED = re.compile(r"^ {4}(.*)$", re.M)
INLINE = re.compile(r"`((?:\.venv/bin/)?smalti(?:-admin)? [a-z][^`]*)`")
PROGRAM = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(smalti(?:-admin)?) (.+)$")


class Line(NamedTuple):
    """One use of a program; only `whole` ones have all their arguments."""

    page: str
    text: str
    whole: bool


def command_lines(program: str) -> list[Line]:
    """Give each use of a program on any page, once."""
    return sorted({line for name, line in _every() if name == program})


def _every() -> Iterator[tuple[str, Line]]:
    for page in all_pages():
        text = page.read_text(encoding="utf-8")
        name = str(page.relative_to(REPOSITORY))
        whole = INDENTED.findall(text)
        for block in BLOCK.findall(text):
            whole += block.replace("\\\n", " ").splitlines()
        for lines, complete in ((whole, True), (INLINE.findall(text), False)):
            for found in filter(None, (PROGRAM.match(line.strip()) for line in lines)):
                # As a shell reads it: pipes, substitutions and files are not the program's.
                words = re.split(r" [|<>&#]|\)", found[2])[0]
                yield found[1], Line(name, words.strip(), complete)


@pytest.mark.parametrize("line", command_lines("smalti-admin"), ids=str)
def test_smalti_admin_takes(line: Line) -> None:
    from services.supervisor.cli import _parser

    arguments = shlex.split(line.text)
    if not line.whole and arguments in (["token"], ["password"]):
        arguments.append("NAME")
    _parser().parse_args(arguments)


@pytest.mark.parametrize("line", command_lines("smalti"), ids=str)
def test_smalti_takes(line: Line) -> None:
    from smalti.cli import cli

    command: click.Command = cli
    name, arguments = "smalti", shlex.split(line.text)
    context: click.Context | None = None
    while isinstance(command, click.Group):
        context = command.make_context(name, arguments, parent=context, obj=None)
        arguments = [*context._protected_args, *context.args]
        if not arguments:
            return  # a group named on its own
        found, command_found, arguments = command.resolve_command(context, arguments)
        assert command_found is not None
        name, command = found or "", command_found
    if line.whole:
        command.make_context(name, arguments, parent=context)


def test_documentation_shows_both_programs() -> None:
    assert len(command_lines("smalti")) > 10
    assert len(command_lines("smalti-admin")) > 5

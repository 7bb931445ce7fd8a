"""The reference pages tell all that there is, and nothing that is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import smalti
from smalti.catalog import Catalog, Tokens
from smalti.cli import cli, exits
from smalti.files import Files
from smalti.jobs import JobOptions, Jobs
from smalti.project import Members
from smalti.projects import Projects
from smalti.snapshots import Snapshots
from smalti.workspaces import Workspaces

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"
CLI = (DOCS / "cli.md").read_text()
CLIENT = (DOCS / "python-client.md").read_text()
CLASSES = [smalti.Client, smalti.Project, smalti.Job, Projects, Jobs, Tokens, Members, Files]
CLASSES += [smalti.Workspace, Workspaces, Snapshots]
INNER = {"read", "transport", "target"}


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(cli, "smalti"))
_SECTION = re.compile(r"^### `(smalti [^`]*)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(_SECTION.findall(CLI))


def section_of(words: str) -> str:
    """The text of a command's section."""
    found = [text for title, text in SECTIONS.items() if f"{title} ".startswith(f"{words} ")]
    assert len(found) == 1, f"{words}: {len(found)} sections in cli.md"
    return found[0]


@pytest.mark.parametrize("words", COMMANDS)
def test_command_and_its_options_are_told(words: str) -> None:
    text = section_of(words)
    told = set(re.findall(r"(?<=`)--?[a-z][-\w]*", text))
    options = {
        word
        for option in COMMANDS[words].params
        if isinstance(option, click.Option) and option.name != "json"
        for word in [*option.opts, *option.secondary_opts]
    }
    long = {word for word in options if word.startswith("--")}
    assert long <= told, f"not in cli.md: {sorted(long - told)}"
    assert told <= options, f"only in cli.md: {sorted(told - options)}"


def test_every_section_is_a_command() -> None:
    for title in SECTIONS:
        assert any(f"{title} ".startswith(f"{words} ") for words in COMMANDS), title


def test_every_command_takes_json_and_has_help() -> None:
    for words, command in COMMANDS.items():
        names = [option for parameter in command.params for option in parameter.opts]
        assert "--json" in names, words
        assert command.help, words


def test_root_options_and_exit_codes_are_told() -> None:
    for parameter in cli.params:
        assert f"`{parameter.opts[0]}" in CLI
    assert dict(re.findall(r"^\| (\d+) \| (.*) \|$", CLI, re.M)) == {
        str(code): meaning for code, meaning in exits.MEANINGS.items()
    }


def test_public_names_are_told() -> None:
    for name in smalti.__all__:
        assert name == "__version__" or re.search(rf"\b{name}\b", CLIENT), name


@pytest.mark.parametrize("kind", [*CLASSES, Catalog], ids=lambda kind: kind.__name__)
def test_public_members_are_told(kind: type) -> None:
    names = {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")} - INNER
    names |= {"read"} if kind is Files else set()
    for name in names:
        assert re.search(rf"[`.]{name}[`(]", CLIENT), f"{kind.__name__}.{name}"


def test_options_of_jobs_are_told() -> None:
    for name in JobOptions.__annotations__:
        assert re.search(rf"`{name}[=`]", CLIENT), name


def test_variables_that_are_read_are_told() -> None:
    package = Path(smalti.__file__).parent
    source = "".join(file.read_text() for file in package.rglob("*.py"))
    for name in set(re.findall(r"\bSMALTI_[A-Z_]+", source)) - {"SMALTI_RUN_ID", "SMALTI_COMMIT"}:
        assert name in CLI + CLIENT or name in {"SMALTI_OUTPUTS"}, name


def test_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert smalti.__version__ == version("smalti")

"""Fixtures of the client's tests: the small platform, a client, and the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import smalti
from click.testing import CliRunner
from smalti.cli import run

from tests.client.server import TOKEN, Platform

FAST = smalti.Retry(patience=2.0, first=0.005, most=0.02, unreached=0.1)


@pytest.fixture
def platform() -> Iterator[Platform]:
    """A platform in memory with one project, `ada/wine`."""
    with Platform() as made:
        made.add_project("wine")
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home of its own, without any of this one's settings."""
    for name in [*os.environ]:
        if name.startswith("SMALTI_") or name in {"XDG_CONFIG_HOME", "NO_COLOR"}:
            monkeypatch.delenv(name)
    folder = tmp_path / "person"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def client(platform: Platform) -> Iterator[smalti.Client]:
    """A client that is logged in and impatient."""
    with smalti.connect(platform.url, TOKEN, retry=FAST) as made:
        yield made


@dataclass
class Ran:
    """What a run of the command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class Cli:
    """The command line, in this process. `cli("jobs", "list")`."""

    def __init__(self) -> None:
        self.runner = CliRunner()

    def __call__(self, *words: str, stdin: str | bytes | None = None) -> Ran:
        with self.runner.isolation(input=stdin) as streams:
            code = run(words)
            return Ran(code, *(stream.getvalue().decode() for stream in streams[:2]))


@pytest.fixture
def anonymous() -> Cli:
    """The command line before a login."""
    return Cli()


@pytest.fixture
def cli(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line, with server and token in the environment."""
    monkeypatch.setenv("SMALTI_API_URL", platform.url)
    monkeypatch.setenv("SMALTI_TOKEN", TOKEN)
    return Cli()

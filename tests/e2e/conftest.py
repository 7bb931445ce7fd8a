"""One real Smalti for all end-to-end tests, and people who use it by command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.platform_use import settle
from tests.instance import Instance

SMALTI = str(Path(sys.executable).with_name("smalti"))


class Person:
    """Somebody at a terminal, with a home folder of their own."""

    def __init__(self, smalti: Instance, home: Path, name: str) -> None:
        self.smalti, self.home, self.name = smalti, home, name
        home.mkdir(parents=True, exist_ok=True)
        kept = ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_COLOR": "1",
        }

    def run(
        self,
        *arguments: str,
        expect: int | None = 0,
        stdin: str | None = None,
        seconds: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run `smalti` with these arguments; its exit code must be as expected."""
        done = subprocess.run(
            [SMALTI, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=self.home,
            check=False,
        )
        if expect is not None:
            assert done.returncode == expect, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: str, expect: int | None = 0) -> Any:
        """Run it for a program's eyes."""
        first, *rest = arguments  # --json stands before a "--", after which all is the job's
        words = [first, *rest[:1], "--json", *rest[1:]]
        return json.loads(self.run(*words, expect=expect).stdout)

    def git(self, *arguments: str, where: Path | None = None, expect: int = 0) -> str:
        """Run git as this person; gives what it printed."""
        done = subprocess.run(
            ["git", *arguments],
            env={**self.environment, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            timeout=120,
            cwd=where or self.home,
            check=False,
        )
        assert done.returncode == expect, (arguments, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture(scope="session")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Smalti, as `make up` leaves it."""
    with Instance(tmp_path_factory.mktemp("e2e")) as instance:
        settle(instance)
        yield instance


@pytest.fixture(scope="session")
def admin(smalti: Instance, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """The first admin, logged in by name and password."""
    person = Person(smalti, tmp_path_factory.mktemp("admin"), smalti.admin)
    assert smalti.password is not None
    arguments = ["login", smalti.url, "--user", smalti.admin, "--password-stdin"]
    person.run(*arguments, stdin=smalti.password + "\n")
    return person


@pytest.fixture(scope="session")
def wine(admin: Person) -> str:
    """A project from the example that has real data."""
    admin.run("projects", "create", "wine", "--example", "wine-quality")
    return "wine"

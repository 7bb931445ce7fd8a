"""Third-party notices and the environments' locks hold what they say they hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

import pytest

from tests.docs.pages import REPOSITORY, read

import locked  # isort: skip - found by tests.docs.pages

ROW = re.compile(r"^\| ([@a-zA-Z0-9._/-]+) \| (\S+) \| (.+) \|$", re.M)


def listed(section: str) -> dict[tuple[str, str], str]:
    """Packages and licences of one section of the notices."""
    text = read("THIRD_PARTY_NOTICES.md").split(f"## {section}\n")[1].split("\n## ")[0]
    rows = ROW.findall(text)[2:]  # without head and rule
    return {(name, version): licence for name, version, licence in rows}


def test_every_package_of_all_locks_is_listed_with_its_licence() -> None:
    hint = "run docs/notices.py"
    assert set(listed("The platform and its client")) == locked.platform_packages(), hint
    assert set(listed("The default environment")) == locked.environment_packages(), hint
    assert set(listed("The tools of workspaces")) == locked.tools_packages(), hint
    console = {(*package, words) for package, words in listed("The web console").items()}
    assert console == locked.console_packages(), hint


def test_the_icons_whose_outlines_are_here_are_named() -> None:
    assert "Tabler" in read("extensions/console/src/parts/icons.tsx")
    assert "Paweł Kuna" in read("THIRD_PARTY_NOTICES.md").split("## Tabler icons\n")[1]


def test_every_direct_dependency_is_listed() -> None:
    names = {name for name, _ in listed("The platform and its client")}
    for file in ("pyproject.toml", "extensions/client/pyproject.toml"):
        project = tomllib.loads(read(file))["project"]
        for dependency in project["dependencies"]:
            wanted = re.split(r"[^A-Za-z0-9._-]", dependency)[0].lower()
            assert re.sub(r"[-_.]+", "-", wanted) in names | locked.OURS


@pytest.mark.parametrize(
    ("folder", "packages"),
    [("environment", locked.environment_packages), ("tools", locked.tools_packages)],
)
def test_lock_holds_what_is_asked_for_with_hashes_and_no_index(
    folder: str, packages: Callable[[], set[tuple[str, str]]]
) -> None:
    lock = read(f"images/{folder}/requirements.lock")
    names = {name for name, _ in packages()}
    asked = re.findall(r"^([a-z0-9-]+)", read(f"images/{folder}/requirements.in"), re.M)
    assert len(asked) > 8
    assert set(asked) <= names
    assert "://" not in lock
    assert "--index" not in lock
    blocks = re.split(r"\n(?=[a-z0-9])", lock)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)
    assert (REPOSITORY / "LICENSE").read_text().count("Apache License") >= 1

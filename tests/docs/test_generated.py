"""The tables of the reference are what the code says, and nothing of the code is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.core import events, rights
from services.core.settings import Settings
from services.workloads.rules import Status
from tests.docs.pages import DOCS, read

import generate  # isort: skip - found by tests.docs.pages
import tables  # isort: skip


@pytest.mark.parametrize("page", generate.pages(), ids=lambda page: page.name)
def test_page_is_what_the_generator_writes(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generate.render(text) == text, "run .venv/bin/python docs/generate.py"


def test_every_table_is_shown_on_a_page() -> None:
    assert generate.used() == set(tables.TABLES)


def test_every_setting_is_in_the_reference() -> None:
    page = read("docs/reference/settings.md")
    names = Settings.class_own_traits(config=True)
    assert names
    assert [name for name in names if f"| `{name}` |" not in page] == []
    assert all(trait.help for trait in names.values())


def test_every_route_is_in_the_reference() -> None:
    page = read("docs/reference/api.md")
    routes = tables.every_route()
    assert len(routes) > 10
    wanted = [f"| `{route.method} {route.path.replace('*}', '}')}` |" for route in routes]
    assert [line for line in wanted if line not in page] == []


def test_every_permission_and_role_is_in_the_reference() -> None:
    page = read("docs/reference/roles.md")
    assert [one for one in rights.Permission if f"| `{one}` |" not in page] == []
    head = next(line for line in page.splitlines() if line.startswith("| permission |"))
    for role in (*rights.PlatformRole, *rights.ProjectRole):
        assert f" {role} " in head


def test_every_event_is_in_the_reference() -> None:
    page = read("docs/reference/events.md")
    kinds = [kind for topic in events.TOPICS.values() for kind in topic]
    assert [kind for kind in kinds if f"`{kind}`" not in page] == []


def test_every_state_is_described() -> None:
    page = read("docs/reference/states.md")
    assert re.findall(r"^\| (\w+) \| \w.*[.;].* \|$", page, re.M)
    described = page.split("<!-- generated")[0]
    assert [state for state in Status if f"\n| {state.value} | " not in described] == []


def test_every_audited_action_is_found_by_the_scan() -> None:
    actions = tables.audit_table()
    for known in ("tier.create", "person.create", "project.push", "file.remove"):
        assert f"- `{known}`" in actions


def test_a_page_with_a_stale_table_is_noticed() -> None:
    stale = "<!-- generated: events -->\nold\n<!-- end -->\n"
    fresh = generate.render(stale)
    assert "job.created" in fresh
    assert generate.render(fresh) == fresh
    assert DOCS.is_dir()

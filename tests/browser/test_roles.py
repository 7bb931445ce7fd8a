"""Who sees what: contributor, consumer, support and a stranger, page by page.

What somebody may not do is not offered, and what they may not see is said in words; a page that
is offered to them asks for nothing that is refused (the browser would complain of it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.look import Look
from tests.browser.places import (
    ADMIN,
    EVERYBODY,
    PARTS,
    of_experiments,
    of_jobs,
    of_project,
    of_workspaces,
    walk,
)
from tests.browser.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]  # `make test-browser` runs them

NOT_YOURS = "This is not for your role"
NOTHING = "There is nothing here"


def parts(page: Page) -> list[str]:
    """Name the parts of a project that are offered."""
    page.get_by_role("navigation", name="Parts of the project").wait_for()
    return page.locator("nav.tabs a").all_inner_texts()


def offered(page: Page, *names: str) -> list[str]:
    """Say which of these buttons and links a page has."""
    main = page.locator("main")
    found = main.locator("button, a").all_inner_texts()
    return [name for name in names if name in [one.strip() for one in found]]


def found_in_palette(page: Page, words: str) -> list[str]:
    """Search by the command palette; give the kinds of what it finds."""
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search pages")
    box.fill(words)
    listed = page.get_by_role("listbox", name="Results")
    page.wait_for_function(
        "() => !document.querySelector('.palette-list + p').innerText.startsWith('Looking')"
    )
    kinds = listed.locator(".tag").all_inner_texts()
    page.keyboard.press("Escape")
    box.wait_for(state="hidden")
    return kinds


def test_a_contributor_works_and_does_not_administer(look: Look, world: World) -> None:
    page = look.log_in("alice", world.people["alice"])
    pages = [*EVERYBODY, *of_project(world, "wine")[:-1], *of_jobs(world)]
    walk(look, [*pages, *of_workspaces(world), *of_experiments(world)])
    page = look.go(f"/projects/{world.projects['wine']}")
    page.get_by_role("button", name="Run a job").wait_for()
    assert "Settings" not in parts(page)
    assert page.get_by_role("navigation", name="Administration").count() == 0
    look.go(f"/projects/{world.projects['wine']}/settings")
    page.get_by_text(NOT_YOURS).wait_for()
    page = look.go(f"/projects/{world.projects['wine']}/secrets")
    page.get_by_text("WAREHOUSE_PASSWORD").wait_for()
    assert offered(page, "New secret", "Replace", "Delete") == []
    page = look.go(f"/projects/{world.projects['wine']}/models/wine-quality")
    assert "Add" in offered(page, "Add")  # an alias
    # Somebody else's workspace is there, and is nobody else's to open, stop or look into.
    for address in of_workspaces(world):
        page = look.go(address)
        assert offered(page, "Open", "Start", "Stop", "Delete", "Save now") == []
        assert page.get_by_role("heading", name="Snapshots").count() == 0
    assert {"project", "workspace", "model"} <= set(found_in_palette(page, "wine"))
    assert {"job", "file"} <= set(found_in_palette(page, "train"))
    look.expected = ("status of 403",)
    page = look.go("/admin/audit")
    page.get_by_text(NOT_YOURS).wait_for()


def test_a_consumer_sees_results_only(look: Look, world: World) -> None:
    look.log_in("carol", world.people["carol"])
    base = f"/projects/{world.projects['wine']}"
    pages = [f"{base}{part}" for part in PARTS]
    walk(look, [*EVERYBODY, *pages, *of_experiments(world)])
    walk(look, [f"/jobs/{world.jobs['trained']}?tab={tab}" for tab in ("outputs", "resources")])
    page = look.go(base)
    page.get_by_text("Its files are not shown to you").wait_for()
    assert parts(page) == ["README", "Jobs", "Experiments", "Models", "Members"]
    assert page.get_by_role("button", name="Run a job").count() == 0
    for part in ("files", "history", "workspaces", "secrets", "settings"):
        look.go(f"{base}/{part}")
        page.get_by_text(NOT_YOURS).wait_for()
    page = look.go(f"/jobs/{world.jobs['running']}")
    assert page.get_by_role("button", name="Stop").count() == 0
    page = look.go(f"{base}/models/wine-quality")
    assert offered(page, "Add") == []
    look.expected = ("status of 404", "status of 403")
    page = look.go(of_workspaces(world)[0])
    page.get_by_text(NOTHING).or_(page.get_by_text(NOT_YOURS)).wait_for()


def test_support_sees_the_platform_and_changes_nothing(look: Look, world: World) -> None:
    look.log_in("vera", world.people["vera"])
    base = f"/projects/{world.projects['wine']}"
    jobs = [f"/jobs/{world.jobs[key]}" for key in ("trained", "failed", "running")]
    walk(look, [*EVERYBODY, *ADMIN, *(f"{base}{part}" for part in PARTS), *jobs])
    walk(look, [*of_workspaces(world), *of_experiments(world)])
    page = look.go(base)
    tabs = ["README", "Jobs", "Workspaces", "Experiments", "Models", "Secrets", "Members"]
    assert parts(page) == tabs
    assert page.get_by_role("navigation", name="Administration").is_visible()
    changing = ("New project", "Run a job", "Stop", "Rerun", "Open", "Start", "Delete",
                "New secret", "Replace", "Add", "Remove", "New tier", "Change", "Take away",
                "New data plane", "Enrol an agent", "Deactivate", "Add a person")  # fmt: skip
    everything = [*ADMIN, *(f"{base}{part}" for part in PARTS), *jobs, *of_workspaces(world), "/"]
    wrong = {address: found for address in everything
             if (found := offered(look.go(address), *changing))}  # fmt: skip
    assert wrong == {}
    page = look.go("/admin/people")
    page.get_by_text("alice").wait_for()
    assert page.locator("main input[aria-label^='Roles of']").count() == 0
    page = look.go(f"/jobs/{world.jobs['trained']}?tab=outputs")
    page.get_by_role("tab", name="Log").wait_for()
    assert page.get_by_role("tab", name="Outputs").count() == 0
    assert {"project", "workspace"} <= set(found_in_palette(page, "wine"))
    assert set(found_in_palette(page, "train")) == {"job"}  # and no file
    assert set(found_in_palette(page, "Audit trail")) == {"page"}


def test_a_stranger_is_told_that_there_is_nothing(look: Look, world: World) -> None:
    page = look.log_in("sam", world.people["sam"])
    walk(look, EVERYBODY)
    page = look.go("/jobs/compare")
    page.get_by_text("Which two?").wait_for()
    assert set(found_in_palette(page, "wine")) <= {"page"}
    assert found_in_palette(page, "Audit trail") == []
    look.expected = ("status of 404",)
    hidden = [*of_project(world, "wine"), *of_workspaces(world), *of_experiments(world)]
    for address in [*hidden, f"/jobs/{world.jobs['trained']}"]:
        page = look.go(address)
        page.get_by_text(NOTHING).wait_for()
    look.expected = ("status of 403",)
    for address in ("/admin/audit", "/admin/people"):
        page = look.go(address)
        page.get_by_text(NOT_YOURS).wait_for()

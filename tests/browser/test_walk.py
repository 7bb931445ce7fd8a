"""Every page as every kind of person: it shows, fits, is accessible, and complains of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.look import Look
from tests.browser.world import World
from tests.instance import Instance

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Many pages each: `make test-browser` runs them.
pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

EVERYBODY = ["/", "/projects", "/jobs", "/environments", "/tokens", "/profile", "/workspaces",
             "/secrets"]  # fmt: skip
ADMIN = ["/admin/people", "/admin/executions", "/admin/tiers", "/admin/planes", "/admin/audit",
         "/admin/health"]  # fmt: skip


def of_project(world: World, name: str) -> list[str]:
    """Addresses of a project's pages."""
    base = f"/projects/{world.projects[name]}"
    parts = ["", "/files", "/history", "/jobs", "/workspaces", "/experiments", "/models",
             "/secrets", "/members", "/settings"]  # fmt: skip
    return [f"{base}{part}" for part in parts]


def of_workspaces(world: World) -> list[str]:
    """Addresses of workspaces' pages."""
    return [f"/workspaces/{one}" for one in world.workspaces.values()]


def of_jobs(world: World) -> list[str]:
    """Addresses of jobs' pages."""
    tabs = [f"/jobs/{world.jobs['trained']}?tab={tab}" for tab in ("outputs", "resources")]
    pages = [f"/jobs/{world.jobs[key]}" for key in ("trained", "failed", "running", "nasty")]
    compare = f"/jobs/compare?left={world.jobs['trained']}&right={world.jobs['failed']}"
    return [*pages, *tabs, compare]


def of_files(world: World) -> list[str]:
    """Addresses of files that tend to break pages."""
    base = f"/projects/{world.projects['nasty']}/files/"
    names = ["README.md", "page.html", "notes.ipynb", "data/table.csv", "data/noise.txt",
             "picture.png", "bomb.png", "page.html?edit=", "?new="]  # fmt: skip
    return [base + name for name in names]


def walk(look: Look, addresses: list[str]) -> None:
    """Go to each page; fail with everything that is wrong there."""
    wrong = []
    for address in addresses:
        page = look.go(address)
        wrong += [f"{address}: {one}" for one in look.violations()]
        if not look.fits():
            wrong.append(f"{address}: wider than the window")
        if page.title() == "owned":
            wrong.append(f"{address}: a script of somebody's ran")
    assert not wrong, "\n".join(wrong)


def test_an_administrator_sees_all_of_it(look: Look, world: World) -> None:
    look.log_in()
    pages = [*EVERYBODY, *ADMIN, *of_project(world, "wine"), *of_project(world, "empty")]
    walk(look, [*pages, *of_project(world, "nasty")])
    assert look.page.get_by_role("navigation", name="Administration").is_visible()


def test_jobs_and_files_of_all_kinds(look: Look, world: World) -> None:
    look.log_in()
    walk(look, [*of_jobs(world), *of_files(world), *of_workspaces(world)])
    page = look.go(f"/projects/{world.projects['nasty']}/files/bomb.png")
    page.get_by_text("50000 by 50000").wait_for()
    page = look.go(f"/projects/{world.projects['nasty']}/files/data/noise.txt")
    page.get_by_text("This is not text.").wait_for()
    page = look.go(f"/projects/{world.projects['nasty']}/files/notes.ipynb")
    page.get_by_role("cell", name="7").wait_for()
    assert page.locator(".rich img").count() == 0


def test_a_contributor_works_and_does_not_administer(look: Look, world: World) -> None:
    look.expected = ("status of 403",)
    look.log_in("alice", world.people["alice"])
    pages = [*EVERYBODY, *of_project(world, "wine")[:-1], *of_jobs(world)]
    walk(look, pages)
    page = look.go(f"/projects/{world.projects['wine']}")
    page.get_by_role("button", name="Run a job").wait_for()
    assert page.get_by_role("link", name="Settings").count() == 0
    assert page.get_by_role("navigation", name="Administration").count() == 0
    page = look.go("/admin/audit")
    page.get_by_text("This is not for your role").wait_for()


def test_a_consumer_sees_results_only(look: Look, world: World) -> None:
    look.log_in("carol", world.people["carol"])
    base = f"/projects/{world.projects['wine']}"
    pages = [*EVERYBODY, base, f"{base}/files", f"{base}/jobs", f"{base}/members"]
    walk(look, [*pages, f"/jobs/{world.jobs['trained']}?tab=outputs"])
    page = look.go(base)
    page.get_by_text("Its files are not shown to you").wait_for()
    assert page.get_by_role("button", name="Run a job").count() == 0
    page = look.go(f"/jobs/{world.jobs['running']}")
    assert page.get_by_role("button", name="Stop").count() == 0


def test_a_stranger_is_told_that_there_is_nothing(look: Look, world: World) -> None:
    look.expected = ("status of 404",)
    look.log_in("sam", world.people["sam"])
    walk(look, EVERYBODY)
    for address in (f"/projects/{world.projects['wine']}/jobs", f"/jobs/{world.jobs['trained']}"):
        page = look.go(address)
        page.get_by_text("There is nothing here").wait_for()
    page = look.go("/jobs/compare")
    page.get_by_text("Which two?").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(smalti: Instance, browser: Browser, world: World, scheme: str) -> None:
    size = {"width": 390, "height": 844}
    context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
    look = Look(smalti, context)
    look.log_in()
    pages = [*EVERYBODY, *ADMIN, *of_project(world, "wine"), *of_project(world, "nasty")]
    walk(look, [*pages, *of_jobs(world), *of_files(world), *of_workspaces(world)])
    ground = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()
    assert ground == ("rgb(20, 25, 28)" if scheme == "dark" else "rgb(245, 243, 238)")
    assert look.complaints == []

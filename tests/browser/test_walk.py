"""Every page: it shows, fits, is accessible, and complains of nothing; wide, and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.look import Look
from tests.browser.places import (
    ADMIN,
    EVERYBODY,
    of_experiments,
    of_files,
    of_jobs,
    of_project,
    of_workspaces,
    walk,
)
from tests.browser.world import World
from tests.instance import Instance

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Many pages each: `make test-browser` runs them.
pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def test_an_administrator_sees_all_of_it(look: Look, world: World) -> None:
    look.log_in()
    pages = [*EVERYBODY, *ADMIN, *of_project(world, "wine"), *of_project(world, "empty")]
    walk(look, [*pages, *of_project(world, "nasty")])
    assert look.page.get_by_role("navigation", name="Administration").is_visible()


def test_jobs_and_files_of_all_kinds(look: Look, world: World) -> None:
    look.log_in()
    walk(look, [*of_jobs(world), *of_files(world), *of_workspaces(world), *of_experiments(world)])
    page = look.go(f"/projects/{world.projects['nasty']}/files/bomb.png")
    page.get_by_text("50000 by 50000").wait_for()
    page = look.go(f"/projects/{world.projects['nasty']}/files/data/noise.txt")
    page.get_by_text("This is not text.").wait_for()
    page = look.go(f"/projects/{world.projects['nasty']}/files/notes.ipynb")
    page.get_by_role("cell", name="7").wait_for()
    assert page.locator(".rich img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(smalti: Instance, browser: Browser, world: World, scheme: str) -> None:
    size = {"width": 390, "height": 844}
    context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
    look = Look(smalti, context)
    look.log_in()
    pages = [*EVERYBODY, *ADMIN, *of_project(world, "wine"), *of_project(world, "nasty")]
    pages += [*of_jobs(world), *of_files(world), *of_workspaces(world), *of_experiments(world)]
    walk(look, pages)
    ground = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()
    assert ground == ("rgb(20, 25, 28)" if scheme == "dark" else "rgb(245, 243, 238)")
    assert look.complaints == []

"""The core of the console in a real browser: what `make test` holds it to.

A short walk on an instance of its own, with MLflow: log in, a job from the launcher to its run
and its model, the lists, the administration, one kind of bad input, axe on the main pages.
`make test-browser` has the long ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.bent import bend_texts
from tests.browser.conftest import built, chromium
from tests.browser.look import Look
from tests.browser.places import ADMIN, EVERYBODY, of_project, walk
from tests.browser.world import NASTY, World, add_person, give_role
from tests.instance import EVERY_PROCESS, Instance

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(600)  # some 70 s on a quiet machine; they wait on conditions only

LONG = 180_000  # milliseconds in which a job has run, however busy the machine is


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A whole Smalti of this module's own."""
    chromium()
    built()
    with Instance(tmp_path_factory.mktemp("core"), processes=EVERY_PROCESS) as made:
        yield made


@pytest.fixture(scope="module")
def world(smalti: Instance) -> World:
    """An administrator, somebody of support, a project and a workspace that was never started."""
    world = World(smalti, people={smalti.admin: smalti.password or ""})
    add_person(world, "vera")
    give_role(world, "vera", "support")
    with smalti.client() as client:
        body = {"name": "wine", "example": "wine-quality", "description": NASTY}
        made = client.post("/projects", json=body)
        assert made.status_code == 201, made.text
        world.projects["wine"] = made.json()["id"]
        body = {"project_id": world.projects["wine"], "title": "For later"}
        made = client.post("/workspaces", json=body)
        assert made.status_code == 201, made.text
        world.workspaces["For later"] = made.json()["id"]
    return world


@pytest.fixture(scope="module")
def run_page(smalti: Instance, world: World) -> str:
    """The address of a job that trains the example: started once for all tests here."""
    world.start("trained", "wine", file="train.py", args=["--trees", "5"])
    return f"/jobs/{world.jobs['trained']}"


def shows(page: Page, *texts: str) -> None:
    """Wait until all of these are in sight."""
    for text in texts:
        page.get_by_text(text).first.wait_for()


def test_a_job_by_the_launcher(look: Look, world: World) -> None:
    page = look.log_in()
    page.get_by_role("link", name="admin/wine").first.click()
    page.get_by_role("heading", name="admin/wine").wait_for()
    page.get_by_role("button", name="Run a job").click()
    dialog = page.get_by_role("dialog", name="Run a job")
    dialog.get_by_role("textbox", name="Command").fill("echo laid by hand; exit 3")
    dialog.get_by_role("button", name="Run it").click()
    page.wait_for_url("**/jobs/*")
    page.locator(".pill", has_text="Failed").first.wait_for(timeout=LONG)
    shows(page, "laid by hand", "The program failed")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search pages").fill("laid by")
    page.get_by_role("option", name="laid by hand").first.wait_for()
    page.keyboard.press("Escape")
    look.go("/")
    shows(page, "Failed lately", "laid by hand")


def test_what_a_job_logs_and_leaves_is_shown(look: Look, world: World, run_page: str) -> None:
    page = look.log_in()
    page = look.go(run_page)
    page.locator(".pill", has_text="Succeeded").first.wait_for(timeout=LONG)
    page.get_by_role("tab", name="Outputs").click()
    page.get_by_role("img", name="confusion.png").wait_for()
    page.get_by_role("region", name="Runs in MLflow").get_by_role("link").first.click()
    page.get_by_role("region", name="Parameters").get_by_text("trees").wait_for()
    page.get_by_role("region", name="Metrics over time").locator("svg .curve").first.wait_for()
    page = look.go(f"/projects/{world.projects['wine']}/experiments")
    page.get_by_role("columnheader", name="accuracy", exact=True).wait_for()
    page = look.go(f"/projects/{world.projects['wine']}/models/wine-quality")
    shows(page, "version 1", "Where version 1 comes from")


def test_a_secret_is_kept_and_never_shown(look: Look, world: World) -> None:
    look.log_in()
    page = look.go(f"/projects/{world.projects['wine']}/secrets")
    page.get_by_role("button", name="Keep the first one").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("WAREHOUSE_PASSWORD")
    dialog.get_by_role("textbox", name="Value").fill("open sesame of the warehouse")
    dialog.get_by_role("button", name="Keep it").click()
    page.get_by_role("row").get_by_text("WAREHOUSE_PASSWORD").wait_for()
    page.reload()
    page.get_by_role("row").get_by_text("WAREHOUSE_PASSWORD").wait_for()
    assert "open sesame" not in page.content()


def test_main_pages_are_accessible_and_complain_of_nothing(
    look: Look, world: World, run_page: str
) -> None:
    page = look.page
    page.goto(f"{look.smalti.origin}/hub/login")
    look.expected = ("fontawesome",)  # axe reads the hub's style sheet once more, and wrongly
    assert look.violations() == []
    look.log_in()
    pages = [*EVERYBODY, *ADMIN, *of_project(world, "wine"), run_page]
    walk(look, [*pages, f"/workspaces/{world.workspaces['For later']}"])
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    walk(look, ["/", "/admin/people", run_page, f"/projects/{world.projects['wine']}/experiments"])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 28)"


def test_support_looks_and_changes_nothing(look: Look, world: World) -> None:
    look.log_in("vera", world.people["vera"])
    page = look.go(f"/projects/{world.projects['wine']}/jobs")
    page.get_by_role("navigation", name="Administration").wait_for()
    page.get_by_role("link", name="Members").wait_for()
    assert page.get_by_role("button", name="Run a job").count() == 0
    page = look.go("/admin/people")
    page.get_by_text("vera").first.wait_for()
    assert page.locator("main").get_by_role("button", name="Deactivate").count() == 0


def test_markup_in_every_text_stays_text(look: Look, world: World, run_page: str) -> None:
    look.expected = ("status of 404",)  # what is called otherwise is not found
    look.log_in()
    bend_texts(look.page, lambda text: NASTY + text)
    for address in ["/", "/jobs", "/admin/people", "/workspaces", run_page]:
        page = look.go(address)
        assert page.locator("main img[onerror], main script").count() == 0, address
        assert page.title() != "owned", address
        assert look.fits(), address
    look.page.unroute_all(behavior="wait")

"""Everything on one origin (`SMALTI_PATH_ONLY=1`): what a person does still works in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import chromium
from tests.e2e.lab import tools_are_built
from tests.instance import Instance

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
LAB = 120_000  # ms; JupyterLab's first page on a machine that is busy


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A whole Smalti on one origin."""
    chromium()
    folder = tmp_path_factory.mktemp("paths")
    with Instance(folder, environment={"SMALTI_PATH_ONLY": "1"}) as made:
        yield made


def test_a_person_logs_in_and_works_on_one_origin(smalti: Instance, browser: Browser) -> None:
    tools_are_built(smalti)
    with smalti.client() as client:
        project_id = client.post("/projects", json={"name": "wine"}).json()["id"]
        body = {"project_id": project_id, "name": "desk"}
        workspace = client.post("/workspaces", json=body).json()
        client.post(f"/workspaces/{workspace['id']}/start").raise_for_status()
    context = browser.new_context()
    try:
        page = context.new_page()
        # Any host that leads here will do: no name beside localhost is needed.
        page.goto(f"{smalti.url}/")
        page.fill("#username_input", smalti.admin)
        page.fill("#password_input", smalti.password or "")
        page.click("#login_submit")
        page.wait_for_selector("h1")
        assert page.url.startswith(f"{smalti.url}/services/smalti/"), page.url
        with smalti.client() as client:
            path = f"/workspaces/{workspace['id']}"
            smalti.wait(lambda: client.get(path).json()["status"] == "Running", 120, "its start")
        page.goto(f"{smalti.url}/user/{smalti.admin}/desk/lab")
        page.wait_for_selector(".jp-Launcher, .jp-Notebook", timeout=LAB)
        assert page.url.startswith(f"{smalti.url}/user/{smalti.admin}/desk/lab"), page.url
        page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
        cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
        cell.click(timeout=LAB)
        page.keyboard.type("print(6 * 7)")
        page.keyboard.press("Shift+Enter")
        page.locator(".jp-OutputArea-output", has_text="42").wait_for(timeout=LAB)
    finally:
        context.close()

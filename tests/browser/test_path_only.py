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

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]  # `make test-browser` runs it
LONG = 120_000  # milliseconds; JupyterLab's first page on a machine that is busy


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A whole Smalti on one origin."""
    chromium()
    folder = tmp_path_factory.mktemp("paths")
    with Instance(folder, environment={"SMALTI_PATH_ONLY": "1"}) as made:
        yield made


@pytest.fixture(scope="module")
def address(smalti: Instance) -> Iterator[str]:
    """Where a workspace that runs is opened."""
    tools_are_built(smalti)
    with smalti.client() as client:
        body = {"name": "wine", "example": "wine-quality"}
        project_id = client.post("/projects", json=body).json()["id"]
        made = client.post("/workspaces", json={"project_id": project_id, "name": "desk"}).json()
        path = f"/workspaces/{made['id']}"
        client.post(f"{path}/start").raise_for_status()
        smalti.wait(lambda: client.get(path).json()["status"] == "Running", 120, "its start")
        yield client.get(path).json()["url"]
        client.post(f"{path}/stop").raise_for_status()
        smalti.wait(lambda: client.get(path).json()["status"] == "Stopped", 60, "its end")


def test_a_person_logs_in_and_works(smalti: Instance, browser: Browser, address: str) -> None:
    assert address == f"{smalti.origin}/user/{smalti.admin}/desk/"
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{smalti.origin}/")
        page.fill("#username_input", smalti.admin)
        page.fill("#password_input", smalti.password or "")
        page.click("#login_submit")
        page.wait_for_url(f"{smalti.origin}/services/smalti/**")
        page.goto(address)
        card = page.locator(".jp-LauncherCard", has_text="Python (default")
        card.first.click(timeout=LONG)
        page.get_by_text("| Idle").first.wait_for(timeout=LONG)  # its kernel listens
        page.locator(".jp-Notebook .cm-content").first.click()
        page.keyboard.type("print(6 * 7)")
        page.keyboard.press("Shift+Enter")
        page.locator(".jp-Notebook").get_by_text("42", exact=True).wait_for(timeout=LONG)
    finally:
        context.close()

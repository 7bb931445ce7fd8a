"""The hub's pages in a real browser: skinned, usable, without errors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.instance import Instance

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of Chromium; a script error on it fails the test."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_context(color_scheme=request.param).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
    assert errors == []


def test_login_and_password_pages(smalti: Instance, page: Page) -> None:
    page.goto(smalti.origin)
    assert page.url == f"{smalti.origin}/hub/login"
    assert page.title() == "Smalti"
    assert page.locator("h1:visible").inner_text() == "Log in to Smalti"
    logo = page.locator("img.jpy-logo")
    assert logo.evaluate("image => image.naturalWidth") > 0
    page.fill("#username_input", "admin")
    page.fill("#password_input", "wrong")
    page.click("#login_submit")
    assert page.locator(".login_error").inner_text() == "Invalid username or password"
    page.fill("#username_input", "admin")
    page.fill("#password_input", str(smalti.password))
    page.click("#login_submit")
    page.wait_for_url("**/services/smalti/**")
    page.goto(f"{smalti.origin}/hub/change-password")
    assert page.locator("h1:visible").inner_text() == "Change your password"
    page.goto(f"{smalti.origin}/hub/home")
    assert page.locator("a.btn-jupyter").get_attribute("href") == (
        f"{smalti.origin}/services/smalti/"
    )
    page.goto(f"{smalti.origin}/hub/nowhere")
    assert page.locator("h1:visible").inner_text() == "There is no such page"


def test_pages_of_another_host_end_at_the_main_one(smalti: Instance, page: Page) -> None:
    page.goto(f"http://admin.localhost:{smalti.port}/hub/login")
    assert page.url == f"{smalti.origin}/hub/login"
    page.goto(f"http://127.0.0.1:{smalti.port}/")
    assert page.url == f"{smalti.origin}/hub/login"

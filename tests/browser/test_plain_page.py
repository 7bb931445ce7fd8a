"""The plain page in a real browser: log in, watch a job come and go, log out; light and dark."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import built, chromium
from tests.instance import Instance

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PAGE = "/services/smalti/"
PICTURES = os.environ.get("SMALTI_TEST_PICTURES")  # a folder: what was seen is kept there


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A whole Smalti without a built console."""
    chromium()
    made = Instance(tmp_path_factory.mktemp("plain"))
    made.home.mkdir()
    line = f"c.Settings.console_folder = {str(made.home / 'console')!r}\n"
    (made.home / "smalti_config.py").write_text(line)
    with made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without cookies."""
    made = browser.new_context()
    yield made
    made.close()


def log_in(smalti: Instance, context: BrowserContext) -> tuple[Page, list[str]]:
    """Log in as a person does; return the first page and what its console complains of."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{smalti.origin}/")
    page.fill("#username_input", smalti.admin)
    page.fill("#password_input", smalti.password or "")
    page.click("#login_submit")
    page.wait_for_selector("h1:has-text('What is running')")
    assert page.url == f"{smalti.origin}{PAGE}"
    return page, complaints


def start(smalti: Instance, project_id: str, command: Any, **more: Any) -> dict[str, Any]:
    """Start a job by the API."""
    with smalti.client() as client:
        body = {"project_id": project_id, "command": command, **more}
        answer = client.post("/jobs", json=body)
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view


@pytest.fixture(scope="module")
def project_id(smalti: Instance) -> str:
    """A project with the example in it."""
    with smalti.client() as client:
        body = {"name": "wine", "example": "wine-quality", "description": "<b>Three</b> wines"}
        answer = client.post("/projects", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def test_a_job_appears_and_ends_before_ones_eyes(
    smalti: Instance, context: BrowserContext, project_id: str
) -> None:
    page, complaints = log_in(smalti, context)
    page.wait_for_selector("text=git clone")
    start(smalti, project_id, "exit 3", title="the one that fails")
    row = page.locator("tr", has_text="the one that fails")
    row.locator(".pill.bad:has-text('Failed')").wait_for(timeout=30_000)
    start(smalti, project_id, ["echo", "<script>document.title='owned'</script>"])
    page.locator("tr", has_text="owned").locator(".pill.good").wait_for(timeout=30_000)
    assert page.title() == "Smalti"
    assert page.locator("b").count() == 0
    with page.expect_navigation():
        row.locator("a:has-text('log')").click()
    assert "/logs?follow=false" in page.url
    assert complaints == []


def test_logging_out_leads_to_the_login(smalti: Instance, context: BrowserContext) -> None:
    page, complaints = log_in(smalti, context)
    page.click("text=Log out")
    page.wait_for_selector("#username_input")
    assert not [cookie for cookie in context.cookies() if cookie["name"].startswith("smalti-")]
    page.goto(f"{smalti.origin}{PAGE}")
    page.wait_for_selector("#username_input")
    assert complaints == []


@pytest.fixture
def stranger_port() -> Iterator[int]:
    """The port of somebody else's page: content of people lives on hosts beside ours."""

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>stranger</title>")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_another_origin_cannot_read_or_act(
    smalti: Instance, context: BrowserContext, stranger_port: int
) -> None:
    log_in(smalti, context)
    stranger = context.new_page()
    stranger.goto(f"http://app.localhost:{stranger_port}/")
    me = f"{smalti.origin}{PAGE}api/v1/me"
    read = "url => fetch(url, {credentials: 'include'}).then(r => r.text(), e => 'refused')"
    assert stranger.evaluate(read, me) == "refused"
    act = (
        "url => fetch(url, {method: 'POST', credentials: 'include', mode: 'no-cors',"
        " body: JSON.stringify({name: 'stolen'})}).then(r => r.type, e => 'refused')"
    )
    stranger.evaluate(act, f"{smalti.origin}{PAGE}api/v1/tokens")
    lines = smalti.logs().splitlines()
    posts = [line for line in lines if '"POST"' in line and "/api/v1/tokens" in line]
    assert posts, "the browser itself held it back: this proves nothing of ours"
    assert all('"status": 401' in line or '"status": 403' in line for line in posts)
    with smalti.client() as client:
        assert client.get("/tokens").json()["items"] == []
    assert stranger.evaluate("document.cookie") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen(
    smalti: Instance, browser: Browser, project_id: str, scheme: Any, width: int
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    start(smalti, project_id, ["sleep", "0"], title="x" * 180)
    start(smalti, project_id, ["no-such-program"])
    page, complaints = log_in(smalti, context)
    page.locator(".pill.good").first.wait_for(timeout=30_000)
    page.locator(".pill.bad").first.wait_for(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(20, 25, 28)" if scheme == "dark" else "rgb(245, 243, 238)"
    )
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"first-page-{scheme}-{width}.png", full_page=True)
    assert complaints == []
    context.close()


def test_it_makes_way_for_the_console(smalti: Instance, context: BrowserContext) -> None:
    folder = smalti.home / "console"
    word = folder.with_name("console.json")
    word.write_text('{"message": "The console is being built.", "soon": true}')
    page, complaints = log_in(smalti, context)
    page.wait_for_selector("text=The console is being built.")
    try:
        shutil.copytree(built(), folder)
        page.wait_for_selector("nav[aria-label='Pages'], nav a:has-text('Projects')")
    finally:
        shutil.rmtree(folder)
        word.unlink()
    assert complaints == []

"""A whole Smalti with people, projects and runs in it, and a Chromium to look at it.

One instance for the folder: what a test changes is its own (a project, a job that it makes).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.look import FLAGS, Look
from tests.browser.world import World, furnish
from tests.instance import EVERY_PROCESS, Instance

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BUILT = Path(__file__).parents[2] / "services" / "console" / "built" / "index.html"


def chromium() -> str:
    """Find the browser, or skip."""
    for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(path).exists():
            return path
    pytest.skip("Chromium is not installed (apt-get install chromium)")


def built() -> Path:
    """Find the built console, or skip."""
    if not BUILT.exists():
        pytest.skip("the console is not installed here: make console says why")
    return BUILT.parent


@pytest.fixture(scope="session")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A whole Smalti."""
    chromium()
    built()
    with Instance(tmp_path_factory.mktemp("browser"), processes=EVERY_PROCESS) as made:
        yield made


@pytest.fixture(scope="session")
def world(smalti: Instance) -> World:
    """Who and what is there."""
    return furnish(smalti)


@pytest.fixture(scope="module")  # its loop must end before tests of another kind begin
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def look(smalti: Instance, browser: Browser) -> Iterator[Look]:
    """A browser without cookies; what its console complains of fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    made = Look(smalti, context)
    yield made
    context.close()
    assert made.foreign == [], "asked another host"
    assert made.complaints == []

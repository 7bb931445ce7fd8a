"""Looking at the console as a person does: log in, go somewhere, wait until it is there.

Used by the tests of this folder and by `docs/screenshots.py`. What the browser's console says
and each request to another host is written down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.instance import Instance

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request

PREFIX = "/services/smalti"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60_000  # milliseconds: the machine may have much else to do
# Waiting is over when nothing says any more that it loads, and something is shown.
SETTLED = """() => {
  const main = document.querySelector("main");
  const text = main?.innerText ?? "";
  const waits = main?.querySelector(".empty[role=status]") ?? null;
  return text.trim() !== "" && waits === null && !/Loading .* …/.test(text);
}"""


class Look:
    """One browser profile."""

    def __init__(self, smalti: Instance, context: BrowserContext) -> None:
        self.smalti, self.context = smalti, context
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.expected: tuple[str, ...] = ()  # parts of complaints that belong to the test
        context.set_default_timeout(PATIENCE)
        context.on("request", self._request)
        self.page = self.tab()

    def tab(self) -> Page:
        """Open a tab."""
        page = self.context.new_page()
        page.on("console", lambda one: self._complain(page, f"{one.text} {one.location['url']}"))
        page.on("pageerror", lambda error: self._complain(page, str(error)))
        return page

    def _complain(self, page: Page, text: str) -> None:
        if not any(part in text for part in self.expected):
            self.complaints.append(f"{urlsplit(page.url).path}: {text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != f"localhost:{self.smalti.port}":
            self.foreign.append(request.url)

    def log_in(self, name: str | None = None, password: str | None = None) -> Page:
        """Log in and wait for the first page."""
        page = self.page
        page.goto(f"{self.smalti.origin}/")
        page.fill("#username_input", name or self.smalti.admin)
        page.fill("#password_input", password or self.smalti.password or "")
        page.click("#login_submit")
        page.wait_for_selector("main h1")
        self.settled()
        return page

    def go(self, address: str) -> Page:
        """Go to a page of the console and wait until it is there."""
        self.page.goto(f"{self.smalti.origin}{PREFIX}{address}")
        self.settled()
        return self.page

    def settled(self) -> None:
        """Wait until nothing loads any more."""
        self.page.wait_for_function(SETTLED)

    def fits(self) -> bool:
        """Say whether nothing is wider than the window."""
        width = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return bool(width <= 0)

    def violations(self) -> list[str]:
        """Ask axe; give what is serious or critical, with where it is."""
        from axe_playwright_python.sync_playwright import Axe

        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

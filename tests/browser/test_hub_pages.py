"""The hub's own pages look like ours, are accessible, fit, and lead on to the console."""

from __future__ import annotations

import pytest

from tests.browser.look import Look
from tests.browser.world import ONE_TIME, World
from tests.instance import Instance

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]  # `make test-browser` runs them

# axe reads the hub's style sheet once more and takes what it imports for relative to the page.
AXE = ("fontawesome",)
PAGES = ["home", "admin", "token", "change-password", "change-password/alice", "spawn",
         "no-such-page"]  # fmt: skip
GROUND = {"light": "rgb(245, 243, 238)", "dark": "rgb(20, 25, 28)"}


def wrong_with(look: Look, name: str, scheme: str) -> list[str]:
    """Say what is wrong with the page that is shown."""
    found = [f"{name}: {one}" for one in look.violations()]
    if not look.fits():
        found.append(f"{name}: wider than the window")
    ground = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
    if ground != GROUND[scheme]:
        found.append(f"{name}: its ground is {ground}")
    return found


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_they_are_accessible_and_fit(look: Look, world: World, scheme: str, width: int) -> None:
    look.expected = (*AXE, "status of 403", "status of 404")
    page = look.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(f"{look.smalti.origin}/hub/login")
    wrong = wrong_with(look, "login", scheme)
    page.fill("#username_input", "alice")
    page.fill("#password_input", "not the password")
    page.click("#login_submit")
    page.get_by_text("Invalid username or password").wait_for()
    wrong += wrong_with(look, "login, refused", scheme)
    look.log_in()
    for name in PAGES:
        page.goto(f"{look.smalti.origin}/hub/{name}")
        if name == "admin":
            page.get_by_role("button", name="More about alice").wait_for()
        wrong += wrong_with(look, name, scheme)
    assert not wrong, "\n".join(wrong)


def test_a_one_time_password_leads_to_a_page_to_change_it(
    smalti: Instance, look: Look, world: World
) -> None:
    look.expected = AXE
    smalti.add_person("newcomer")
    page = look.log_in()
    page.goto(f"{smalti.origin}/hub/change-password/newcomer")
    page.get_by_label("One-time password").fill(ONE_TIME)
    page.get_by_role("button", name="Set it").click()
    page.get_by_text("It is set.").wait_for()
    page.get_by_role("link", name="Back to the people").click()
    page.get_by_role("heading", name="People", exact=True).wait_for()
    look.context.clear_cookies()
    page.goto(f"{smalti.origin}/hub/login")
    page.fill("#username_input", "newcomer")
    page.fill("#password_input", ONE_TIME)
    page.click("#login_submit")
    page.get_by_role("heading", name="Choose your password").wait_for()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert wrong_with(look, "change-password, forced", scheme) == []


def test_the_hubs_page_of_people_leads_to_ours_and_back(look: Look, world: World) -> None:
    look.expected = AXE
    page = look.log_in()
    page.goto(f"{look.smalti.origin}/hub/admin")
    page.get_by_role("link", name="Smalti's page of people").click()
    page.get_by_role("heading", name="People", exact=True).wait_for()
    page.get_by_role("link", name="the hub's page of accounts").click()
    page.get_by_role("heading", name="The hub's accounts").wait_for()

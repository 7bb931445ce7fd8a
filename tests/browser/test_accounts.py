"""The hub's own pages and what the console does with its accounts: people come and go.

The hub's pages look like ours, are accessible, fit, and lead on to the console.
"""

from __future__ import annotations

import pytest

from tests.browser.look import Look
from tests.browser.world import ONE_TIME, PASSWORD, World
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


def test_a_person_is_added_in_the_console_and_comes_in(look: Look, world: World) -> None:
    look.expected = (*AXE, "status of 409")
    look.log_in()
    page = look.go("/admin/people")
    page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    name = dialog.get_by_role("textbox", name="Name")
    name.fill("Nora <b>")
    dialog.get_by_text("It begins with a lower-case letter").wait_for()
    assert dialog.get_by_role("button", name="Add Nora").is_disabled()
    name.fill("alice")
    dialog.get_by_role("button", name="Add alice").click()
    dialog.get_by_text("There is somebody called alice already").wait_for()
    name.fill("nora")
    assert look.violations() == []
    dialog.get_by_role("button", name="Add nora").click()
    told = dialog.get_by_label("the one-time password", exact=True)
    password = told.inner_text()
    assert look.violations() == []
    page.keyboard.press("Escape")  # what is told once does not go by a slip
    assert told.is_visible()
    dialog.get_by_role("button", name="I have noted it").click()
    dialog.wait_for(state="hidden")
    row = page.get_by_role("row", name="nora")
    row.wait_for()
    assert password not in page.content()
    # The password was lost: as long as nora has not been here, there is another.
    row.get_by_role("button", name="What to do with nora").click()
    page.get_by_role("menuitem", name="New one-time password").click()
    dialog = page.get_by_role("dialog", name="A one-time password for nora")
    again = dialog.get_by_label("the one-time password", exact=True).inner_text()
    assert again != password
    dialog.get_by_role("button", name="I have noted it").click()
    row.get_by_role("combobox", name="Roles of nora").press("ArrowDown")
    page.get_by_role("option", name="support").click()
    page.get_by_text("nora is practitioner, support now").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("row", name="nora").get_by_text("support").wait_for(state="hidden")
    come_in(look, "nora", again)
    assert page.get_by_role("navigation", name="Administration").count() == 0


def come_in(look: Look, name: str, password: str) -> None:
    """Log in with a one-time password and choose another one."""
    page = look.page
    look.context.clear_cookies()
    page.goto(f"{look.smalti.origin}/")
    page.fill("#username_input", name)
    page.fill("#password_input", password)
    page.click("#login_submit")
    page.get_by_role("heading", name="Choose your password").wait_for()
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Set password and go on").click()
    page.get_by_role("heading", name=f"Hello, {name}").wait_for()


def test_somebody_is_deactivated_and_let_in_again(look: Look, world: World) -> None:
    world.smalti.add_person("dora")
    with world.smalti.client("dora") as client:
        assert client.get("/me").status_code == 200
    look.log_in()
    page = look.go("/admin/people")
    page.get_by_role("button", name="What to do with dora").click()
    page.get_by_role("menuitem", name="Deactivate").click()
    page.get_by_text("dora is refused everywhere").wait_for()
    page.get_by_role("row", name="dora").wait_for(state="hidden")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("row", name="dora").wait_for()
    page.get_by_role("button", name="What to do with dora").click()
    page.get_by_role("menuitem", name="Deactivate").click()
    page.get_by_role("row", name="dora").wait_for(state="hidden")
    page.locator("label", has_text="Deactivated").click()
    page.get_by_role("button", name="What to do with dora").click()
    page.get_by_role("menuitem", name="Let in again").click()
    page.get_by_text("dora may come in again").wait_for()
    with world.smalti.client("dora") as client:
        world.smalti.wait(lambda: client.get("/me").status_code == 200, 60, "dora to be let in")


def test_who_has_logged_in_gets_a_password_on_the_hubs_page(look: Look, world: World) -> None:
    look.expected = ("status of 409",)
    look.log_in()
    page = look.go("/admin/people")
    page.get_by_role("button", name="What to do with alice").click()
    page.get_by_role("menuitem", name="New one-time password").click()
    page.get_by_text("alice has logged in already").wait_for()
    page.get_by_role("link", name="To the hub's page").click()
    page.get_by_role("heading", name="One-time password for alice").wait_for()


def test_the_hubs_page_of_people_leads_to_ours_and_back(look: Look, world: World) -> None:
    look.expected = AXE
    page = look.log_in()
    page.goto(f"{look.smalti.origin}/hub/admin")
    page.get_by_role("link", name="Smalti's page of people").click()
    page.get_by_role("heading", name="People", exact=True).wait_for()
    page.get_by_role("link", name="the hub's page of accounts").click()
    page.get_by_role("heading", name="The hub's accounts").wait_for()

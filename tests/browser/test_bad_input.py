"""What breaks pages: long and strange texts, noise, bombs, rights that end, a platform that fails.

Whatever comes, the page stays usable and says what happened.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.browser.bent import answer_all, bend_texts
from tests.browser.look import PREFIX, Look
from tests.browser.world import NASTY, OTHER_SCRIPTS, World

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]  # `make test-browser` runs them

SOON = 40_000  # milliseconds within which a right that was taken away is felt
AWAY = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "ERR_NETWORK", "ERR_CONNECTION",
        "Failed to fetch", "dynamically imported", "status of 50", "preload")  # fmt: skip
FAILURE = {"code": "internal", "message": "something failed", "request_id": "abc123"}


def pages(world: World) -> list[str]:
    """One address of each kind of page."""
    wine = f"/projects/{world.projects['wine']}"
    parts = ["", "/files", "/history", "/jobs", "/workspaces", "/secrets", "/members", "/settings"]
    inside = [f"{wine}{part}" for part in parts]
    job = f"/jobs/{world.jobs['failed']}"
    compare = f"/jobs/compare?left={world.jobs['trained']}&right={world.jobs['failed']}"
    mine = ["", "projects", "jobs", "workspaces", "secrets", "environments", "tokens", "profile"]
    admin = ["people", "executions", "tiers", "planes", "audit", "health"]
    return [
        *(f"/{name}" for name in mine),
        *inside,
        *(f"/workspaces/{one}" for one in world.workspaces.values()),
        job,
        f"/jobs/{world.jobs['trained']}?tab=outputs",
        compare,
        *(f"/admin/{name}" for name in admin),
    ]


def whole(page: Page) -> bool:
    """Say whether navigation and content are there, and no page has failed to be drawn."""
    text = page.locator("main").inner_text().strip()
    return (
        text != ""
        and "This page failed" not in text
        and page.get_by_role("navigation", name="Pages").count() == 1
    )


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param(lambda text: (text + "x" * 10_000)[:10_000], id="10,000 characters"),
        pytest.param(lambda text: f"{OTHER_SCRIPTS}\u202e{text}", id="right to left and emoji"),
        pytest.param(lambda text: NASTY + text, id="markup"),
    ],
)
def test_any_text_in_every_field_of_every_page(look: Look, world: World, bent: object) -> None:
    look.expected = ("status of 404",)  # what is called otherwise is not found
    look.log_in()
    bend_texts(look.page, bent)  # type: ignore[arg-type]
    wrong = []
    for address in pages(world):
        page = look.go(address)
        if not whole(page):
            wrong.append(f"{address}: {page.locator('main').inner_text()[:200]}")
        if not look.fits():
            wrong.append(f"{address}: wider than the window")
        if page.title() == "owned" or page.locator("main img[onerror], main script").count():
            wrong.append(f"{address}: somebody's markup is in the page")
    look.page.unroute_all(behavior="wait")
    assert not wrong, "\n".join(wrong)


def test_long_words_in_every_form_are_refused_in_words(look: Look, world: World) -> None:
    look.expected = ("status of 422", "status of 400")
    page = look.log_in()
    long = "x" * 10_000
    look.go("/projects?new")
    page.get_by_label("Name").fill(long)
    page.get_by_role("button", name="Make the project").click()
    page.get_by_text("A name has at most 64 characters.").wait_for()
    assert look.fits()
    look.go("/tokens")
    page.get_by_role("button", name=re.compile("New token")).click()
    page.get_by_label("What it is for").fill(long)
    assert len(page.get_by_label("What it is for").input_value()) == 255
    assert look.fits()


def test_a_log_of_noise_is_shown_searched_and_downloaded(look: Look, world: World) -> None:
    key = f"noise-{secrets.token_hex(3)}"
    command = "head -c 3000000 /dev/urandom; printf '\\nfound at last\\n'"
    world.start(key, "wine", command=command, title="Noise")
    world.wait(key, "Succeeded")
    look.log_in()
    page = look.go(f"/jobs/{world.jobs[key]}")
    page.get_by_text(re.compile(r"[\d,]+ lines")).wait_for()
    page.get_by_label("Search the log").fill("found at last")
    page.locator(".log-line.current", has_text="found at last").wait_for()
    assert look.fits()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().stat().st_size >= 3_000_000


def test_outputs_that_are_too_much_are_offered_not_shown(look: Look, world: World) -> None:
    key = f"large-{secrets.token_hex(3)}"
    bomb = "import struct,zlib;h=b'IHDR'+struct.pack('>IIBBBBB',50000,50000,8,2,0,0,0);" \
        "open('bomb.png','wb').write(b'\\x89PNG\\r\\n\\x1a\\n'+struct.pack('>I',13)+h+" \
        "struct.pack('>I',zlib.crc32(h)))"  # fmt: skip
    cells = "import json;c={'cell_type':'code','source':'x','outputs':[]};" \
        "json.dump({'cells':[c]*200000},open('many.ipynb','w'))"  # fmt: skip
    command = (
        "cd $SMALTI_OUTPUTS; head -c 200000000 /dev/zero > large.ipynb; "
        f'python -c "{bomb}"; python -c "{cells}"'
    )
    world.start(key, "wine", command=command, title="Too much")
    world.wait(key, "Succeeded")
    look.log_in()
    page = look.go(f"/jobs/{world.jobs[key]}?tab=outputs")
    page.get_by_text("50000 by 50000").wait_for()
    page.get_by_role("button", name="large.ipynb", exact=True).click()
    page.get_by_text("too large to be shown here").wait_for()
    page.get_by_role("link", name="Download it").wait_for()
    page.get_by_role("button", name="many.ipynb", exact=True).click()
    page.get_by_text("In [ ]").first.wait_for(timeout=60_000)
    assert page.get_by_text("In [ ]").count() <= 2000
    assert whole(page)


def test_markup_in_a_notebook_can_do_nothing(look: Look, world: World) -> None:
    pieces = [
        "<img src=x onerror=alert(1)>", "<script>document.title='owned'</script>",
        "<a href='javascript:alert(1)'>x</a>", "<svg><script>document.title='owned'</script></svg>",
        "<iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
        "<form action=/x><button>press</button></form>", "<style>*{display:none}</style>",
        "<div style='position:fixed;inset:0' id=root class=shell>over</div>",
        "<math><mtext><table><mglyph><style><img src onerror=document.title='owned'>",
        "<link rel=stylesheet href=//evil.example/x>", "<base href=//evil.example>",
        "<meta http-equiv=refresh content='0;url=//evil.example'>", "<object data=//evil.example>",
        "<img/onerror=alert(1) src=x>", "<table><tr><td>7 only = 3</td></tr></table>",
    ]  # fmt: skip
    outputs = [{"output_type": "display_data", "data": {"text/html": one}} for one in pieces]
    cells = [{"cell_type": "code", "source": "x", "outputs": outputs}]
    name = f"markup-{secrets.token_hex(3)}.ipynb"
    with world.smalti.client() as client:
        address = f"/projects/{world.projects['nasty']}/content/{name}"
        assert client.put(address, json={"cells": cells}).status_code == 200
    look.log_in()
    page = look.go(f"/projects/{world.projects['nasty']}/files/{name}")
    page.get_by_role("cell", name="7 only = 3").wait_for()
    bad = "img, script, a, svg, iframe, form, button, style, math, link, base, meta, object"
    assert page.locator(".rich").locator(bad).count() == 0
    assert page.locator(".rich [style], .rich [id], .rich [class], .rich [onerror]").count() == 0
    assert page.title() != "owned"


def test_a_session_that_ends_while_a_page_is_open_keeps_what_was_typed(
    look: Look, world: World
) -> None:
    look.expected = ("status of 401", "status of 403", "ERR_INCOMPLETE_CHUNKED")
    look.log_in("alice", world.people["alice"])
    page = look.go(f"/projects/{world.projects['nasty']}/files/page.html?edit=")
    page.locator(".cm-content").click()
    page.keyboard.type("typed while logged in ")
    headers = {"Authorization": f"token {world.smalti.token()}"}
    tokens = f"{world.smalti.hub_api}/users/alice/tokens"
    kept = world.smalti.token("alice")
    for one in httpx.get(tokens, headers=headers, timeout=30).json()["api_tokens"]:
        if not kept.startswith(one["id"]) and one.get("oauth_client"):
            httpx.delete(f"{tokens}/{one['id']}", headers=headers, timeout=30)
    page.get_by_label("What changes, in a line").fill("After the session")
    ask = f"fetch('{PREFIX}/api/v1/me').then(answer => answer.status)"
    world.smalti.wait(lambda: page.evaluate(ask) == 401, SOON / 1000, "the session's end")
    page.get_by_role("button", name="Save to main").click()
    page.get_by_text("Your session has ended").first.wait_for()
    assert "typed while logged in" in page.locator(".cm-content").inner_text()
    with look.context.expect_page() as opened:
        page.get_by_role("link", name="Log in in a new tab").click()
    opened.value.wait_for_url(re.compile("login|services"))
    if "login" in opened.value.url:
        opened.value.fill("#username_input", "alice")
        opened.value.fill("#password_input", world.people["alice"])
        opened.value.click("#login_submit")
    opened.value.get_by_role("navigation", name="Pages").wait_for()
    page.get_by_role("button", name="I have logged in").click()
    page.get_by_text("Your session has ended").first.wait_for(state="hidden")
    page.get_by_role("button", name="Save to main").click()
    page.get_by_text("page.html is saved").wait_for()


def test_a_role_that_is_taken_away_is_said(look: Look, world: World) -> None:
    look.expected = ("status of 404", "status of 403")
    project = world.projects["nasty"]
    look.log_in("alice", world.people["alice"])
    page = look.go(f"/projects/{project}/files/README.md?edit=")
    page.locator(".cm-content").click()
    page.keyboard.type("mine ")
    with world.smalti.client() as client:
        members = client.get(f"/projects/{project}/members").json()["items"]
        alice = next(one["person"] for one in members if one["person"]["name"] == "alice")
        address = f"/projects/{project}/members/{alice['id']}"
        assert client.delete(address).status_code in (200, 204)
        try:
            page.get_by_role("button", name="Save to main").click()
            page.locator(".notice.bad[role=alert]").wait_for(timeout=SOON)
            assert "mine" in page.locator(".cm-content").inner_text()
            page.goto(f"{world.smalti.origin}{PREFIX}/projects/{project}/jobs")
            page.get_by_text("There is nothing here").wait_for()
            page.get_by_role("navigation", name="Pages").wait_for()
        finally:
            body = {"person": "alice", "role": "contributor"}
            client.post(f"/projects/{project}/members", json=body)


@pytest.mark.parametrize(
    ("body", "media_type", "said"),
    [
        (
            json.dumps({"error": FAILURE}),
            "application/json",
            "Request abc123",
        ),
        (
            "<html><script>document.title='owned'</script>oops",
            "text/html",
            "The answer was an error",
        ),
    ],
)
def test_every_page_says_that_the_platform_fails(
    look: Look, world: World, body: str, media_type: str, said: str
) -> None:
    look.expected = ("status of 500",)
    look.log_in()
    answer_all(look.page, 500, body, media_type)
    wrong = []
    for address in pages(world)[:-1]:  # health is asked elsewhere, and says how it is
        page = look.go(address)
        if not whole(page) or said not in page.locator("main").inner_text():
            wrong.append(f"{address}: {page.locator('main').inner_text()[:200]}")
    assert not wrong, "\n".join(wrong)
    look.page.unroute_all(behavior="wait")
    page.get_by_role("button", name="Try again").first.click()
    page.get_by_text(said).wait_for(state="hidden")


def test_a_slow_platform_is_waited_for_with_words(look: Look, world: World) -> None:
    look.log_in()
    network = look.context.new_cdp_session(look.page)
    network.send("Network.enable")
    conditions = {
        "offline": False,
        "latency": 5000,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
    }
    page = look.page
    network.send("Network.emulateNetworkConditions", conditions)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Environments").click()
    page.get_by_text("Loading the page").wait_for(timeout=5_000)
    page.get_by_text("Loading the environments").wait_for(timeout=60_000)
    page.get_by_text("Revision 1").wait_for(timeout=60_000)


def test_offline_is_said_and_passes(look: Look, world: World) -> None:
    look.expected = AWAY
    look.log_in()
    page = look.go(f"/projects/{world.projects['nasty']}/files/page.html?edit=")
    page.locator(".cm-content").click()
    page.keyboard.type("typed before it was cut ")
    look.context.set_offline(True)
    page.get_by_role("button", name="Save to main").click()
    page.get_by_text("Smalti does not answer").first.wait_for()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Environments").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Stay|stay")).click()
    assert "typed before it was cut" in page.locator(".cm-content").inner_text()
    look.context.set_offline(False)
    page.get_by_text("Smalti does not answer. It may").wait_for(state="hidden", timeout=60_000)
    page.get_by_role("button", name="Save to main").click()
    page.get_by_text("page.html is saved").wait_for()


def test_a_page_that_was_never_fetched_says_so_offline(look: Look, world: World) -> None:
    look.expected = AWAY
    page = look.log_in()
    look.context.set_offline(True)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Environments").click()
    page.get_by_text("This page failed").wait_for()
    page.get_by_role("navigation", name="Pages").wait_for()
    look.context.set_offline(False)
    page.get_by_role("button", name="Load again").click()
    page.get_by_role("heading", name="Environments").wait_for()

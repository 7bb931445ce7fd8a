"""The console's login: OAuth state, sessions, cookies, XSRF, and never to a foreign address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from services.core.auth.resolver import Resolver
from services.core.auth.sessions import cookie_in
from services.core.auth.web import HOME, safe_next
from services.core.tables import web_logins, web_sessions
from tests.house import House
from tests.people.hub import Browser, Hub

API = "/services/smalti/api/v1"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A platform with a small hub beside it, and alice in it."""
    async with House(tmp_path) as house, Hub(house) as made:
        made.add("alice")
        yield made


async def signed_in(hub: Hub) -> Browser:
    """Give alice's browser after her login."""
    browser = Browser(hub.house)
    answer = await browser.log_in(hub, "alice")
    assert answer.status_code == 302, answer.text
    return browser


async def test_a_page_leads_to_the_login_and_back_to_itself(hub: Hub) -> None:
    browser = Browser(hub.house)
    first = await browser.go("/services/smalti/")
    assert first.status_code == 302
    login = await browser.go(first.headers["Location"])
    assert login.headers["Location"].startswith(f"{browser.origin}/hub/api/oauth2/authorize?")
    back = hub.authorize(login.headers["Location"], "alice").removeprefix(browser.origin)
    done = await browser.go(back)
    assert done.headers["Location"] == HOME
    page = await browser.go(HOME)
    assert page.status_code == 200
    assert "alice" in page.text
    assert (await browser.go(f"{API}/me")).json()["name"] == "alice"


async def test_the_cookies_say_what_they_must(hub: Hub) -> None:
    browser = Browser(hub.house)
    answer = await browser.log_in(hub, "alice")
    lines = answer.headers.get_list("Set-Cookie")
    found = {name: one for line in lines for name, one in SimpleCookie(line).items()}
    session, xsrf = found["smalti-session"], found["smalti-xsrf"]
    assert session["httponly"]
    assert not xsrf["httponly"]
    for morsel in (session, xsrf):
        assert morsel["samesite"] == "Lax"
        assert morsel["path"] == HOME
        assert not morsel["secure"]
    assert "smalti-login" not in browser.cookies


async def test_by_https_cookies_are_secure_and_of_this_host_only(tmp_path: Path) -> None:
    origin = "https://smalti.example"
    async with House(tmp_path, public_url=origin) as house:
        headers = {"Host": "smalti.example"}
        answer = await house.call("GET", f"{HOME}login", headers=headers)
        morsel = SimpleCookie(answer.headers["Set-Cookie"])["__Host-smalti-login"]
        assert morsel["secure"]
        assert morsel["path"] == "/"
        assert answer.headers["Location"].startswith(f"{origin}/hub/api/oauth2/authorize?")


async def test_the_database_holds_neither_token_nor_cookie(hub: Hub) -> None:
    browser = await signed_in(hub)
    rows = await hub.house.context.db.read(lambda tx: tx.all(select(web_sessions)))
    kept = "".join(str(value) for row in rows for value in row)
    assert browser.cookies["smalti-session"] not in kept
    assert not [token for token in hub.tokens if token in kept]


async def test_a_state_is_used_once_by_the_browser_that_began(hub: Hub) -> None:
    browser, stranger = Browser(hub.house), Browser(hub.house)
    login = await browser.go(f"{HOME}login")
    back = hub.authorize(login.headers["Location"], "alice").removeprefix(browser.origin)
    assert (await stranger.go(back)).status_code == 403
    assert (await browser.go(back)).status_code == 302
    assert (await browser.go(back)).status_code == 403


async def test_a_state_is_over_after_ten_minutes(hub: Hub) -> None:
    browser = Browser(hub.house)
    login = await browser.go(f"{HOME}login")
    back = hub.authorize(login.headers["Location"], "alice").removeprefix(browser.origin)
    await hub.house.context.db.write(
        lambda tx: (
            tx.execute(update(web_logins).values(created_at=tx.now - timedelta(minutes=11)))
            and None
        )
    )
    answer = await browser.go(back)
    assert answer.status_code == 403
    assert "try again" in answer.text


async def test_a_refusal_of_the_hub_opens_nothing(hub: Hub) -> None:
    browser = Browser(hub.house)
    login = await browser.go(f"{HOME}login")
    back = hub.authorize(login.headers["Location"], "alice").removeprefix(browser.origin)
    hub.codes.clear()
    assert (await browser.go(back)).status_code == 403
    assert "smalti-session" not in browser.cookies
    login = await browser.go(f"{HOME}login")
    state = login.headers["Location"].partition("state=")[2].partition("&")[0]
    denied = await browser.go(f"{HOME}oauth_callback?error=access_denied&state={state}")
    assert denied.status_code == 403


async def test_another_host_is_led_to_the_main_one_first(hub: Hub) -> None:
    browser = Browser(hub.house)
    headers = {"Host": f"127.0.0.1:{hub.house.port}"}
    moved = await browser.go(f"{HOME}login?next={HOME}x", headers=headers)
    assert moved.headers["Location"].startswith(f"{browser.origin}{HOME}login?")
    assert "smalti-login" not in browser.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-XSRF-Token": "wrong"},
        {"X-XSRF-Token": "ü".encode()},
        {"right": "yes", "Sec-Fetch-Site": "cross-site"},
        {"right": "yes", "Sec-Fetch-Site": "same-site"},
        {"right": "yes", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
async def test_a_cookie_alone_changes_nothing(hub: Hub, headers: dict[str, Any]) -> None:
    browser = await signed_in(hub)
    if headers.pop("right", None):
        headers["X-XSRF-Token"] = browser.cookies["smalti-xsrf"]
    for method, path in (("POST", "/projects"), ("POST", "/tokens"), ("DELETE", "/tokens/x")):
        answer = await browser.go(f"{API}{path}", method, headers=headers, json={"name": "wine"})
        assert answer.status_code == 403, (method, path)
    assert (await browser.go(f"{API}/projects")).json()["items"] == []


async def test_with_the_xsrf_value_the_console_may_change_things(hub: Hub) -> None:
    browser = await signed_in(hub)
    headers = {
        "X-XSRF-Token": browser.cookies["smalti-xsrf"],
        "Sec-Fetch-Site": "same-origin",
    }
    body = {"name": "wine"}
    answer = await browser.go(f"{API}/projects", "POST", headers=headers, json=body)
    assert answer.status_code == 201


async def test_another_site_reads_nothing_by_our_cookie(hub: Hub) -> None:
    browser = await signed_in(hub)
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Origin": "http://evil"}
        answer = await browser.go(f"{API}/me", headers=headers)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
        visit = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        assert (await browser.go(HOME, headers=visit)).status_code == 200
    asked = {"Origin": "http://evil", "Access-Control-Request-Method": "POST"}
    preflight = await browser.go(f"{API}/projects", "OPTIONS", headers=asked)
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]


async def test_logging_out_ends_the_session(hub: Hub) -> None:
    browser = await signed_in(hub)
    cookies = dict(browser.cookies)
    assert (await browser.go(f"{HOME}logout", "POST")).status_code == 403
    assert (await browser.go(f"{API}/me")).status_code == 200
    form = {"_xsrf": browser.cookies["smalti-xsrf"]}
    answer = await browser.go(f"{HOME}logout", "POST", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hub/logout")
    assert not browser.cookies
    browser.cookies = cookies
    assert (await browser.go(f"{API}/me")).status_code == 401
    assert (await browser.go(HOME)).status_code == 302


async def test_a_session_ends_with_its_token_or_its_time(hub: Hub) -> None:
    browser = await signed_in(hub)
    hub.tokens.clear()
    hub.house.context.get(Resolver).forget()
    assert (await browser.go(f"{API}/me")).status_code == 401
    browser = await signed_in(hub)
    await hub.house.context.db.write(
        lambda tx: tx.execute(update(web_sessions).values(expires_at=tx.now)) and None
    )
    assert (await browser.go(f"{API}/me")).status_code == 401


async def test_a_new_login_ends_the_old_session(hub: Hub) -> None:
    browser = await signed_in(hub)
    old = dict(browser.cookies)
    await browser.log_in(hub, "alice")
    assert (await browser.go(f"{API}/me")).status_code == 200
    browser.cookies = old
    assert (await browser.go(f"{API}/me")).status_code == 401


async def test_a_deactivated_account_is_told_so_and_not_sent_round(hub: Hub) -> None:
    browser = await signed_in(hub)
    person = (await browser.go(f"{API}/me")).json()
    from services.core.rights import PlatformRole

    root = await hub.house.sign_in("root", PlatformRole.ADMIN)
    change = {"status": "deactivated"}
    await hub.house.call("PATCH", f"/people/{person['id']}", as_=root, json=change)
    assert (await browser.go(f"{API}/me")).status_code == 401
    answer = await browser.log_in(hub, "alice")
    assert answer.status_code == 403
    assert "may not use Smalti" in answer.text


ELSEWHERE = [
    "",
    "http://evil.example/",
    "https:evil.example",
    "//evil.example/services/smalti/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/services/smalti/\\evil",
    "/services/smalti//evil.example",
    "/services/smalti/../../hub/logout",
    "/services/smalti/%2e%2e/%2e%2e/hub/logout",
    "/services/smalti/%2f%2fevil",
    "/services/smalti/./x",
    "/services/smaltix/",
    "/hub/logout",
    "javascript:alert(1)",
    "/services/smalti/\r\nSet-Cookie: a=b",
    "/services/smalti/%0d%0aSet-Cookie",
    " /services/smalti/",
    "/services/smalti/login",
    "/services/smalti/oauth_callback?code=1",
    "/services/smalti/logout",
    "/services/smalti/" + "a" * 3000,
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_after_the_login_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert safe_next(wanted) == HOME


@pytest.mark.parametrize("wanted", [HOME, f"{HOME}jobs/1?tab=log", f"{HOME}a%20b", f"{HOME}x#y"])
def test_after_the_login_one_is_where_one_wanted_to_be(wanted: str) -> None:
    assert safe_next(wanted) == wanted


@given(st.text(max_size=200) | st.text(max_size=40).map(lambda text: HOME + text))
def test_whatever_is_asked_for_the_answer_is_ours(wanted: str) -> None:
    found = safe_next(wanted)
    assert found.startswith(HOME)
    assert not set(found) & set("\\\r\n\t")
    assert "//" not in found.partition("?")[0].partition("#")[0]


async def test_the_whole_login_never_leads_elsewhere(hub: Hub) -> None:
    browser = Browser(hub.house)
    answer = await browser.log_in(hub, "alice", "https://evil.example/")
    assert answer.headers["Location"] == HOME


def test_a_badly_set_cookie_does_not_hide_ours() -> None:
    header = 'a="; b@d=1; smalti-session=right; c'
    assert cookie_in(header, "smalti-session") == "right"
    assert cookie_in("smalti-session=", "smalti-session") is None

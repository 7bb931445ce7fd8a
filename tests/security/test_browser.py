"""S9 XSRF, CORS, cookies, open redirect: the console's login with a real hub and a real browser's
manners."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.auth.web import HOME, safe_next
from tests.instance import Instance, form_xsrf

PREFIX = "/services/smalti"
API = f"{PREFIX}/api/v1"


def follow(browser: httpx.Client, url: str, most: int = 10) -> httpx.Response:
    """Go where redirects lead, as a browser does; the way must stay on the main host."""
    answer = browser.get(url)
    for _ in range(most):
        if answer.status_code not in (302, 303):
            return answer
        where = httpx.URL(url).join(answer.headers["location"])
        assert where.host in ("", "localhost"), f"led away to {where}"
        url = str(where)
        answer = browser.get(url)
    raise AssertionError("round and round")


@pytest.fixture
def browser(smalti: Instance) -> Iterator[httpx.Client]:
    """A browser that is logged in at the console as the administrator."""
    assert smalti.password is not None
    with smalti.browse() as browser:
        smalti.log_in(smalti.admin, smalti.password, browser)
        page = follow(browser, f"{smalti.origin}{PREFIX}/login?next={PREFIX}/")
        if "authorize" in str(page.url):
            page = browser.post(str(page.url), data={"_xsrf": form_xsrf(page), "scopes": "inherit"})
            page = follow(browser, str(httpx.URL(str(page.url)).join(page.headers["location"])))
        assert browser.get(f"{API}/me").status_code == 200, page.text[:500]
        yield browser


def cookie_lines(answer: httpx.Response) -> list[str]:
    """The Set-Cookie headers of an answer."""
    return answer.headers.get_list("set-cookie")


def test_a_cookie_alone_changes_nothing(browser: httpx.Client) -> None:
    body = {"name": "by-cookie"}
    for headers in ({}, {"X-XSRF-Token": ""}, {"X-XSRF-Token": "wrong"}, {"X-XSRFToken": "x"}):
        answer = browser.post(f"{API}/projects", json=body, headers=headers)
        assert answer.status_code == 403, (headers, answer.text)
    for name in ("Content-Type",):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = browser.post(
                f"{API}/projects", content=b'{"name": "by-form"}', headers={name: kind}
            )
            assert answer.status_code == 403


def test_with_its_xsrf_value_it_does(browser: httpx.Client) -> None:
    value = browser.cookies["smalti-xsrf"]
    headers = {"X-XSRF-Token": value}
    answer = browser.post(f"{API}/projects", json={"name": "by-console"}, headers=headers)
    assert answer.status_code == 201, answer.text
    away = {**headers, "Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
    answer = browser.post(f"{API}/projects", json={"name": "by-other"}, headers=away)
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_reads_nothing_with_the_cookie(browser: httpx.Client, site: str) -> None:
    """`same-site` too: a person's own app at NAME.localhost is another origin, not another site."""
    for mode in ("cors", "no-cors", "websocket"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert browser.get(f"{API}/me", headers=headers).status_code == 403, mode


def test_no_answer_invites_another_origin(smalti: Instance, browser: httpx.Client) -> None:
    for origin in ("http://evil.example", f"http://bob.localhost:{smalti.port}", "null"):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for method in ("OPTIONS", "GET"):
            for path in (f"{API}/me", f"{API}/projects", f"{PREFIX}/health", "/hub/api/user"):
                answer = browser.request(method, path, headers=headers)
                allowed = answer.headers.get("access-control-allow-origin", "")
                assert allowed in ("", smalti.origin), (method, path, allowed)
                assert "access-control-allow-credentials" not in answer.headers


def test_the_sessions_cookie_is_closed_to_scripts_and_other_sites(smalti: Instance) -> None:
    assert smalti.password is not None
    with smalti.browse() as browser:
        begun = browser.get(f"{PREFIX}/login")
        [line] = [one for one in cookie_lines(begun) if one.startswith("smalti-login")]
        assert "httponly" in line.lower()
        assert "samesite=lax" in line.lower()
        smalti.log_in(smalti.admin, smalti.password, browser)
        lines: list[str] = []
        browser.event_hooks = {"response": [lambda answer: lines.extend(cookie_lines(answer))]}
        follow(browser, f"{smalti.origin}{PREFIX}/login")
    [session] = [one for one in lines if one.startswith("smalti-session=")]
    for word in ("httponly", "samesite=lax", f"path={PREFIX}/"):
        assert word in session.lower(), session
    assert "domain=" not in session.lower(), "people's own hosts would get it too"


def test_a_login_is_finished_by_the_browser_that_began_it(smalti: Instance) -> None:
    """Or somebody could have another log in to their own account."""
    assert smalti.password is not None
    with smalti.browse() as mallory, smalti.browse() as victim:
        smalti.log_in(smalti.admin, smalti.password, mallory)
        begun = mallory.get(f"{PREFIX}/login")
        question = parse_qs(urlsplit(begun.headers["location"]).query)
        assert question["code_challenge_method"] == ["S256"]
        answer = mallory.get(begun.headers["location"])
        assert answer.status_code == 302, answer.text[:300]
        callback = answer.headers["location"]
        refused = victim.get(callback)
        assert refused.status_code == 403
        assert not [one for one in cookie_lines(refused) if one.startswith("smalti-session=")]
        twice = mallory.get(callback)
        assert twice.status_code in (302, 403)
        assert mallory.get(callback).status_code == 403, "a state is used once"


@pytest.mark.parametrize(
    "wanted",
    ["http://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example",
     f"{PREFIX}/../../evil", f"{PREFIX}//evil.example", "javascript:alert(1)", "/hub/logout",
     f"{PREFIX}/%2e%2e/%2e%2e/hub/logout", f"{PREFIX}/\r\nSet-Cookie: a=b",
     f"{PREFIX}.evil.example",
     f"{PREFIX}/@evil.example:80\\", f"{PREFIX}/logout", " //evil.example", "/\t/evil.example"],
)  # fmt: skip
def test_no_login_leads_away(smalti: Instance, wanted: str) -> None:
    assert safe_next(wanted) in (HOME, wanted)
    landed = urlsplit(safe_next(wanted))
    assert (landed.scheme, landed.netloc) == ("", "")
    assert safe_next(wanted).startswith(HOME)
    with smalti.browse() as browser:
        login = browser.get(f"{PREFIX}/login", params={"next": wanted})
        where = urlsplit(login.headers.get("location", "/"))
        assert where.hostname in (None, "localhost")
        answer = browser.get("/hub/login", params={"next": wanted})
        location = answer.headers.get("location", "")
        assert "evil.example" not in urlsplit(location).netloc


def test_the_hubs_login_leads_nowhere_else(smalti: Instance) -> None:
    assert smalti.password is not None
    for wanted in ("http://evil.example/", "//evil.example/", "/\\evil.example", "///evil.example"):
        with smalti.browse() as browser:
            page = browser.get("/hub/login", params={"next": wanted})
            data = {
                "_xsrf": form_xsrf(page),
                "username": smalti.admin,
                "password": smalti.password,
            }
            answer = browser.post("/hub/login", params={"next": wanted}, data=data)
            assert answer.status_code == 302, answer.text[:300]
            landed = urlsplit(answer.headers["location"])
            assert landed.hostname in (None, "localhost"), (wanted, answer.headers["location"])


def test_the_front_door_leads_other_hosts_home_only(smalti: Instance) -> None:
    for host in ("evil.example", f"evil.example:{smalti.port}", f"127.0.0.1:{smalti.port}"):
        for path in ("/", "//evil.example/", "/hub/login", "/%2f%2fevil.example"):
            answer = httpx.get(f"{smalti.url}{path}", headers={"Host": host})
            if answer.status_code in (301, 302, 307, 308):
                assert urlsplit(answer.headers["location"]).netloc == f"localhost:{smalti.port}"


@given(st.text(max_size=60), st.sampled_from(["", "/", HOME, PREFIX, "//", "/\\", "http:", "%2f"]))
def test_wherever_one_wants_to_it_is_ours(rest: str, begin: str) -> None:
    found = safe_next(begin + rest)
    parts = urlsplit(found)
    assert (parts.scheme, parts.netloc) == ("", "")
    assert found.startswith(HOME)
    assert "\\" not in found
    assert "\n" not in found
    assert "\r" not in found


def test_a_websocket_from_another_origin_is_not_opened(browser: httpx.Client) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": "http://evil.example",
    }
    for path in (f"{API}/events", f"{API}/me", f"{PREFIX}/"):
        answer = browser.get(path, headers={**headers, "Sec-Fetch-Site": "cross-site"})
        assert answer.status_code != 101, path

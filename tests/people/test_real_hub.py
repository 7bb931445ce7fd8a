"""The same with the real hub: login in a browser's way, scopes, removal, deactivation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.hub_config.test_first_login import change
from tests.instance import Instance

HOME = "/services/smalti/"
SOON = 30.0  # seconds within which a revocation must be felt


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A real Smalti without an agent."""
    with Instance(tmp_path_factory.mktemp("hub"), processes="frontdoor,hub,platform") as made:
        yield made


def follow(client: httpx.Client, answer: httpx.Response, most: int = 10) -> httpx.Response:
    """Follow redirects as a browser does, never off this host."""
    for _ in range(most):
        if not answer.has_redirect_location:
            return answer
        address = urlsplit(answer.headers["Location"])
        assert address.netloc in ("", client.base_url.netloc.decode())
        answer = client.get(answer.headers["Location"])
    raise AssertionError("redirects without end")


def logged_in(smalti: Instance) -> httpx.Client:
    """Give a browser in which the admin is logged in to the console."""
    assert smalti.password
    browser = smalti.browse()
    smalti.log_in(smalti.admin, smalti.password, browser)
    page = follow(browser, browser.get(HOME))
    assert page.status_code == 200
    assert page.url.path == HOME
    assert "<title>Smalti</title>" in page.text
    return browser


def hub(smalti: Instance, method: str, path: str, **more: Any) -> httpx.Response:
    """Call the hub as the admin."""
    headers = {"Authorization": f"token {smalti.token()}"}
    answer = httpx.request(method, f"{smalti.hub_api}{path}", headers=headers, timeout=30, **more)
    assert answer.status_code < 300, answer.text
    return answer


def status_of(smalti: Instance, token: str) -> int:
    """Ask `/me` with a token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{smalti.api}/me", headers=headers, timeout=30).status_code


def test_the_first_admin_is_an_administrator_here(smalti: Instance) -> None:
    with smalti.client() as client:
        me = client.get("/me").json()
    assert me["admin"]
    assert me["name"] == smalti.admin


def test_login_and_logout_in_a_browser(smalti: Instance) -> None:
    browser = logged_in(smalti)
    assert browser.get(f"{HOME}api/v1/me").json()["name"] == smalti.admin
    refused = browser.post(f"{HOME}api/v1/tokens", json={"name": "x"})
    assert refused.status_code == 403
    headers = {"X-XSRF-Token": browser.cookies["smalti-xsrf"]}
    made = browser.post(f"{HOME}api/v1/tokens", json={"name": "x"}, headers=headers)
    assert made.status_code == 201
    assert status_of(smalti, made.json()["token"]) == 200
    session = browser.cookies["smalti-session"]
    out = browser.post(f"{HOME}logout", data={"_xsrf": browser.cookies["smalti-xsrf"]})
    assert out.headers["Location"] == "/hub/logout"
    assert "/hub/login" in str(follow(browser, out).url)
    # Neither the old session nor the hub's lets anybody back in.
    stolen = {"Cookie": f"smalti-session={session}"}
    assert httpx.get(f"{smalti.api}/me", headers=stolen).status_code == 401
    assert "/hub/login" in str(follow(browser, browser.get(HOME)).url)


def test_a_login_of_a_person_ends_with_the_hubs_own_logout(smalti: Instance) -> None:
    browser = logged_in(smalti)
    follow(browser, browser.get("/hub/logout"))
    until = time.monotonic() + SOON
    while browser.get(f"{HOME}api/v1/me").status_code == 200:
        assert time.monotonic() < until, "the session outlives the hub's logout"
        time.sleep(0.5)


def platform_adds(smalti: Instance, name: str, token: str | None = None) -> httpx.Response:
    """Have the platform (or whose token this is) ask the hub for somebody new."""
    own = (smalti.home / "secrets" / "platform_hub_token").read_text().strip()
    headers = {"Authorization": f"token {token or own}"}
    body = {"name": name, "password": "forty-tiles-of-green-glass"}
    return httpx.post(f"{smalti.hub_api}/smalti/people", headers=headers, json=body, timeout=30)


def test_somebody_new_comes_in_by_the_one_time_password(smalti: Instance) -> None:
    with smalti.client() as client:
        made = client.post("/people", json={"name": "nora", "roles": ["lite"]})
        assert made.status_code == 201, made.text
        path = f"/people/{made.json()['id']}/password"
        password = client.post(path).json()["password"]  # the first one was lost on the way
        assert smalti.log_in("nora", made.json()["password"]).status_code == 403
        browser = smalti.browse()
        answer = smalti.log_in("nora", password, browser)
        assert answer.headers["Location"].startswith("/hub/change-password")
        assert browser.get(f"{HOME}api/v1/me").status_code == 401
        assert change(browser, "my own tiles of blue glass").status_code == 302
        follow(browser, browser.get(HOME))
        me = browser.get(f"{HOME}api/v1/me").json()
        assert (me["id"], me["roles"]) == (made.json()["id"], ["lite"])
        refused = client.post(path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "account_used")
        taken = client.post("/people", json={"name": "nora"})
        assert taken.status_code == 409
    assert smalti.log_in("nora", "my own tiles of blue glass").status_code == 302
    logs = smalti.logs()
    assert password not in logs
    assert made.json()["password"] not in logs


def test_the_platform_cannot_take_an_account_that_is_worth_something(smalti: Instance) -> None:
    assert platform_adds(smalti, smalti.admin).status_code == 409
    smalti.add_person("owner")
    assert platform_adds(smalti, "owner").status_code == 409  # has a token already
    hub(smalti, "POST", "/users/unused-admin", json={"admin": True})
    assert platform_adds(smalti, "unused-admin").status_code == 409
    hub(smalti, "POST", "/users/administers-smalti")
    body = {"users": ["administers-smalti"]}
    hub(smalti, "POST", "/groups/smalti-admins/users", json=body)
    assert platform_adds(smalti, "administers-smalti").status_code == 409
    hub(smalti, "POST", "/users/made-on-the-hubs-page")
    assert platform_adds(smalti, "made-on-the-hubs-page").status_code == 201
    for name in ("Upper", "with space", "", "x" * 64):
        assert platform_adds(smalti, name).status_code == 422


def test_nobody_but_the_platform_asks_the_hub_for_people(smalti: Instance) -> None:
    supervisor = (smalti.home / "secrets" / "admin_hub_token").read_text().strip()
    person = smalti.add_person("pushy")
    for token in (smalti.token(), person, supervisor, "nobodys"):
        assert platform_adds(smalti, "pushed", token).status_code == 403, token
    browser = logged_in(smalti)
    body = {"name": "pushed", "password": "forty-tiles-of-green-glass"}
    assert browser.post("/hub/api/smalti/people", json=body).status_code == 403


def test_a_token_reads_only_when_the_hub_says_so(smalti: Instance) -> None:
    smalti.add_person("reader")
    body = {"scopes": ["custom:smalti:read"], "note": "reads"}
    answer = hub(smalti, "POST", "/users/reader/tokens", json=body)
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    with httpx.Client(base_url=smalti.api, headers=headers, timeout=30) as client:
        assert client.get("/projects").status_code == 200
        assert client.post("/projects", json={"name": "wine"}).status_code == 403


def test_a_token_for_something_else_is_no_way_in(smalti: Instance) -> None:
    smalti.add_person("narrow")
    body = {"scopes": ["read:users!user"], "note": "something else"}
    answer = hub(smalti, "POST", "/users/narrow/tokens", json=body)
    assert status_of(smalti, answer.json()["token"]) == 401


def test_the_platforms_and_the_supervisors_tokens_are_nobody(smalti: Instance) -> None:
    for name in ("platform_hub_token", "admin_hub_token"):
        secret = (smalti.home / "secrets" / name).read_text().strip()
        assert status_of(smalti, secret) == 401


def test_who_is_removed_and_comes_again_is_somebody_else(smalti: Instance) -> None:
    old = smalti.add_person("phoenix")
    headers = {"Authorization": f"Bearer {old}"}
    with httpx.Client(base_url=smalti.api, headers=headers, timeout=30) as client:
        before = client.get("/me").json()
        project = client.post("/projects", json={"name": "ashes"}).json()
        robot = client.post("/tokens", json={"name": "robot"}).json()["token"]
    hub(smalti, "DELETE", "/users/phoenix")
    hub(smalti, "POST", "/users/phoenix")
    new = hub(smalti, "POST", "/users/phoenix/tokens", json={}).json()["token"]
    with httpx.Client(base_url=smalti.api, timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {new}"
        after = client.get("/me").json()
        assert after["name"] == before["name"]
        assert after["id"] != before["id"]
        assert client.get(f"/projects/{project['id']}").status_code == 404
        assert client.get("/projects").json()["items"] == []
    until = time.monotonic() + SOON
    while 200 in (status_of(smalti, old), status_of(smalti, robot)):
        assert time.monotonic() < until, "tokens outlive their person"
        time.sleep(0.5)


def test_a_deactivated_person_is_out_at_once_everywhere(smalti: Instance) -> None:
    token = smalti.add_person("sleeper")
    with smalti.client() as admin:
        [person] = admin.get("/people", params={"name": "sleeper"}).json()["items"] or [None]
        if person is None:  # met at the first call
            assert status_of(smalti, token) == 200
            [person] = admin.get("/people", params={"name": "sleeper"}).json()["items"]
        assert status_of(smalti, token) == 200
        path = f"/people/{person['id']}"
        assert admin.patch(path, json={"status": "deactivated"}).status_code == 200
        assert status_of(smalti, token) == 401
        assert admin.patch(path, json={"status": "active"}).status_code == 200
        assert status_of(smalti, token) == 200


def test_the_last_administrator_cannot_be_put_away(smalti: Instance) -> None:
    with smalti.client() as admin:
        me = admin.get("/me").json()
        for change in ({"roles": ["lite"]}, {"status": "deactivated"}):
            assert admin.patch(f"/people/{me['id']}", json=change).status_code == 409


def test_without_the_hub_the_known_work_on_and_strangers_wait(smalti: Instance) -> None:
    known = smalti.token()
    assert status_of(smalti, known) == 200
    smalti.kill("hub")
    try:
        assert status_of(smalti, known) == 200
        answer = httpx.get(f"{smalti.api}/me", headers={"Authorization": "Bearer unknown"})
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
    finally:
        smalti.wait_ready("hub")
    assert status_of(smalti, "unknown") == 401

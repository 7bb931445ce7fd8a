"""The one-time password: it opens one page only, until it has been changed."""

from __future__ import annotations

import httpx

from tests.instance import Instance, form_xsrf

NEW = "forty tiles of blue glass"


def one_time(instance: Instance) -> tuple[str, str]:
    """Read the file that the first start left."""
    file = instance.home / "first-password"
    assert file.stat().st_mode & 0o777 == 0o600
    name, password = file.read_text().split()
    return name, password


def change(client: httpx.Client, new: str, again: str | None = None) -> httpx.Response:
    """Fill in the forced change."""
    page = client.get("/hub/change-password")
    return client.post(
        "/hub/change-password",
        data={
            "_xsrf": form_xsrf(page),
            "new_password": new,
            "new_password_confirmation": new if again is None else again,
        },
    )


def test_from_the_one_time_password_to_ones_own(fresh: Instance) -> None:
    name, password = one_time(fresh)
    assert name == "admin"
    client = fresh.browse()
    answer = fresh.log_in(name, password, client)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/hub/change-password")

    for path in ("/hub/home", "/hub/token", "/hub/admin", "/hub/api/user", "/hub/spawn"):
        refused = client.get(path, headers={"Sec-Fetch-Mode": "navigate"})
        assert refused.status_code in (302, 403), path
        assert "/hub/login" in refused.headers.get("location", "/hub/login")

    by_password = {"auth": {"username": name, "password": password}}
    token = httpx.post(f"{fresh.hub_api}/users/{name}/tokens", json=by_password)
    assert token.status_code == 403
    assert token.json()["message"] == (
        "This one-time password has to be changed first: log in with a browser at " + fresh.origin
    )

    for bad, again, why in (
        ("short", None, "at least 10 characters"),
        ("password2026!", None, "most used"),
        ("x" * 73, None, "at most 72 bytes"),
        ("abababababab", None, "too few"),
        ("adminadmin", None, "your name"),
        (password, None, "must differ"),
        (NEW, NEW + "!", "not the same"),
    ):
        answer = change(client, bad, again)
        assert answer.status_code == 400, bad
        assert why in answer.text

    answer = change(client, NEW)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/services/smalti/"
    assert client.get("/hub/home").status_code == 200
    token = httpx.post(
        f"{fresh.hub_api}/users/{name}/tokens", json={"auth": {"username": name, "password": NEW}}
    )
    assert token.status_code == 201

    assert fresh.log_in(name, password).status_code == 403, "the one-time password is used up"
    logged = fresh.logs()
    assert password not in logs_without_spaces(logged)
    assert NEW not in logged
    assert not (fresh.home / "secrets" / "first-admin.json").exists()

    fresh.restart()
    assert fresh.log_in(name, NEW).headers["location"] == "/services/smalti/"
    me = httpx.get(f"{fresh.hub_api}/user", headers=fresh.bearer())
    assert me.json()["admin"] is True


def logs_without_spaces(text: str) -> str:
    """Join what a log may have wrapped."""
    return text.replace("\n", "").replace(" ", "")


def test_a_ticket_is_good_for_one_change_only(fresh: Instance) -> None:
    name, password = one_time(fresh)
    client = fresh.browse()
    fresh.log_in(name, password, client)
    page = client.get("/hub/change-password")
    ticket = {cookie.name: str(cookie.value) for cookie in client.cookies.jar}
    assert change(client, NEW).status_code == 302

    thief = fresh.browse()
    for key, value in ticket.items():
        thief.cookies.set(key, value)
    again = thief.post(
        "/hub/change-password",
        data={
            "_xsrf": form_xsrf(page),
            "new_password": "another one of mine",
            "new_password_confirmation": "another one of mine",
        },
    )
    assert again.status_code in (302, 403)
    assert fresh.log_in(name, NEW).status_code == 302

    forged = fresh.browse()
    forged.cookies.set("smalti-change-password", "2|1:0|10:1|22:smalti-change-password|0:|x")
    assert "/hub/login" in forged.get("/hub/change-password").headers["location"]

"""Who may log in, who may not, and what tokens of the services are worth."""

from __future__ import annotations

import httpx
import pytest

from hub_config.passwords import Lockout, complaint
from tests.instance import Instance, form_xsrf


def test_the_operators_password_needs_no_change(smalti: Instance) -> None:
    assert smalti.password is not None
    client = smalti.browse()
    answer = smalti.log_in("admin", smalti.password, client)
    assert answer.headers["location"] == "/services/smalti/"
    by_password = {"auth": {"username": "admin", "password": smalti.password}}
    token = httpx.post(f"{smalti.hub_api}/users/admin/tokens", json=by_password)
    assert token.status_code == 201


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("admin", "wrong"),
        ("admin", ""),
        ("admin", "x" * 5000),
        ("nobody", "mosaic-of-small-tiles"),
        ("", ""),
        ("a" * 5000, "x"),
        ("admin/../admin", "mosaic-of-small-tiles"),
    ],
)
def test_wrong_logins_are_403_and_say_nothing_more(
    smalti: Instance, name: str, password: str
) -> None:
    answer = smalti.log_in(name, password)
    assert answer.status_code == 403
    assert "Invalid username or password" in answer.text
    body = {"auth": {"username": name, "password": password}}
    token = httpx.post(f"{smalti.hub_api}/users/admin/tokens", json=body)
    assert token.status_code == 403
    assert token.json() == {"status": 403, "message": "Invalid username or password"}


@pytest.mark.parametrize("body", [{}, {"auth": None}, {"auth": "x"}, {"auth": {"username": 3}}])
def test_token_by_password_of_another_shape(smalti: Instance, body: dict[str, object]) -> None:
    answer = httpx.post(f"{smalti.hub_api}/users/admin/tokens", json=body)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["signup", "authorize", "authorize/x", "discard/x", "confirm/x"])
def test_sign_up_is_not_offered(smalti: Instance, path: str) -> None:
    assert smalti.browse().get(f"/hub/{path}").status_code in (403, 404)


def test_login_form_without_xsrf_is_refused(smalti: Instance) -> None:
    answer = smalti.browse().post(
        "/hub/login", data={"username": "admin", "password": str(smalti.password)}
    )
    assert answer.status_code == 403


def test_login_goes_nowhere_else(smalti: Instance) -> None:
    client = smalti.browse()
    page = client.get("/hub/login?next=https://evil.example/")
    answer = client.post(
        "/hub/login?next=https://evil.example/",
        data={
            "_xsrf": form_xsrf(page),
            "username": "admin",
            "password": str(smalti.password),
        },
    )
    assert answer.headers["location"] == "/services/smalti/"


def test_an_admin_gives_a_one_time_password(smalti: Instance) -> None:
    smalti.add_person("wilma")
    client = smalti.browse()
    smalti.log_in("admin", str(smalti.password), client)
    page = client.get("/hub/change-password/wilma")
    given = "nine green tiles"
    data = {"_xsrf": form_xsrf(page), "new_password": given}
    assert client.post("/hub/change-password/wilma", data=data).status_code == 200
    first = smalti.log_in("wilma", given)
    assert first.headers["location"].startswith("/hub/change-password")
    assert client.get("/hub/change-password/nobody").status_code == 404

    other = smalti.browse()
    other.headers["Authorization"] = f"token {smalti.token('wilma')}"
    assert other.get("/hub/change-password/admin").status_code in (302, 403)


def test_a_removed_persons_password_is_forgotten(smalti: Instance) -> None:
    smalti.add_person("fred")
    client = smalti.browse()
    smalti.log_in("admin", str(smalti.password), client)
    page = client.get("/hub/change-password/fred")
    data = {"_xsrf": form_xsrf(page), "new_password": "nine green tiles"}
    client.post("/hub/change-password/fred", data=data)
    admin = {"Authorization": f"token {smalti.token()}"}
    assert httpx.delete(f"{smalti.hub_api}/users/fred", headers=admin).status_code == 204
    assert smalti.log_in("fred", "nine green tiles").status_code == 403
    smalti.add_person("fred")
    assert smalti.log_in("fred", "nine green tiles").status_code == 403


def test_everybody_has_read_and_write_and_nobody_admin_by_default(smalti: Instance) -> None:
    smalti.add_person("bob")
    me = httpx.get(f"{smalti.hub_api}/user", headers=smalti.bearer("bob")).json()
    custom = {scope for scope in me["scopes"] if scope.startswith("custom:")}
    assert custom == {"custom:smalti:read", "custom:smalti:write"}
    assert "access:services!service=smalti" in me["scopes"]
    admin = {"Authorization": f"token {smalti.token()}"}
    joined = httpx.post(
        f"{smalti.hub_api}/groups/smalti-admins/users", headers=admin, json={"users": ["bob"]}
    )
    assert joined.status_code == 200
    me = httpx.get(f"{smalti.hub_api}/user", headers=smalti.bearer("bob")).json()
    assert "custom:smalti:admin" in me["scopes"]


def as_service(smalti: Instance, secret: str) -> httpx.Client:
    """A client with the token of one of our services."""
    token = (smalti.home / "secrets" / secret).read_text().strip()
    return httpx.Client(base_url=smalti.hub_api, headers={"Authorization": f"token {token}"})


def test_platform_may_read_who_people_are_and_have_their_servers_started(smalti: Instance) -> None:
    smalti.add_person("carol")
    with as_service(smalti, "platform_hub_token") as platform:
        carol = platform.get("/users/carol").json()
        assert carol["name"] == "carol"
        assert carol["admin"] is False
        assert carol["created"]
        assert carol["groups"] == []
        assert "auth_state" not in carol
        assert platform.get("/users").status_code == 200
        assert platform.get("/groups").status_code == 200
        for method, path in (
            ("POST", "/users/mallory"),
            ("DELETE", "/users/carol"),
            ("PATCH", "/users/carol"),
            ("POST", "/users/carol/tokens"),
            ("GET", "/users/carol/tokens"),
            ("POST", "/groups/g"),
            ("GET", "/proxy"),
            ("POST", "/shutdown"),
        ):
            answer = platform.request(method, path, json={} if method != "GET" else None)
            assert answer.status_code in (403, 404), (method, path, answer.text)
        # It may ask for a server; whether there is one, its own answer to the hub decides.
        asked = platform.post("/users/carol/servers/lab", json={"display_name": "Lab"})
        assert asked.status_code == 503  # the platform is not there in this test
        assert platform.delete("/users/carol/servers/lab").status_code in (202, 204)


def test_supervisor_may_make_tokens_and_nothing_else(smalti: Instance) -> None:
    with as_service(smalti, "admin_hub_token") as supervisor:
        assert supervisor.get("/users").status_code == 403
        assert supervisor.post("/users/mallory").status_code == 403
        assert supervisor.post("/shutdown", json={}).status_code == 403
        made = supervisor.post("/users/admin/tokens", json={"expires_in": 60})
        assert made.status_code == 201


def test_oauth_without_pkce_is_refused(smalti: Instance) -> None:
    client = smalti.browse()
    smalti.log_in("admin", str(smalti.password), client)
    asked = {
        "client_id": "service-smalti",
        "redirect_uri": f"{smalti.origin}/services/smalti/oauth_callback",
        "response_type": "code",
        "state": "s",
    }
    plain = client.get("/hub/api/oauth2/authorize", params=asked)
    assert "code=" not in plain.headers.get("location", "").replace("error_description", "")
    challenge = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    proven = client.get("/hub/api/oauth2/authorize", params=asked | challenge)
    assert proven.status_code == 302
    assert proven.headers["location"].startswith(asked["redirect_uri"] + "?code=")
    elsewhere = {"redirect_uri": "https://evil.example/"}
    stolen = client.get("/hub/api/oauth2/authorize", params=asked | challenge | elsewhere)
    assert "evil.example" not in stolen.headers.get("location", "")


def test_servers_are_refused_with_the_reason(smalti: Instance) -> None:
    answer = httpx.post(f"{smalti.hub_api}/users/admin/server", headers=smalti.bearer())
    assert answer.status_code == 400
    assert "give it a name" in answer.json()["message"]
    named = httpx.post(f"{smalti.hub_api}/users/admin/servers/x", headers=smalti.bearer())
    assert named.status_code == 503  # here is no platform that could start it
    assert "the platform is away" in named.json()["message"]


def test_password_rules() -> None:
    def why(password: str, old: str | None = None, common: bool = False) -> str | None:
        return complaint(password, name="admin", old=old, common=common)

    assert why("forty tiles of glass") is None
    assert "at least 10" in str(why("short"))
    assert "at most 72" in str(why("ä" * 40))
    assert "most used" in str(why("forty tiles of glass", common=True))
    assert "too few" in str(why("abababababab"))
    assert "your name" in str(why("Admin12345"))
    assert why("admin of forty blue tiles") is None
    assert "differ" in str(why("forty tiles of glass", old="forty tiles of glass"))


def test_lockout_waits_and_forgets() -> None:
    lockout = Lockout(allowed=3, rest=60, remembered=2)
    for at in range(3):
        assert not lockout.locked("ann", at)
        lockout.failed("ann", at)
    assert lockout.locked("ann", 10)
    assert not lockout.locked("bob", 10)
    assert not lockout.locked("ann", 70)
    lockout.failed("ann", 70)
    assert not lockout.locked("ann", 71)
    lockout.succeeded("ann")
    for name in ("x", "y", "z"):
        lockout.failed(name, 100)
    assert len(lockout._failures) == 2

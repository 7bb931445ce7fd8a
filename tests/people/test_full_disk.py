"""A hub that cannot write, or read, is not a hub that knows no token: the real one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import httpx
import pytest

from tests.instance import Instance
from tests.small_disk import MiB, filled, small_disk


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A Smalti without an agent, whose state lies on a disk of its own."""
    with (
        small_disk(tmp_path_factory.mktemp("small"), 700 * MiB) as folder,
        Instance(folder, processes="frontdoor,hub,platform") as made,
    ):
        yield made


def ask(smalti: Instance, address: str, token: str) -> httpx.Response:
    """Ask with a token."""
    headers = {"Authorization": f"token {token}"}
    return httpx.get(address, headers=headers, timeout=30)


def fresh(smalti: Instance) -> str:
    """Make a token of the admin that nobody has used: the hub would note its first use."""
    done = smalti.command("token", smalti.admin)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_token_is_known_while_the_disk_is_full(smalti: Instance) -> None:
    me, hub = f"{smalti.api}/me", f"{smalti.hub_api}/user"
    assert ask(smalti, me, fresh(smalti)).status_code == 200  # the platform knows the person
    tokens = [fresh(smalti) for _ in range(2)]
    smalti.add_person("wilma")
    stranger = smalti.token("wilma")
    with filled(smalti.home.parent):
        answer = ask(smalti, hub, tokens[0])
        assert (answer.status_code, answer.json()["name"]) == (200, smalti.admin)
        assert ask(smalti, me, tokens[1]).status_code == 200
        refused = ask(smalti, me, "not-a-token")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "bad_token")
        # Somebody whom the platform never saw has to be written down.
        waits = ask(smalti, me, stranger)
        assert (waits.status_code, waits.json()["error"]["code"]) == (503, "disk_full")
        assert int(waits.headers["Retry-After"]) > 0
    assert ask(smalti, me, stranger).status_code == 200
    assert "not noted that a token was used" in smalti.logs()


def test_a_token_that_cannot_be_looked_up_is_not_a_bad_one(smalti: Instance) -> None:
    token = fresh(smalti)
    held = sqlite3.connect(smalti.home / "hub" / "jupyterhub.sqlite", isolation_level=None)
    try:
        held.execute("PRAGMA busy_timeout=20000")
        held.execute("BEGIN EXCLUSIVE")  # the hub can neither write nor read
        answer = ask(smalti, f"{smalti.hub_api}/user", token)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        answer = ask(smalti, f"{smalti.api}/me", token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "login_away")
    finally:
        held.close()
    assert ask(smalti, f"{smalti.api}/me", token).status_code == 200

"""Logging in and out, and the other small commands."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from smalti import config
from smalti.cli import account
from smalti.config import Config, Profile

from tests.client.conftest import Cli
from tests.client.server import PASSWORD, TOKEN, Fault, Platform


@pytest.fixture
def entered(platform: Platform, anonymous: Cli) -> Cli:
    """The command line after a login with name and password."""
    ran = anonymous("login", platform.url, "--user", "ada", "--password-stdin", stdin=PASSWORD)
    assert ran.code == 0, ran.err
    return anonymous


def test_login_makes_a_token_and_keeps_it_private(platform: Platform, entered: Cli) -> None:
    file = config.path()
    profile = config.load(file).profiles["default"]
    assert (profile.token, profile.token_id, profile.user) == (TOKEN, "a7", "ada")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    call = platform.calls_of("POST", "/hub/api/users/ada/tokens")[0]
    assert call.headers["content-type"] == "application/json"
    assert call.json["note"].startswith("smalti on ")
    assert call.json["expires_in"] == 90 * 86_400
    assert PASSWORD not in file.read_text()
    assert entered("whoami", "--json").json["name"] == "ada"


def test_login_asks_a_person_without_showing_the_password(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account.output, "is_terminal", lambda stream: True)
    from smalti.cli import cli

    done = CliRunner().invoke(cli, ["login", platform.url], input=f"ada\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "Password of ada" in done.output
    assert PASSWORD not in done.output


def test_login_without_anybody_to_ask_says_how(platform: Platform, anonymous: Cli) -> None:
    ran = anonymous("login", platform.url)
    assert ran.code == 2
    assert "--password-stdin" in ran.err


def test_wrong_password_is_refused_and_nothing_kept(platform: Platform, anonymous: Cli) -> None:
    ran = anonymous("login", platform.url, "--user", "ada", "--password-stdin", stdin="wrong-one")
    assert ran.code == 4
    assert "not accepted" in ran.err
    assert "wrong-one" not in ran.err
    assert not config.path().exists()


def test_login_with_token_is_tried_and_kept(platform: Platform, anonymous: Cli) -> None:
    assert anonymous("login", platform.url, "--token", "-", stdin="wrong\n").code == 4
    assert anonymous("login", platform.url, "--token", "-", stdin=f"{TOKEN}\n").code == 0
    assert anonymous("login", platform.url, "--token", TOKEN, "--save-as", "two").code == 0
    assert anonymous("--profile", "two", "whoami").code == 0
    assert anonymous("logout").code == 0
    assert platform.tokens == {TOKEN}  # a token that was brought along is not revoked


def test_logout_revokes_and_forgets(platform: Platform, entered: Cli) -> None:
    assert entered("logout", "--json").json == {"forgotten": ["default"], "revoked": ["default"]}
    assert platform.tokens == set()
    assert TOKEN not in config.path().read_text()
    assert entered("whoami").code == 4
    assert entered("logout").code == 4


def test_logout_that_is_refused_says_so(platform: Platform, entered: Cli) -> None:
    platform.faults.append(Fault("DELETE", "/tokens/", status=403))
    assert entered("logout").code == 5


def test_logout_of_a_token_that_is_gone_is_well(platform: Platform, entered: Cli) -> None:
    platform.faults.append(Fault("DELETE", "/tokens/", status=403))
    platform.tokens.clear()
    assert entered("logout").code == 0


def test_logout_while_the_server_is_away_says_so(
    platform: Platform, entered: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.server.shutdown()
    platform.server.server_close()
    ran = entered("logout")
    assert ran.code == 5
    assert "could not be revoked" in ran.err
    assert TOKEN not in config.path().read_text()


def test_status_tells_by_its_code(platform: Platform, cli: Cli) -> None:
    assert cli("status").code == 0
    platform.health = "degraded"
    ran = cli("status")
    assert ran.code == 5
    assert "hub" in ran.out
    assert cli("--server", "http://localhost:1", "status").code == 5


def test_catalogs_are_listed(cli: Cli) -> None:
    assert "default" in cli("environments", "list").out
    assert "1.0 GiB" in cli("tiers", "list").out
    assert "2 of 2" in cli("planes", "list").out
    for noun in ("environments", "tiers", "planes"):
        assert len(cli(noun, "list", "--json").json) == 1


def test_tokens_are_made_once_and_revoked(platform: Platform, cli: Cli) -> None:
    ran = cli("tokens", "create", "ci", "--project", "wine", "--right", "x", "--days", "7")
    assert (ran.code, ran.out) == (0, "sml_secret\n")
    assert platform.calls_of("POST", "/tokens")[0].json["expires_in_days"] == 7
    assert "tok0" in cli("tokens", "list").out
    assert "sml_secret" not in cli("tokens", "list").out
    assert cli("tokens", "revoke", "tok0").code == 0
    assert cli("tokens", "revoke", "tok0").code == 4


def test_projects_are_made_listed_shown_and_deleted(platform: Platform, cli: Cli) -> None:
    ran = cli("projects", "create", "beer", "--example", "wine-quality", "--internal")
    assert ran.code == 0
    body = platform.calls_of("POST", "/projects")[0].json
    assert body == {"name": "beer", "example": "wine-quality", "visibility": "internal"}
    assert cli("projects", "create", "x", "--example", "a", "--import-url", "b").code == 2
    assert cli("projects", "create", "beer").code == 4
    assert "ada/beer" in cli("projects", "list", "--owner", "ada").out
    assert cli("projects", "list", "--limit", "1", "--json").json[0]["name"] == "wine"
    assert "internal" in cli("projects", "show", "beer").out
    assert cli("projects", "delete", "beer", stdin="n\n").code == 130
    assert cli("projects", "delete", "beer", "--json").code == 2
    assert cli("projects", "delete", "beer", "--yes").code == 0
    assert cli("projects", "show", "beer").code == 4


def test_members_are_managed(cli: Cli) -> None:
    assert cli("projects", "members", "add", "wine", "bob", "--role", "consumer").code == 0
    assert "consumer" in cli("projects", "members", "list", "wine").out
    assert cli("projects", "members", "add", "wine", "nobody").code == 4
    assert cli("projects", "members", "remove", "wine", "bob").code == 0
    assert len(cli("projects", "members", "list", "wine", "--json").json) == 1


def test_files_are_managed(platform: Platform, cli: Cli, home: Path) -> None:
    (home / "new.txt").write_text("content")
    assert cli("files", "put", "wine", "new.txt", "deep/new.txt", "-m", "add").code == 0
    assert platform.files["deep/new.txt"] == b"content"
    assert cli("files", "put", "wine", "-", stdin="x").code == 2
    with CliRunner().isolation(input=io.BytesIO(b"\xff\x00")):
        from smalti.cli import run

        assert run(["files", "put", "wine", "-", "raw"]) == 0
    assert platform.files["raw"] == b"\xff\x00"
    assert "deep/new.txt" in cli("files", "list", "wine", "--ref", "main").out
    assert cli("files", "get", "wine", "deep/new.txt", "-o", "-").out == "content"
    assert cli("files", "get", "wine", "deep/new.txt").code == 5  # new.txt is here already
    assert cli("files", "get", "wine", "deep/new.txt", "-o", "there.txt").code == 0
    assert (home / "there.txt").read_text() == "content"
    assert cli("files", "remove", "wine", "raw", "--branch", "main").code == 0
    assert cli("files", "get", "wine", "raw").code == 4
    assert cli("files", "get", "wine", "../x").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(anonymous: Cli, shell: str) -> None:
    assert "_SMALTI_COMPLETE" in anonymous("completion", shell).out


def test_git_credential_answers_for_the_platform_only(platform: Platform, anonymous: Cli) -> None:
    profiles = {"default": Profile(platform.url, "ada", TOKEN)}
    config.save(Config(profiles), config.path())

    def ask(host: str, protocol: str = "http", action: str = "get") -> str:
        words = f"protocol={protocol}\nhost={host}\npath=x.git\n\n"
        done = anonymous("git-credential", action, stdin=words)
        assert done.code == 0, done.err
        return done.out

    given = f"username=ada\npassword={TOKEN}\n"
    assert ask(f"localhost:{platform.port}") == given
    assert ask(f"127.0.0.1:{platform.port}") == given
    for host in (
        "localhost",
        f"evil.localhost:{platform.port}",
        f"x.org:{platform.port}",
        "",
        "a b",
    ):
        assert ask(host) == ""
    assert ask(f"localhost:{platform.port}", "https") == ""
    assert ask(f"localhost:{platform.port}", action="store") == ""

"""Which server and token are used, and the file that keeps them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import smalti
from smalti import config
from smalti.config import Config, Profile
from smalti.errors import ConfigurationError
from smalti.settings import Wish, resolve


def saved(*profiles: tuple[str, str], current: str = "default") -> Path:
    """Write a file with logins (name, address); each token is `token-of-NAME`."""
    logins = {name: Profile(url, "ada", f"token-of-{name}") for name, url in profiles}
    config.save(Config(logins, current), config.path())
    return config.path()


def test_file_is_private_and_survives_a_round() -> None:
    file = saved(("default", "http://localhost:8000"), ("work", "https://work.org"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [one.name for one in file.parent.iterdir()] == ["config.json"]
    assert config.load(file).profiles["work"].token == "token-of-work"


def test_file_that_others_may_read_is_made_private() -> None:
    file = saved(("default", "http://localhost:8000"))
    file.chmod(0o644)
    config.load(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"profiles": 3}',
        '{"profiles": {"a": 1}}',
        '{"profiles": {"a": {"url": 3}}}',
        '{"profiles": {"a": {}}}',
    ],
)
def test_file_that_is_not_ours_is_refused(text: str) -> None:
    file = saved()
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"config\.json"):
        config.load(file)


def test_fields_of_tomorrow_are_ignored() -> None:
    file = saved()
    file.write_text('{"profiles": {"a": {"url": "http://x.org", "colour": "blue"}}, "new": 1}')
    assert config.load(file).profiles["a"].url == "http://x.org"


def test_tokens_are_in_no_representation() -> None:
    saved(("default", "http://localhost:8000"))
    target = resolve(Wish(token="hidden-thing"))
    with smalti.Client(target) as client:
        shown = repr(target) + repr(config.load(config.path())) + repr(client)
    assert "hidden-thing" not in shown
    assert "token-of" not in shown


def test_nothing_said_gives_current_login_or_this_machine() -> None:
    assert (resolve(Wish()).address.root, resolve(Wish()).token) == ("http://localhost:8000", None)
    saved(("default", "http://a.org"), ("work", "https://b.org"), current="work")
    assert resolve(Wish()).token == "token-of-work"
    assert resolve(Wish(profile="default")).address.root == "http://a.org"


def test_environment_goes_before_file() -> None:
    saved(("default", "http://a.org"))
    run = {"SMALTI_API_URL": "http://127.0.0.1:9/services/smalti/api/v1", "SMALTI_TOKEN": "t"}
    target = resolve(Wish(), {**run, "SMALTI_CONFIG": str(config.path())})
    assert (target.address.root, target.token) == ("http://127.0.0.1:9", "t")


def test_token_of_one_server_is_never_used_for_another() -> None:
    saved(("default", "http://a.org"))
    environ = {"SMALTI_CONFIG": str(config.path()), "SMALTI_API_URL": "http://b.org"}
    assert resolve(Wish(), environ).token is None
    environ["SMALTI_TOKEN"] = "of-b"
    assert resolve(Wish(url="http://c.org"), environ).token is None
    assert resolve(Wish(url="http://a.org"), environ).token == "token-of-default"
    assert resolve(Wish(url="b.org", token="given"), environ).token == "given"


def test_profile_that_is_not_there_or_elsewhere_is_refused() -> None:
    saved(("default", "http://a.org"))
    with pytest.raises(ConfigurationError, match="no login"):
        resolve(Wish(profile="work"))
    with pytest.raises(ConfigurationError, match=r"is for http://a\.org"):
        resolve(Wish(profile="default", url="http://b.org"))


def test_run_is_found_in_environment_only() -> None:
    with pytest.raises(ConfigurationError):
        smalti.current_run({})
    run = smalti.current_run({"SMALTI_RUN_ID": "r", "SMALTI_OUTPUTS": "/o", "SMALTI_COMMIT": "c"})
    assert (run.id, run.outputs, run.commit) == ("r", Path("/o"), "c")


def test_every_public_name_is_there() -> None:
    for name in smalti.__all__:
        assert getattr(smalti, name) is not None
    with pytest.raises(AttributeError):
        smalti.no_such_name  # noqa: B018
    assert {"connect", "Client"} <= set(dir(smalti))

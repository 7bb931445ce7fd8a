"""`smalti-admin password`: the operator gives a one-time password to somebody who lost theirs."""

from __future__ import annotations

import json

from tests.hub_config.test_first_login import change
from tests.instance import Instance

NEW = "forty tiles of green glass"


def test_a_lost_password_is_reset_on_the_machine(fresh: Instance) -> None:
    spool = fresh.home / "platform" / "audit-spool"
    old = (fresh.home / "first-password").read_text().split()[1]
    done = fresh.command("password", "admin")
    assert done.returncode == 0, done.stderr
    password = done.stdout.strip()
    (reset,) = (fresh.home / "secrets" / "password-resets").iterdir()
    assert reset.stat().st_mode & 0o777 == 0o600
    assert reset.parent.stat().st_mode & 0o777 == 0o700
    (noted,) = [json.loads(file.read_text()) for file in spool.iterdir()]
    assert (noted["action"], noted["target"]) == ("password.reset", "admin")
    assert password not in reset.read_text() + json.dumps(noted)

    assert fresh.log_in("admin", old).status_code == 403  # the old one is good no longer
    assert not reset.exists()
    client = fresh.browse()
    answer = fresh.log_in("admin", password, client)
    assert answer.headers["location"].startswith("/hub/change-password")
    assert change(client, NEW).status_code == 302
    assert "/hub/change-password" not in fresh.log_in("admin", NEW).headers["location"]


def test_an_unknown_name_and_a_hub_that_is_away_are_told_apart(fresh: Instance) -> None:
    refused = fresh.command("password", "nobody-there")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "There is no person named 'nobody-there'.\n"
    fresh.down()
    away = fresh.command("password", "admin")
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("The hub does not answer on port ")
    assert not (fresh.home / "secrets" / "password-resets").exists()

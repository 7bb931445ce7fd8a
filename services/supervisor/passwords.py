"""`smalti-admin password USER`: a new one-time password for somebody who has lost theirs.

Called by `cli`. It leaves a 0600 file with the password's hash in `secrets/password-resets`,
which the hub takes in at the next login (`hub_config.authenticator`): no route can do this. What
is about to be done is written for the audit first. The password itself is shown to whoever asked
and is never written down.
"""

from __future__ import annotations

import uuid

import bcrypt

from services.core.passwords import one_time_password
from services.supervisor.home import Home, write_json
from services.supervisor.tokens import require_person, write_audit

RESETS = ("secrets", "password-resets")


def reset_password(home: Home, user: str) -> str:
    """Give a person a one-time password, to be changed at login. Raises SupervisorError."""
    require_person(home, user)
    write_audit(home, "password.reset", user)
    password = one_time_password()
    digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()
    home.path(*RESETS).mkdir(mode=0o700, exist_ok=True)
    reset = {"name": user, "password_hash": digest}
    write_json(home.path(*RESETS, f"{uuid.uuid4()}.json"), reset)
    return password

"""The first admin: a name and a password, made once, handed to the hub as a hash.

Called by `up`. The password itself is shown on the terminal or left in a 0600 file; it is
never written to a log and never put into a process's environment.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from services.core.passwords import one_time_password
from services.supervisor.home import Home, SupervisorError, write_json, write_private

NAME = re.compile(r"^[a-z][a-z0-9-]{0,30}$")
SHORTEST = 10
# bcrypt reads no further than this.
LONGEST_BYTES = 72


@dataclass(frozen=True)
class FirstAdmin:
    """Who may log in first. `password` is None when the operator chose it."""

    name: str
    password: str | None


def make_first_admin(home: Home) -> FirstAdmin | None:
    """Make the first admin of a new instance; None when there has been one already.

    Takes SMALTI_ADMIN_USER and SMALTI_ADMIN_PASSWORD out of the environment in every case.
    """
    name = os.environ.pop("SMALTI_ADMIN_USER", "") or "admin"
    chosen = os.environ.pop("SMALTI_ADMIN_PASSWORD", "")
    _wipe(chosen)
    seed = home.path("secrets", "first-admin.json")
    if home.path("hub", "jupyterhub.sqlite").exists():
        return None
    _check(name, chosen)
    password = chosen or one_time_password()
    digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()
    write_json(seed, {"name": name, "password_hash": digest, "must_change": not chosen})
    return FirstAdmin(name, None if chosen else password)


def _wipe(value: str) -> None:
    """Overwrite a value in what /proc/<pid>/environ shows of us: `os.environ` is only a copy."""
    if not value:
        return
    try:
        after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(after_name[47]), int(after_name[48])  # env_start and env_end of proc(5)
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(start)
            at = memory.read(end - start).find(b"SMALTI_ADMIN_PASSWORD=" + value.encode())
            if at >= 0:
                memory.seek(start + at + len(b"SMALTI_ADMIN_PASSWORD="))
                memory.write(b"*" * len(value.encode()))
    except (OSError, IndexError, ValueError):
        return  # no /proc to be read in, then: nothing shows it


def _check(name: str, chosen: str) -> None:
    if not NAME.match(name):
        raise SupervisorError(
            f"SMALTI_ADMIN_USER must start with a letter and have at most 31 lower-case letters, "
            f"digits and hyphens, not {name!r}."
        )
    if chosen and len(chosen) < SHORTEST:
        raise SupervisorError(f"SMALTI_ADMIN_PASSWORD must have at least {SHORTEST} characters.")
    if len(chosen.encode()) > LONGEST_BYTES:
        raise SupervisorError(f"SMALTI_ADMIN_PASSWORD must have at most {LONGEST_BYTES} bytes.")


def keep_for_reading(home: Home, admin: FirstAdmin) -> str | None:
    """Leave the one-time password in a 0600 file, for a start that nobody watches."""
    if admin.password is None:
        return None
    path = home.path("first-password")
    write_private(path, f"{admin.name}\n{admin.password}\n")
    return str(path)

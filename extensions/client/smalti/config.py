"""The person's file of servers and tokens, `~/.config/smalti/config.json`.

Used by `settings` and the command line's login and logout. Owns the file's shape and that
nobody else can read it: folder 0700, file 0600, replaced as a whole and never half written.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smalti.errors import ConfigurationError

DEFAULT_PROFILE = "default"


@dataclass(frozen=True)
class Profile:
    """One login: the server's root address, and the token that speaks for `user` there.

    `token_id` is the hub's id of the token, known when we made it and may revoke it.
    """

    url: str
    user: str = ""
    token: str = field(default="", repr=False)
    token_id: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True)
class Config:
    """What the file holds: logins by the name of their profile, and which one is current."""

    profiles: Mapping[str, Profile] = field(default_factory=dict)
    current: str = DEFAULT_PROFILE

    def with_profile(self, name: str, profile: Profile) -> Config:
        """Return a copy with a login added or replaced, and current."""
        return Config({**self.profiles, name: profile}, name)

    def without_profile(self, name: str) -> Config:
        """Return a copy without a login; another one becomes current, if there is one."""
        left = {key: value for key, value in self.profiles.items() if key != name}
        current = self.current if self.current in left else next(iter(left), DEFAULT_PROFILE)
        return Config(left, current)


def path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the file is: SMALTI_CONFIG, else under XDG_CONFIG_HOME or ~/.config."""
    if named := environ.get("SMALTI_CONFIG"):
        return Path(named)
    base = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if os.path.isabs(base) else Path("~/.config").expanduser()
    return folder / "smalti" / "config.json"


def load(file: Path) -> Config:
    """Read the file; an absent one is an empty Config.

    Takes away others' right to read it, should they have one. Raises ConfigurationError for a
    file that is not ours to understand.
    """
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if os.name == "posix" and mode & 0o077:
                os.fchmod(opened.fileno(), 0o600)
            data = json.load(opened)
    except FileNotFoundError:
        return Config()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read {file}: {error}") from error
    try:
        profiles = {name: _profile(entry) for name, entry in data["profiles"].items()}
        return Config(profiles, str(data.get("current", DEFAULT_PROFILE)))
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{file} is not a file of smalti's; move it away") from error


def save(config: Config, file: Path) -> None:
    """Write the file anew, readable by its owner only; raise ConfigurationError if impossible."""
    profiles = {name: dataclasses.asdict(one) for name, one in config.profiles.items()}
    text = json.dumps({"current": config.current, "profiles": profiles}, indent=2) + "\n"
    temporary = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".config-")  # made 0600
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(temporary, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise ConfigurationError(f"cannot write {file}: {error.strerror or error}") from error


def _profile(entry: Any) -> Profile:
    known = {one.name for one in dataclasses.fields(Profile)}
    found = {key: value for key, value in entry.items() if key in known}
    if not all(value is None or isinstance(value, str) for value in found.values()):
        raise TypeError("a profile holds texts")
    return Profile(**found)

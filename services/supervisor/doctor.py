"""`smalti-admin doctor`: what is right and wrong with this machine and this instance.

Called by `cli`. It repairs nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from services.supervisor import checks, records, status
from services.supervisor.home import Home, SupervisorError
from services.supervisor.keys import SECRETS

if TYPE_CHECKING:
    from services.core.settings import Settings

Finding = tuple[bool, str]


def examine(home: Home) -> Iterator[Finding]:
    """Yield whether it is well, and what was looked at, one thing after another."""
    yield _tried(checks.check_git, "git is there")
    for check, good in zip(
        checks.FOLDER_CHECKS,
        (
            f"state folder {home.root} can be written",
            "state folder is on a local file system",
            f"{_free(home)} MiB are free on its disk",
        ),
        strict=True,
    ):
        found = _tried(lambda check=check: check(home), good)  # type: ignore[misc]
        yield found
        if not found[0]:
            return
    yield from _secrets(home)
    yield from _outside(home)
    seen = status.look(home)
    if any(one.name == "agent" for one in seen.processes):
        yield seen.environment != "missing", f"default environment for jobs is {seen.environment}"
        yield seen.tools != "missing", f"tools environment for workspaces is {seen.tools}"
    for one in (seen.supervisor, *seen.processes):
        yield one.state == "running", f"{one.name} is {one.state}" + _why(home, one.name)


def _tried(check: Callable[[], None], good: str) -> Finding:
    try:
        check()
    except SupervisorError as error:
        return False, str(error)
    return True, good


def _free(home: Home) -> int:
    return shutil.disk_usage(home.root).free // checks.MiB if home.root.exists() else 0


def _secrets(home: Home) -> Iterator[Finding]:
    for name in SECRETS:
        path = home.path("secrets", name)
        if not path.exists():
            yield False, f"secret {name} is missing (made at the next start)"
        elif path.stat().st_mode & 0o077:
            yield False, f"secret {path} can be read by others (closed at the next start)"


def _outside(home: Home) -> Iterator[Finding]:
    """Ask whoever keeps objects or the master key outside of this machine, if somebody does."""
    from services.core.settings import load_settings

    settings = load_settings(home.root)
    if settings.objects == "s3":
        yield _object_store(settings)
    if settings.vault_keys != "file":
        yield _master_key(settings)


def _object_store(settings: Settings) -> Finding:
    from services.storage.s3 import bucket_problem

    problem = bucket_problem(settings)
    if problem is not None:
        return False, f"objects on S3: {problem}"
    return True, f"objects are kept in bucket {settings.s3_bucket}"


def _master_key(settings: Settings) -> Finding:
    from services.vault import KeysAway, WrongKey, keeper

    try:
        return True, f"master key {keeper(settings, settings.vault_keys).current()} answers"
    except (KeysAway, WrongKey) as error:
        return False, f"master key: {error}"


def _why(home: Home, name: str) -> str:
    record = records.load(home, name)
    return f": {record.reason}" if record is not None and record.reason else ""

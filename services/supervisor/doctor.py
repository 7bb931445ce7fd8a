"""`smalti-admin doctor`: what is right and wrong with this machine and this instance.

Called by `cli`. It repairs nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from services.supervisor import checks, records, status
from services.supervisor.home import Home, SupervisorError
from services.supervisor.keys import SECRETS

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


def _why(home: Home, name: str) -> str:
    record = records.load(home, name)
    return f": {record.reason}" if record is not None and record.reason else ""

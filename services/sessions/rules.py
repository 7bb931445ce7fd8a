"""Pure decisions about workspaces: names, titles, states, and what the hub is to be told.

Names       1 to 30 of a-z 0-9 -, beginning with a letter, without two hyphens in a row: what
            JupyterHub takes as a named server's name. They stand in addresses, so they stay.
Titles      what people read; as JupyterHub takes display names: printable, single spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from enum import StrEnum

from services.workloads.rules import Status as Run

NAME_LONGEST = 30
NAME = r"^[a-z](?:-?[a-z0-9])*$"
TITLE_LONGEST = 100
PAUSE_FIRST, PAUSE_MOST = 1.0, 15.0


class Status(StrEnum):
    """Where a workspace is."""

    STOPPED = "Stopped"
    STARTING = "Starting"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    RUNNING = "Running"
    STOPPING = "Stopping"
    FAILED = "Failed"


ON_THE_WAY = frozenset({Status.STARTING, Status.QUEUED, Status.PREPARING})

OF_RUN: dict[Run, Status] = {
    Run.QUEUED: Status.QUEUED,
    Run.PENDING: Status.PREPARING,
    Run.PREPARING: Status.PREPARING,
    Run.RUNNING: Status.RUNNING,
    Run.FINISHING: Status.STOPPING,
    Run.STOPPING: Status.STOPPING,
    Run.SUCCEEDED: Status.STOPPED,
    Run.STOPPED: Status.STOPPED,
    Run.FAILED: Status.FAILED,
    Run.ERROR: Status.FAILED,
}


def what_is_wrong_with_name(name: str) -> str | None:
    """Say why a text cannot be a workspace's name; None when it can."""
    if not 1 <= len(name) <= NAME_LONGEST:
        return f"a name has 1 to {NAME_LONGEST} characters"
    if re.fullmatch(NAME, name) is None:
        return (
            "a name has lower-case letters, digits and single hyphens, begins with a letter "
            "and does not end with a hyphen"
        )
    return None


def what_is_wrong_with_title(title: str) -> str | None:
    """Say why a text cannot be a workspace's title; None when it can."""
    if not 1 <= len(title) <= TITLE_LONGEST:
        return f"a title has 1 to {TITLE_LONGEST} characters"
    if title != title.strip() or "  " in title:
        return "a title has no spaces at its ends and no two in a row"
    if any(one != " " and unicodedata.category(one)[0] not in "LMNPS" for one in title):
        return "a title has printable characters only"
    return None


def name_from(text: str, taken: Container[str]) -> str:
    """Derive a free name from a project's name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    stem = stem if stem[:1].isalpha() else f"w-{stem}".strip("-")
    stem = stem[: NAME_LONGEST - 4].strip("-")
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def pause(tries: int) -> float:
    """Seconds until a hub that did not answer is asked again."""
    return min(PAUSE_MOST, PAUSE_FIRST * 2.0 ** min(max(tries - 1, 0), 10))


def is_for_later(status: int, message: str) -> bool:
    """Tell a hub that is in the midst of something from one that refuses for good."""
    busy = "pending" in message or "already running" in message or "being renamed" in message
    return status in (409, 429) or (status == 400 and busy)

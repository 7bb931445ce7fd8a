"""Decisions of the event stream on plain values: topics, where to resume, what is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.core.errors import BadRequest
from services.core.events import TOPICS
from services.core.rights import Permission

# What one must be allowed, in the event's project where it has one, to hear of a topic. A
# topic without an entry here is heard by nobody.
NEEDED: dict[str, Permission] = {
    "jobs": Permission.JOB_READ,
    "workspaces": Permission.WORKSPACE_READ,
    "projects": Permission.PROJECT_READ,
    "planes": Permission.PLANES_READ,
    "people": Permission.PEOPLE_READ,
}
RETRY_MILLISECONDS = 2000

_POSITION = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    position: int
    at: datetime
    topic: str
    kind: str
    project_id: str | None
    person_id: str | None
    subject_id: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Resume:
    """After which position a stream goes on, and whether events before it may be missing."""

    position: int
    lost: bool


def topics_in(given: str | None) -> frozenset[str]:
    """Read the topics that are asked for; all of them when none are named. Raises BadRequest."""
    if given is None:
        return frozenset(NEEDED)
    names = [name.strip() for name in given.split(",")]
    for name in names:
        if name not in TOPICS:
            known = ", ".join(sorted(TOPICS))
            raise BadRequest(f"topics: {name[:40]!r} is none of {known}", code="bad_query")
    return frozenset(names) & frozenset(NEEDED)


def last_seen(header: str, query: int | None) -> int | None:
    """Say which position the listener has seen last; -1 for a header we did not write.

    The header wins: a browser that connects again sends it along with its first address.
    """
    if not header:
        return query
    return int(header) if _POSITION.fullmatch(header) else -1


def resume(seen: int | None, oldest: int | None, newest: int) -> Resume:
    """Decide where to go on: after what was seen, unless that is no longer (or not yet) known."""
    if seen is None:
        return Resume(newest, lost=False)
    # Older than what is kept, or from a database that was replaced by a backup of it.
    if not 0 <= seen <= newest or (oldest is not None and seen < oldest - 1):
        return Resume(newest, lost=True)
    return Resume(seen, lost=False)


def opening(start: Resume) -> bytes:
    """Write the first message: from where on the listener hears, or that it must load anew."""
    kind = "reset" if start.lost else "ready"
    data = json.dumps({"position": start.position})
    return (
        f"retry: {RETRY_MILLISECONDS}\nid: {start.position}\nevent: {kind}\ndata: {data}\n\n"
    ).encode()


def written(event: Event) -> bytes:
    """Write an event; its JSON has no line breaks, so nothing in it can end a field."""
    data = json.dumps(
        {
            "topic": event.topic,
            "kind": event.kind,
            "at": event.at.isoformat().replace("+00:00", "Z"),
            "project_id": event.project_id,
            "subject_id": event.subject_id,
            "data": event.data,
        },
        separators=(",", ":"),
    )
    return f"id: {event.position}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def still_here(position: int) -> bytes:
    """Write a comment that keeps the connection; its id moves on over what others heard."""
    return f": still here\nid: {position}\n\n".encode()

"""What happened, told to whoever listens: one ordered stream, kept for a while, resumable.

A noun calls `publish` inside the transaction that makes it true. Listeners (`/events`, loops)
read the table by position and are woken by their own process (`core.bus`); another process's
writes are noticed soon after. Must never carry content a member of the project may not see:
an event names what changed, with its status; the rest is fetched.

Topics and kinds are listed in `TOPICS`, which `docs/reference/events.md` shows.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, text

from services.core.database import Transaction
from services.core.tables import events
from services.core.work import context_of

_ORDER_LOCK = zlib.crc32(b"smalti.events")

TOPICS: dict[str, dict[str, str]] = {
    "jobs": {
        "job.created": "A job was accepted.",
        "job.changed": "A job's status or reason changed.",
    },
    "workspaces": {
        "workspace.created": "A workspace was made.",
        "workspace.changed": "A workspace's status, reason or settings changed.",
        "workspace.warned": "A workspace is about to be ended because nothing happens in it.",
        "workspace.deleted": "A workspace was deleted; it can be had back for a while.",
    },
    "projects": {
        "project.created": "A project was created.",
        "project.changed": "A project's settings or members changed.",
        "project.deleted": "A project was deleted.",
        "project.pushed": "A branch or tag of the project's repository moved.",
    },
    "planes": {
        "plane.changed": "A data plane came, went away or changed its capacity.",
    },
    "people": {
        "person.changed": "A person's roles or state changed.",
    },
}


def publish(
    tx: Transaction,
    kind: str,
    subject_id: str,
    data: Mapping[str, Any],
    *,
    project_id: str | None = None,
    person_id: str | None = None,
) -> None:
    """Tell that something is so, once this transaction is committed.

    With a project, its members may hear it; with a person, that person; with neither, everybody
    who may listen. KeyError for a kind that `TOPICS` does not list.
    """
    topic = _TOPIC_OF[kind]
    if tx.dialect == "postgresql":
        # Positions must become visible in their order, or a listener would step over one.
        tx.execute(text(f"SELECT pg_advisory_xact_lock({_ORDER_LOCK})"))
    row = {
        "at": tx.now,
        "topic": topic,
        "kind": kind,
        "project_id": project_id,
        "person_id": person_id,
        "subject_id": subject_id,
        "data": dict(data),
    }
    tx.execute(insert(events), row)
    wake(tx, f"events:{topic}", f"subject:{subject_id}")


def wake(tx: Transaction, *subjects: str) -> None:
    """Wake listeners of this process once this transaction is committed."""
    bus = context_of(tx).bus

    def call() -> None:
        for subject in subjects:
            bus.wake(subject)

    tx.on_commit(call)


_TOPIC_OF = {kind: topic for topic, kinds in TOPICS.items() for kind in kinds}

"""The environment that Smalti comes with: its rows, kept true to its folder on this machine.

Set-up builds the folder beside the starting platform. `set_up` makes the rows before the
process listens, `refresh` is a loop that notices when the folder appears or is built anew.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from services.core import audit
from services.core.database import Transaction
from services.core.loops import Loop
from services.core.settings import Settings
from services.core.work import Work, context_of
from services.environments import store
from services.environments.rules import BEING_PREPARED, State, state_of, state_of_image
from services.environments.runtime import look
from services.environments.schemas import RevisionStatus

NAME = "default"
NUMBER = 1
DESCRIPTION = "What Smalti comes with: Python, scikit-learn, pandas, matplotlib and notebooks."
REFRESH_SECONDS = 2.0


def set_up(tx: Transaction) -> None:
    """Make sure that the default environment and its revision are there and true."""
    if store.find(tx, NAME) is None:
        environment_id = store.insert_environment(tx, NAME, DESCRIPTION)
        store.insert_revision(tx, environment_id, NUMBER, {"base": NAME}, BEING_PREPARED)
    _note(tx, _look(context_of(tx).settings))


async def refresh(work: Work) -> None:
    """Look at the folder; write only when something changed."""
    found = await asyncio.to_thread(_look, work.context.settings)
    if await work.read(_present) != found:
        await work.write(_note, found)
        work.context.bus.wake("environments")


def _look(settings: Settings) -> State:
    """Find out how the environment is: an image where one is named, else a folder here."""
    if settings.default_image:
        return state_of_image(settings.default_image)
    return state_of(look(settings.root, NAME, NUMBER))


def _present(tx: Transaction) -> State | None:
    row = store.find(tx, NAME)
    if row is None:
        return None
    revision = store.revision(tx, row.id, NUMBER)
    if revision is None:
        return None
    return State(RevisionStatus(revision.status), revision.reason, revision.digest)


def _note(tx: Transaction, after: State) -> None:
    before = _present(tx)
    row = store.find(tx, NAME)
    if row is None or before == after:
        return
    values = asdict(after)
    values["ready_at"] = tx.now if after.status is RevisionStatus.READY else None
    store.update_revision(tx, row.id, NUMBER, values)
    audit.record(
        tx,
        "environment.revision_changed",
        "environment",
        row.id,
        before=asdict(before) if before else None,
        after={"number": NUMBER, **asdict(after)},
    )


loops = (Loop("environments", refresh, REFRESH_SECONDS),)

"""How the platform process is given projects: its parts and its loops."""

from __future__ import annotations

from services import people
from services.core.loops import Loop
from services.core.references import References
from services.core.work import Context
from services.projects import imports, recording, store, tending
from services.projects.access import authorize
from services.projects.actions import IMPORTS
from services.projects.git_http import Gate
from services.projects.intents import Intents
from services.projects.runtime import Repositories

LOOPS = (
    Loop("imports", imports.turn, every=60.0, wakes=(IMPORTS,), lease=False),
    Loop("unrecorded", recording.turn, every=60.0),
    Loop("repositories", tending.turn, every=1800.0),
)


def provide(context: Context) -> None:
    """Put the repositories in, and answer who uses a person."""
    repositories = context.provide(Repositories, Repositories(context.settings))
    repositories.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    context.provide(Gate, Gate())
    context.provide(Intents, Intents(context.settings))
    context.provide(people.ProjectGate, people.ProjectGate(authorize))
    context.get(References).register("person", store.of_person)

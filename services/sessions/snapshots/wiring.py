"""What snapshots bring to a platform process: their repositories, their thinning, jobs' code."""

from __future__ import annotations

from services import workloads
from services.core.loops import Loop
from services.core.work import Context
from services.projects import Repositories
from services.sessions.snapshots import actions, thinning
from services.sessions.snapshots.runtime import Shelves
from services.storage import Retention

THIN_SECONDS = 300.0

loops = (Loop("snapshots", thinning.turn, THIN_SECONDS),)


def provide(context: Context) -> None:
    """Put the repositories in, have old snapshots let go, give jobs a workspace's code."""
    context.provide(Shelves, Shelves(context.settings, context.get(Repositories)))
    context.provide(workloads.Workbench, workloads.Workbench(actions.code_of))
    context.get(Retention).register("snapshots", thinning.clean)

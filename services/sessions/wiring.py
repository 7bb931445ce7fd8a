"""What sessions bring to a platform process: loops, references, clean-up, the hub's credential."""

from __future__ import annotations

from services import people, workloads
from services.core import audit
from services.core.database import Transaction
from services.core.loops import Loop
from services.core.references import References
from services.core.work import Context, Work, settings_of
from services.sessions import actions, authority, hub, listening, snapshots, store
from services.sessions.serving import SESSION
from services.sessions.tables import workspaces
from services.storage import Retention

HUB_SECONDS = 2.0
AT_ONCE = 100


def set_up(tx: Transaction) -> None:
    """Let the hub's process in by the token that the supervisor made for it."""
    secret = settings_of(tx).secret("hub-spawner.token")
    people.issue_token(tx, kind="hub", principal_id="hub", name="the hub", secret=secret)


def provide(context: Context) -> None:
    """Hear of sessions' steps, say who uses what, and let go of what was deleted long ago."""
    listener = workloads.Listener(listening.changed, listening.answers, listening.warned)
    context.get(workloads.Kinds).register(SESSION, listener)
    references = context.get(References)
    references.register(
        "project", lambda tx, key: store.references(tx, workspaces.c.project_id, key)
    )
    references.register(
        "environment", lambda tx, key: store.references(tx, workspaces.c.environment_id, key)
    )
    context.get(Retention).register("workspaces", purge)


async def purge(work: Work) -> int:
    """Give up the files of workspaces that were deleted long enough ago; return of how many."""
    gone = await work.write(_purge)
    for workspace_id in gone:
        await snapshots.forget(work, workspace_id)
    return len(gone)


def _purge(tx: Transaction) -> list[str]:
    days = settings_of(tx).keep_workspaces_days
    rows = store.to_purge(tx, days, AT_ONCE)
    for row in rows:
        store.change(tx, row.id, purged_at=tx.now)
        audit.record(tx, "workspace.purge", actions.KIND, row.id, project_id=row.project_id,
                     before={"name": row.name})  # fmt: skip
    return [row.id for row in rows]


loops = (
    Loop("workspaces-hub", hub.turn, HUB_SECONDS),
    Loop("workspaces-authority", authority.turn, authority.EVERY, wakes=authority.WAKES),
)

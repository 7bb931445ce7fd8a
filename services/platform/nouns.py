"""The one list of what the platform is made of: each noun's routes, parts, loops and checks.

Order matters for parts only: a noun may take out what those before it have put in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.core.database import Transaction
from services.core.loops import Loop
from services.core.routing import Routes
from services.core.work import Context


@dataclass(frozen=True)
class Noun:
    """What one noun brings to the process."""

    name: str
    routes: Routes | None = None
    provide: Callable[[Context], None] | None = None
    loops: tuple[Loop, ...] = ()
    prepare: Callable[[Context], None] | None = None  # before that, outside of transactions
    start: Callable[[Transaction], None] | None = None  # before the process listens


def nouns() -> list[Noun]:
    """List all nouns, lowest tier first."""
    from services import (
        audit,
        environments,
        events,
        jobs,
        planes,
        secrets,
        sessions,
        storage,
        vault,
        workloads,
    )
    from services.audit.handlers import routes as audit_routes
    from services.console.handlers import provide as provide_console
    from services.console.handlers import routes as console_routes
    from services.core.auth import web
    from services.environments.handlers import routes as environment_routes
    from services.events.handlers import routes as event_routes
    from services.experiments import actions as experiments
    from services.experiments import handlers as experiment_handlers
    from services.experiments import wiring as experiment_wiring
    from services.jobs.handlers import routes as job_routes
    from services.people import handlers as people
    from services.people import sync, wiring
    from services.planes.handlers import routes as plane_routes
    from services.platform import handlers
    from services.projects import file_handlers, git_handlers
    from services.projects import handlers as projects
    from services.projects import wiring as project_wiring
    from services.secrets.handlers import routes as secret_routes
    from services.sessions import snapshots
    from services.sessions.handlers import routes as session_routes
    from services.sessions.hub_handlers import routes as hub_routes
    from services.sessions.snapshots.handlers import routes as snapshot_routes
    from services.storage.handlers import routes as storage_routes
    from services.vault.handlers import routes as vault_routes
    from services.workloads.handlers import routes as agent_routes

    return [
        Noun("platform", routes=handlers.routes),
        Noun("storage", storage_routes, storage.provide, storage.loops),
        Noun("vault", vault_routes, vault.provide, vault.LOOPS, prepare=vault.prepare),
        Noun("people", people.routes, wiring.provide, sync.LOOPS),
        Noun("login", web.routes, web.provide),
        Noun("projects", projects.routes, project_wiring.provide, project_wiring.LOOPS),
        Noun("files", file_handlers.routes),
        Noun("secrets", secret_routes, secrets.provide),
        Noun("git", git_handlers.routes),
        Noun(
            "environments", environment_routes, loops=environments.loops, start=environments.set_up
        ),
        Noun("planes", plane_routes, planes.provide, start=planes.set_up),
        Noun("workloads", agent_routes, workloads.provide, workloads.loops),
        Noun("jobs", job_routes, jobs.provide),
        Noun(
            "sessions",
            session_routes,
            sessions.provide,
            sessions.loops,
            start=sessions.set_up,
        ),
        Noun("hub-servers", hub_routes),
        Noun(
            "experiments",
            experiment_handlers.routes,
            experiment_wiring.provide,
            start=experiments.set_up,
        ),
        Noun("experiment pages", experiment_handlers.pages),
        Noun("snapshots", snapshot_routes, snapshots.provide, snapshots.loops),
        Noun("events", event_routes, events.provide, events.loops),
        Noun("audit", audit_routes, loops=audit.loops),
        Noun("console", console_routes, provide_console),
    ]

"""Verbs of experiments and models: who may enter, what there is, and names for versions."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from services import jobs, people, projects, workloads
from services.core import audit
from services.core.actor import Actor
from services.core.auth.resolver import Resolver
from services.core.auth.sessions import Sessions
from services.core.database import Transaction
from services.core.errors import Forbidden, NotFound
from services.core.rights import Permission, Principal
from services.core.work import Work, actor_of
from services.experiments import rules
from services.experiments.protocol import (
    COOKIE,
    AccessAnswer,
    AccessRequest,
    ProjectAccess,
    ProjectsAnswer,
    RunFacts,
)
from services.experiments.runtime import Mlflow
from services.experiments.schemas import (
    ExperimentRunsView,
    ExperimentsView,
    LineageView,
    ModelsView,
    ModelVersionsView,
    ModelVersionView,
    ModelView,
    RunsQuery,
)

PURPOSE = f"{COOKIE}:"
SESSION_SECONDS = 12 * 3600.0
MOST_PROJECTS = 1000
_READ, _WRITE = Permission.EXPERIMENTS_READ, Permission.EXPERIMENTS_WRITE

# -- for the gate ------------------------------------------------------------------------------


def set_up(tx: Transaction) -> None:
    """Make sure that the gate's credential is known."""
    from services.core.work import settings_of
    from services.experiments.protocol import GATE_TOKEN

    people.issue_token(
        tx, kind="gate", principal_id="experiments", name="gate of experiments",
        secret=settings_of(tx).secret(GATE_TOKEN),
    )  # fmt: skip


async def access(work: Work, request: AccessRequest) -> AccessAnswer:
    """Say whose credential this is and what they may in a project."""
    actor = await _bearer(work, request)
    if actor is None:
        return AccessAnswer(known=False)
    theirs = Work(work.context, actor, work.origin)
    return await theirs.read(_access, request.project_id)


async def accessible(work: Work, request: AccessRequest) -> ProjectsAnswer:
    """List the projects whose experiments a caller may see."""
    actor = await _bearer(work, request)
    if actor is None:
        return ProjectsAnswer(known=False)
    found = await Work(work.context, actor, work.origin).read(_accessible)
    return ProjectsAnswer(known=True, projects=found)


async def _bearer(work: Work, request: AccessRequest) -> Actor | None:
    token = request.token
    if request.session is not None:
        session = await work.context.get(Sessions).find(PURPOSE + request.session)
        token = None if session is None else session.token
    if token is None:
        return None
    return await work.context.get(Resolver).actor_of_token(token)


def _access(tx: Transaction, project_id: str | None) -> AccessAnswer:
    actor = actor_of(tx)
    person = people.named(tx, {actor.person_id} if actor.person_id else set())
    known = AccessAnswer(
        known=True, person=person.get(actor.person_id or "", actor.name), run=_facts(tx, actor)
    )
    wanted = project_id or actor.project_id
    if wanted is None:
        some = projects.some(tx, projects.visible_ids(tx, _READ), 2)
        if len(some) != 1:
            return known.model_copy(update={"ambiguous": len(some) > 1})
        return known.model_copy(update={"project": _project(tx, some[0])})
    try:
        row = projects.authorize(tx, _READ, wanted)
    except (NotFound, Forbidden):
        return known
    return known.model_copy(update={"project": _project(tx, row)})


def _project(tx: Transaction, row: projects.ProjectRow) -> ProjectAccess:
    try:
        projects.authorize(tx, _WRITE, row.id)
        writes = True
    except Forbidden:
        writes = False
    return ProjectAccess(id=row.id, owner=row.owner_name, name=row.name, writes=writes)


def _accessible(tx: Transaction) -> list[ProjectAccess]:
    found = projects.some(tx, projects.visible_ids(tx, _READ), MOST_PROJECTS)
    return [_project(tx, row) for row in found]


def _facts(tx: Transaction, actor: Actor) -> RunFacts | None:
    if actor.kind is not Principal.RUN:
        return None
    row = workloads.load(tx, actor.id)
    if row is None or row.kind not in ("job", "session"):
        return None
    made = row.order["environment"]
    name = f"{made['name']}/{made['revision']}@{made['digest']}"
    return RunFacts(kind=row.kind, id=row.id, commit=row.order["commit"], environment=name)


async def enter(work: Work, value: str | None) -> str | None:
    """Open a browser's session for MLflow's pages from its session here; None without one."""
    session = None if value is None else await work.context.get(Sessions).find(value)
    if session is None:
        return None
    return await work.write(_enter, work.context.get(Sessions), session.token)


def _enter(tx: Transaction, part: Sessions, token: str) -> str:
    return part.open(tx, token, SESSION_SECONDS, PURPOSE)[0]


# -- what there is -----------------------------------------------------------------------------


async def _may(work: Work, project_id: str, permission: Permission) -> Mlflow:
    await work.read(projects.authorize, permission, project_id)
    return work.context.get(Mlflow)


async def list_models(work: Work, project_id: str) -> ModelsView:
    """List a project's registered models."""
    mlflow = await _may(work, project_id, _READ)
    asked = mlflow.get(project_id, "/registered-models/search", max_results="1000")
    found = await _or_nothing(asked)
    return ModelsView(items=[rules.model(row) for row in found.get("registered_models", [])])


async def show_model(work: Work, project_id: str, name: str) -> ModelView:
    """Show a registered model."""
    mlflow = await _may(work, project_id, _READ)
    found = await mlflow.get(project_id, "/registered-models/get", name=name)
    return rules.model(found["registered_model"])


async def list_versions(work: Work, project_id: str, name: str) -> ModelVersionsView:
    """List a model's versions, the newest first."""
    mlflow = await _may(work, project_id, _READ)
    model = await mlflow.get(project_id, "/registered-models/get", name=name)  # else 404
    named = rules.model(model["registered_model"]).aliases  # a search of versions leaves them out
    quoted = name.replace("'", "''")
    found = await mlflow.get(
        project_id, "/model-versions/search", filter=f"name='{quoted}'", max_results="1000"
    )
    rows = sorted(found.get("model_versions", []), key=lambda row: -int(row["version"]))
    for row in rows:
        row["aliases"] = sorted(alias for alias, one in named.items() if one == row["version"])
    views = [rules.version(row) for row in rows]
    await _count(work, project_id, [view.lineage for view in views])
    return ModelVersionsView(items=views)


async def show_version(work: Work, project_id: str, name: str, number: str) -> ModelVersionView:
    """Show one version of a model, with where it comes from."""
    mlflow = await _may(work, project_id, _READ)
    found = await mlflow.get(project_id, "/model-versions/get", name=name, version=number)
    view = rules.version(found["model_version"])
    await _count(work, project_id, [view.lineage])
    return view


async def _count(work: Work, project_id: str, found: list[LineageView]) -> None:
    """Say of each lineage which number the project counts its job as."""
    ids = {one.job_id for one in found if one.job_id is not None}
    numbers = await work.read(jobs.numbers, project_id, ids) if ids else {}
    for one in found:
        one.job_number = numbers.get(one.job_id or "")


async def set_alias(
    work: Work, project_id: str, name: str, alias: str, number: str
) -> ModelVersionView:
    """Let an alias name a version."""
    mlflow = await _may(work, project_id, _WRITE)
    body = {"name": name, "alias": alias, "version": number}
    await mlflow.post(project_id, "/registered-models/alias", body)
    await work.write(_audited, "model.alias.set", project_id, name, {"alias": alias, "to": number})
    return await show_version(work, project_id, name, number)


async def delete_alias(work: Work, project_id: str, name: str, alias: str) -> None:
    """Take an alias away."""
    mlflow = await _may(work, project_id, _WRITE)
    await mlflow.delete(project_id, "/registered-models/alias", {"name": name, "alias": alias})
    await work.write(_audited, "model.alias.delete", project_id, name, {"alias": alias})


def _audited(tx: Transaction, verb: str, project_id: str, name: str, what: dict[str, str]) -> None:
    audit.record(tx, verb, "model", name, project_id=project_id, after=what)


async def list_experiments(work: Work, project_id: str) -> ExperimentsView:
    """List a project's experiments, the last changed first."""
    mlflow = await _may(work, project_id, _READ)
    return ExperimentsView(items=[rules.experiment(row) for row in await _all(mlflow, project_id)])


async def list_runs(work: Work, project_id: str, query: RunsQuery) -> ExperimentRunsView:
    """List a project's runs in MLflow, the newest first."""
    mlflow = await _may(work, project_id, _READ)
    chosen = [query.experiment_id] if query.experiment_id else await _all_of(mlflow, project_id)
    return await _runs(work, mlflow, project_id, chosen, "", query.limit)


async def runs_of_job(work: Work, job_id: str) -> ExperimentRunsView:
    """List the runs in MLflow that a job made: by the tag that the gate set, which is the truth."""
    job = await work.read(jobs.readable, job_id)
    mlflow = await _may(work, job.project_id, _READ)
    everywhere = await _all_of(mlflow, job.project_id)
    wanted = f"tags.`smalti.job_id` = '{job.id}'"
    return await _runs(work, mlflow, job.project_id, everywhere, wanted, 200)


async def _all(mlflow: Mlflow, project_id: str) -> list[dict[str, Any]]:
    body = {"max_results": 1000, "order_by": ["last_update_time DESC"]}
    found = await _or_nothing(mlflow.post(project_id, "/experiments/search", body))
    return list(found.get("experiments", []))


async def _all_of(mlflow: Mlflow, project_id: str) -> list[str]:
    return [row["experiment_id"] for row in await _all(mlflow, project_id)]


async def _or_nothing(asked: Awaitable[Any]) -> Any:
    """What a project has; nothing where nobody has logged anything, and there is no workspace."""
    try:
        return await asked
    except NotFound:
        return {}


async def _runs(
    work: Work, mlflow: Mlflow, project_id: str, experiments: list[str], wanted: str, limit: int
) -> ExperimentRunsView:
    if not experiments:
        return ExperimentRunsView(items=[])
    body = {
        "experiment_ids": experiments,
        "filter": wanted,
        "max_results": limit,
        "order_by": ["attributes.start_time DESC"],
    }
    found = await mlflow.post(project_id, "/runs/search", body)
    origin = work.context.settings.origin
    views = [rules.run(row, origin, project_id) for row in found.get("runs", [])]
    await _count(work, project_id, [view.lineage for view in views])
    return ExperimentRunsView(items=views)

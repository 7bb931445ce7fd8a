"""Routes of experiments and models, and those that the gate asks."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, Field

from services.core.auth.sessions import SESSION, Sessions, cookie_in
from services.core.errors import Forbidden
from services.core.rights import Permission
from services.core.routing import PREFIX as PLATFORM
from services.core.routing import Call, Routes
from services.experiments import actions
from services.experiments.protocol import (
    COOKIE,
    PREFIX,
    RETRY_AFTER,
    SERVER_INFO,
    AccessAnswer,
    AccessRequest,
    ProjectsAnswer,
)
from services.experiments.schemas import (
    AliasSet,
    ExperimentRunsView,
    ExperimentsView,
    ModelsView,
    ModelVersionsView,
    ModelVersionView,
    ModelView,
    RunsQuery,
)

routes = Routes("experiments")
pages = Routes("experiments", PLATFORM)
_READ, _WRITE = Permission.EXPERIMENTS_READ, Permission.EXPERIMENTS_WRITE
_GATE = Permission.EXPERIMENTS_GATE
_PLAIN = re.compile(r"/[A-Za-z0-9\-._~/]*")


class EnterQuery(BaseModel):
    """Where to go afterwards."""

    next: str = Field("", max_length=1000)


@routes.post(
    "/experiments/access", _GATE, body=AccessRequest, answer=AccessAnswer, hidden=True, keep=False
)
async def access(call: Call) -> AccessAnswer:
    """Say whose credential this is and what they may."""
    return await actions.access(call.work, call.body(AccessRequest))


@routes.post(
    "/experiments/projects",
    _GATE,
    body=AccessRequest,
    answer=ProjectsAnswer,
    hidden=True,
    keep=False,
)
async def accessible(call: Call) -> ProjectsAnswer:
    """List the projects whose experiments a caller may see."""
    return await actions.accessible(call.work, call.body(AccessRequest))


@pages.get(
    "/experiments/enter",
    Permission.ME_READ,
    query=EnterQuery,
    media_type="text/html",
    hidden=True,
    cookie=True,
)
async def enter(call: Call) -> None:
    """Let a browser that is logged in into MLflow's pages."""
    part = call.context.get(Sessions)
    value = await actions.enter(call.work, cookie_in(call.header("Cookie"), part.cookie(SESSION)))
    if value is None:
        raise Forbidden("This is for browsers: programs send their token to MLflow itself.")
    call.set_cookie(
        part.cookie(COOKIE),
        value,
        path="/" if part.secure else f"{PREFIX}/",
        max_age=int(actions.SESSION_SECONDS),
        httponly=True,
        secure=part.secure,
        samesite="Lax",
    )
    call.answer_with(302, {"Location": _next(call.query(EnterQuery).next)})


@pages.get("/experiments/away", Permission.PUBLIC, media_type="application/json", hidden=True)
async def away(call: Call) -> None:
    """Say in MLflow's place that it is away; the front door asks, and makes it a 503."""
    said = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "MLflow is away: try again soon."}
    await _as_mlflow(call, said, {"Retry-After": str(RETRY_AFTER)})


@pages.get(
    "/experiments/server-info", Permission.PUBLIC, media_type="application/json", hidden=True
)
async def server_info(call: Call) -> None:
    """Say in MLflow's place what it can; the front door asks for it while MLflow is away."""
    await _as_mlflow(call, SERVER_INFO, {})


async def _as_mlflow(call: Call, said: Any, headers: dict[str, str]) -> None:
    told = {"Content-Type": "application/json", "Cache-Control": "no-store", **headers}
    call.answer_with(200, told)
    await call.send(json.dumps(said).encode())


def _next(wanted: str) -> str:
    """The page of MLflow's to go to: below its prefix, or its first one."""
    first = f"{PREFIX}/"
    plain = _PLAIN.fullmatch(unquote(wanted)) and "//" not in wanted and ".." not in wanted
    return wanted if plain and wanted.startswith(first) else first


@routes.get("/projects/{id}/models", _READ, answer=ModelsView)
async def list_models(call: Call) -> ModelsView:
    """List a project's registered models."""
    return await actions.list_models(call.work, call.path["id"])


@routes.get("/projects/{id}/models/{name}", _READ, answer=ModelView)
async def show_model(call: Call) -> ModelView:
    """Show a registered model."""
    return await actions.show_model(call.work, call.path["id"], call.path["name"])


@routes.get("/projects/{id}/models/{name}/versions", _READ, answer=ModelVersionsView)
async def list_versions(call: Call) -> ModelVersionsView:
    """List the versions of a model."""
    return await actions.list_versions(call.work, call.path["id"], call.path["name"])


@routes.get("/projects/{id}/models/{name}/versions/{n}", _READ, answer=ModelVersionView)
async def show_version(call: Call) -> ModelVersionView:
    """Show a model version and where it comes from."""
    path = call.path
    return await actions.show_version(call.work, path["id"], path["name"], path["n"])


@routes.put(
    "/projects/{id}/models/{name}/aliases/{alias}", _WRITE, body=AliasSet, answer=ModelVersionView
)
async def set_alias(call: Call) -> ModelVersionView:
    """Let an alias name a version of a model."""
    path, body = call.path, call.body(AliasSet)
    return await actions.set_alias(call.work, path["id"], path["name"], path["alias"], body.version)


@routes.delete("/projects/{id}/models/{name}/aliases/{alias}", _WRITE)
async def delete_alias(call: Call) -> None:
    """Take an alias of a model away."""
    path = call.path
    await actions.delete_alias(call.work, path["id"], path["name"], path["alias"])


@routes.get("/projects/{id}/experiments", _READ, answer=ExperimentsView)
async def list_experiments(call: Call) -> ExperimentsView:
    """List a project's experiments."""
    return await actions.list_experiments(call.work, call.path["id"])


@routes.get("/projects/{id}/experiment-runs", _READ, query=RunsQuery, answer=ExperimentRunsView)
async def list_runs(call: Call) -> ExperimentRunsView:
    """List a project's runs in MLflow, the newest first."""
    return await actions.list_runs(call.work, call.path["id"], call.query(RunsQuery))


@routes.get("/jobs/{id}/experiment-runs", Permission.JOB_READ, answer=ExperimentRunsView)
async def runs_of_job(call: Call) -> ExperimentRunsView:
    """List the runs in MLflow that a job made."""
    return await actions.runs_of_job(call.work, call.path["id"])

"""`smalti models` and `smalti experiments`: what was logged, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from smalti.cli import current, output
from smalti.cli.app import App, Group, pass_app
from smalti.cli.terminal import clean
from smalti.views import ExperimentRun, Lineage, ModelVersion

if TYPE_CHECKING:
    from smalti.project import Project

MOST_SHOWN = 3  # metrics of a run in a list


@click.group(cls=Group)
def models() -> None:
    """Registered models of a project."""


@models.command("list")
@click.argument("project", required=False)
@pass_app
def list_models(app: App, project: str | None) -> None:
    """List the models of a project, or of the current one."""
    found = current.project(app, project).models.list()
    heads = ("model", "latest", "aliases", "changed")
    rows = [
        (one.name, one.latest_version, _aliases(one.aliases), output.ago(one.updated_at))
        for one in found
    ]
    app.show(found, lambda: output.print_table(heads, rows))


@models.command("show")
@click.argument("model")
@click.argument("project", required=False)
@click.option("--version", "number", type=click.IntRange(1), help="Only this version.")
@pass_app
def show_model(app: App, model: str, project: str | None, number: int | None) -> None:
    """Show a model's versions and where each comes from."""
    where = current.project(app, project)
    part = where.models
    found = part.versions(model) if number is None else [part.version(model, number)]
    heads = ("version", "status", "aliases", "job", "commit", "by", "made")
    app.show(found, lambda: output.print_table(heads, [_version(where, one) for one in found]))


def _version(where: Project, one: ModelVersion) -> tuple[object, ...]:
    made = one.lineage
    commit = (made.commit or "")[:10]
    names = ", ".join(one.aliases)
    when = output.ago(one.created_at)
    return one.version, one.status, names, _source(where, made), commit, made.person, when


def _source(where: Project, made: Lineage) -> str | None:
    """Name what made something as people may type it: a job, else a session by its id."""
    if made.job_number is None:
        return made.job_id or made.session_id
    return f"{where.full_name}#{made.job_number}"


def _aliases(aliases: Mapping[str, str]) -> str:
    return ", ".join(f"{alias}={number}" for alias, number in sorted(aliases.items()))


@click.group(cls=Group)
def experiments() -> None:
    """Experiments of a project and their runs."""


@experiments.command("list")
@click.argument("project", required=False)
@pass_app
def list_experiments(app: App, project: str | None) -> None:
    """List the experiments of a project, or of the current one."""
    found = current.project(app, project).experiments.list()
    rows = [(one.id, one.name, output.ago(one.updated_at)) for one in found]
    app.show(found, lambda: output.print_table(("id", "experiment", "changed"), rows))


@experiments.command("runs")
@click.argument("project", required=False)
@click.option("--experiment", metavar="ID", help="Of this experiment only.")
@click.option(
    "--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="At most."
)
@pass_app
def list_runs(app: App, project: str | None, experiment: str | None, limit: int) -> None:
    """List runs, the newest first, with some of what they measured."""
    where = current.project(app, project)
    found = where.experiments.runs(experiment, limit=limit)
    heads = ("run", "name", "status", "job", "started", "metrics")
    app.show(found, lambda: output.print_table(heads, [_run(where, one) for one in found]))


def _run(where: Project, one: ExperimentRun) -> tuple[object, ...]:
    started = output.ago(one.started_at)
    source = _source(where, one.lineage)
    return one.id, clean(one.name), one.status, source, started, measured(one)


def measured(one: ExperimentRun) -> str:
    """Write the first few metrics of a run."""
    shown = sorted(one.metrics.items())[:MOST_SHOWN]
    return ", ".join(f"{clean(name)} {output.number(value)}" for name, value in shown)

"""`smalti jobs list`, `show` and `metrics`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from smalti import durations
from smalti.cli import current, output
from smalti.cli.app import App, Command, pass_app
from smalti.cli.jobs import live
from smalti.cli.terminal import clean
from smalti.views import JobView, Usage

if TYPE_CHECKING:
    from smalti.job import Job

LISTED = 60  # characters of a title or command in a list
STATES = [
    "Queued",
    "Pending",
    "Preparing",
    "Running",
    "Finishing",
    "Succeeded",
    "Failed",
    "Error",
    "Stopping",
    "Stopped",
]


def what(view: JobView) -> str:
    """Write what a job runs, as one would type it."""
    if view.file:
        return shlex.join([view.file, *view.args])
    if isinstance(view.command, list):
        return shlex.join(map(str, view.command))
    return str(view.command or "")


@click.command("list", cls=Command)
@click.argument("project", required=False)
@click.option("--status", type=click.Choice(STATES, case_sensitive=False), help="In this state.")
@click.option("--owner", metavar="NAME", help="Started by somebody; 'me' is you.")
@click.option("--tag", help="Marked so.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most.")
@pass_app
def list_jobs(app: App, /, project: str | None, limit: int, **which: str | None) -> None:
    """List jobs, the newest first: of a project, of the current one, or all."""
    from smalti.jobs import JobFilter

    chosen = None
    if project is not None:
        chosen = current.project(app, project)
    elif (here := current.project_here(app)) is not None:
        chosen = app.client.projects.get(here)
    found = list(app.client.jobs.list(JobFilter(chosen, **which), limit=limit))
    names: dict[str, str] = {chosen.id: chosen.full_name} if chosen else {}

    def people() -> None:
        heads = ("job", "status", "what", "owner", "queued", "reason")
        output.print_table(heads, [_row(app, one, names) for one in found])

    app.show([one.view for one in found], people)


def _row(app: App, job: Job, names: dict[str, str]) -> tuple[object, ...]:
    view = job.view
    if view.project_id not in names:
        names[view.project_id] = live.label(app, job).partition("#")[0]
    name = f"{names[view.project_id]}#{view.number}"
    queued = output.ago(view.queued_at)
    shown = clean(view.title or what(view), LISTED)
    return name, view.status, shown, view.owner.name, queued, view.reason


@click.command(cls=Command)
@click.argument("job", required=False)
@pass_app
def show(app: App, job: str | None) -> None:
    """Show a job: what runs, with what, how it stands and why."""
    found = current.job(app, job)

    def people() -> None:
        output.print_fields([("job", live.label(app, found)), *_pairs(found.view)])
        if found.view.status == "Failed" and isinstance(found.view.last_lines, str):
            click.echo("last lines:")
            for line in found.view.last_lines.splitlines()[-20:]:
                click.echo(f"  {clean(line)}")

        _show_runs(app, found)

    app.show(found.view, people)


def _show_runs(app: App, job: Job) -> None:
    """Name the job's runs in MLflow; what cannot be asked now is said, and nothing else fails."""
    from smalti.errors import SmaltiError

    try:
        runs = job.experiment_runs()
    except SmaltiError as error:
        if error.status != 404:  # a platform without experiments
            app.note("its runs in MLflow cannot be shown now")
        return
    for one in runs:
        click.echo(f"logged run {clean(one.name)} ({one.status}): {one.url}")


def _pairs(view: JobView) -> list[tuple[str, object]]:
    usage = view.usage or Usage()
    return [
        ("id", view.id),
        ("title", view.title),
        ("tags", ", ".join(view.tags)),
        ("status", view.status),
        ("reason", view.reason),
        ("exit code", view.exit_code),
        ("runs", what(view)),
        ("ref", view.ref),
        ("commit", view.commit),
        ("owner", view.owner.name),
        ("tier", view.tier),
        ("environment", view.environment_id),
        ("revision", view.revision),
        ("variables", ", ".join(f"{key}={value}" for key, value in view.env.items())),
        ("attempt", f"{view.attempt} of {view.retries + 1}" if view.retries else ""),
        ("time limit", None if view.timeout is None else durations.show(view.timeout)),
        ("isolation", view.isolation),
        ("queued", output.local(view.queued_at)),
        ("started", output.local(view.started_at)),
        ("finished", output.local(view.finished_at)),
        ("ran", None if usage.duration is None else durations.show(usage.duration)),
        ("CPU time", None if usage.cpu_seconds is None else durations.show(usage.cpu_seconds)),
        ("most memory", output.size(usage.memory_peak)),
        ("cost", output.number(view.cost)),
        ("repeats", view.rerun_of),
    ]


@click.command(cls=Command)
@click.argument("job", required=False)
@pass_app
def metrics(app: App, job: str | None) -> None:
    """Show what a job took, and the numbers it left in metrics.json."""
    found = current.job(app, job)
    measured = found.metrics()

    def people() -> None:
        values: dict[str, Any] = dict(measured.values or {})
        rows = [(name, output.number(value)) for name, value in values.items()]
        output.print_table(("metric", "value"), rows)
        if measured.samples:
            count = len(measured.samples)
            cpu = sum(one.cpu for one in measured.samples) / count
            memory = max(one.memory for one in measured.samples)
            click.echo(f"{cpu:.2f} CPUs on average, {output.size(memory)} at most; {count} samples")

    app.show(measured, people)

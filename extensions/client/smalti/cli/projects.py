"""`smalti projects`: made, listed, shown, deleted; and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smalti.cli import clone, current, output
from smalti.cli.app import App, Group, pass_app
from smalti.cli.terminal import clean
from smalti.errors import BadRequest

if TYPE_CHECKING:
    from smalti.project import Project

ROLES = click.Choice(["owner", "contributor", "consumer", "launcher"])


@click.group(cls=Group)
def projects() -> None:
    """Projects: a git repository, its members and its jobs."""


projects.add_command(clone.clone)


@projects.command("create")
@click.argument("name")
@click.option("--description", help="What it is for.")
@click.option("--example", metavar="NAME", help="Begin with an example, such as wine-quality.")
@click.option("--import-url", metavar="URL", help="Begin with a copy of a git repository.")
@click.option(
    "--private/--internal", "private", default=True, help="For members only, or readable by all."
)
@pass_app
def create(app: App, /, name: str, private: bool, **options: str | None) -> None:
    """Make a project."""
    if options["example"] and options["import_url"]:
        raise click.UsageError("give --example or --import-url, not both")
    visibility = "private" if private else "internal"
    made = app.client.projects.create(name, visibility=visibility, **options)

    def people() -> None:
        output.note(f"Created {made.full_name}.")
        output.print_fields(_pairs(made))

    app.show(made.view, people)


@projects.command("list")
@click.option("--owner", metavar="NAME", help="Only those of an owner.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@pass_app
def list_projects(app: App, owner: str | None, limit: int | None) -> None:
    """List the projects that you may see."""
    found = list(app.client.projects.list(owner=owner, limit=limit))
    heads = ("project", "role", "visibility", "changed", "description")
    rows = [
        (
            one.full_name,
            one.view.role,
            one.view.visibility,
            output.ago(one.view.updated_at),
            one.view.description,
        )
        for one in found
    ]
    app.show([one.view for one in found], lambda: output.print_table(heads, rows))


@projects.command("show")
@click.argument("project", required=False)
@pass_app
def show(app: App, project: str | None) -> None:
    """Show a project (the current one if none is named)."""
    found = current.project(app, project)
    app.show(found.view, lambda: output.print_fields(_pairs(found)))


@projects.command("delete")
@click.argument("project")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def delete(app: App, project: str, yes: bool) -> None:
    """Delete a project with its repository, jobs, logs and outputs."""
    found = current.project(app, project)
    if not yes:
        if app.json:
            raise BadRequest("to delete with --json, say --yes")
        question = f"Delete {clean(found.full_name)} with everything in it?"
        click.confirm(question, abort=True, err=True)
    found.delete()
    app.show({"deleted": found.id}, lambda: output.note(f"Deleted {found.full_name}."))


def _pairs(project: Project) -> list[tuple[str, object]]:
    view = project.view
    return [
        ("project", project.full_name),
        ("id", view.id),
        ("description", view.description),
        ("visibility", view.visibility),
        ("your role", view.role),
        ("default branch", view.default_branch),
        ("default tier", view.default_tier),
        ("default environment", view.default_environment_id),
        ("clone from", view.clone_url),
        ("created", output.local(view.created_at)),
    ]


@projects.group("members", cls=Group)
def members() -> None:
    """Who is in a project, and as what."""


@members.command("list")
@click.argument("project", required=False)
@pass_app
def list_members(app: App, project: str | None) -> None:
    """List the members of a project."""
    found = list(current.project(app, project).members.list())
    rows = [(one.person.name, one.role, output.ago(one.added_at)) for one in found]
    app.show(found, lambda: output.print_table(("name", "role", "since"), rows))


@members.command("add")
@click.argument("project")
@click.argument("person")
@click.option("--role", type=ROLES, default="contributor", show_default=True, help="As what.")
@pass_app
def add(app: App, project: str, person: str, role: str) -> None:
    """Take somebody into a project."""
    made = current.project(app, project).members.add(person, role)
    app.show(made, lambda: output.note(f"{made.person.name} is now {made.role}."))


@members.command("remove")
@click.argument("project")
@click.argument("person")
@pass_app
def remove(app: App, project: str, person: str) -> None:
    """Take somebody out of a project."""
    current.project(app, project).members.remove(person)
    app.show({"removed": person}, lambda: output.note(f"{person} is no longer a member."))

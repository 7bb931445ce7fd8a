"""What is meant when nothing is said: the project of this folder or run, the newest job."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from smalti.errors import BadRequest, NotFound
from smalti.names import JobName, ProjectName, job_name, project_name

if TYPE_CHECKING:
    from smalti.cli.app import App
    from smalti.job import Job
    from smalti.project import Project

GIT_SECONDS = 5


def project_here(app: App) -> ProjectName | None:
    """Find the current project: the run's own, or the one this folder was cloned from."""
    if named := os.environ.get("SMALTI_PROJECT_ID") or os.environ.get("SMALTI_PROJECT"):
        return project_name(named)
    for url in _remotes():
        found = app.client.target.address.project_of(url)
        if found is not None:
            return ProjectName(found[1], found[0])
    return None


def project(app: App, text: str | None) -> Project:
    """Return a project that was named, or the current one for `.` or nothing."""
    if text is not None and text != ".":
        return app.client.projects.get(text)
    here = project_here(app)
    if here is None:
        raise BadRequest("this folder is no clone of a project: name the project")
    return app.client.projects.get(here)


def workspace_of(project_id: str) -> str | None:
    """Give the id of the workspace that this program runs in, if it is of a project."""
    if os.environ.get("SMALTI_PROJECT_ID") != project_id:
        return None
    return os.environ.get("SMALTI_WORKSPACE_ID") or None


def job(app: App, text: str | None) -> Job:
    """Return a job that was named, or the caller's newest one if none was."""
    from smalti.jobs import JobFilter

    if text is None:
        here = project_here(app)
        which = JobFilter(app.client.projects.get(here) if here else None, owner="me")
        for newest in app.client.jobs.list(which, limit=1):
            return newest
        raise NotFound("you have no jobs yet", code="not_found")
    name = job_name(text)
    if name.id is None and name.project is None:
        here = project_here(app)
        if here is None:
            raise BadRequest(f"job {name} of which project? Write PROJECT#NUMBER")
        name = JobName(name.number, here)
    return app.client.jobs.get(name)


def _remotes() -> list[str]:
    command = ["git", "config", "--get-regexp", r"^remote\..*\.url$"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    return [url for name, _, url in sorted(lines, key=lambda one: one[0] != "remote.origin.url")]

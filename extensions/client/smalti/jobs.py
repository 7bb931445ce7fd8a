"""Jobs: started, found by name or number, listed, compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from smalti import decode, pages
from smalti.errors import BadRequest, NotFound
from smalti.job import Job
from smalti.names import JobName, is_id, job_name, project_name
from smalti.project import Project
from smalti.transport import Call, Transport
from smalti.views import Comparison

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from smalti.projects import Projects
    from smalti.snapshots import Snapshots


class JobOptions(TypedDict, total=False):
    """How a job runs; what is left out, the project or the platform decides.

    `file` (.py, .ipynb, .sh, .R) with its `args` instead of a command; `ref` is a branch, tag
    or commit; or else `workspace` (its name or id) for that workspace's files as they are now,
    or as they were in its `snapshot`; `tier` and `environment` are names (an environment's id
    too), `revision` one of the environment's; `env` its variables; `timeout` in seconds;
    `retries` 0 to 10. Two starts with one `idempotency_key` are one job.
    """

    file: str | None
    args: Sequence[str]
    ref: str | None
    workspace: str | None
    snapshot: int | None
    tier: str | None
    environment: str | None
    revision: int | None
    env: dict[str, str]
    title: str | None
    tags: Sequence[str]
    timeout: float | None
    retries: int | None
    idempotency_key: str | None


@dataclass(frozen=True)
class JobFilter:
    """Which jobs: of a project, with a status, an owner (name or id, or "me"), a tag."""

    project: str | Project | None = None
    status: str | None = None
    owner: str | None = None
    tag: str | None = None


class Jobs:
    """The jobs that the caller may see. `client.jobs["admin/wine#12"]`."""

    def __init__(self, transport: Transport, projects: Projects, snapshots: Snapshots) -> None:
        self._transport = transport
        self._projects = projects
        self._snapshots = snapshots

    def start(
        self,
        project: str | Project,
        command: str | Sequence[str] | None = None,
        **options: Unpack[JobOptions],
    ) -> Job:
        """Start a job: a program with its arguments as a list, a line for the shell as a text,
        or `file=`. Returns at once; the job is then Queued."""
        where = self._project(project)
        key = options.get("idempotency_key")
        headers = {"Idempotency-Key": key} if key is not None else {}
        body = {"project_id": where.id, **self._body(command, options)}
        url = self._transport.address.api("jobs")
        return self._job(self._transport.json(Call("POST", url, json=body, headers=headers)))

    def get(self, name: str | JobName) -> Job:
        """Return a job by id, `project#12` or `owner/project#12`; raise NotFound."""
        wanted = job_name(name) if isinstance(name, str) else name
        if wanted.id is not None:
            url = self._transport.address.api("jobs", wanted.id)
            return self._job(self._transport.json(Call("GET", url)))
        if wanted.project is None:
            raise BadRequest(f"job {wanted} of which project? Write PROJECT#NUMBER")
        project = self._projects.get(wanted.project)
        url = self._transport.address.api("jobs")
        query = {"project_id": project.id, "number": str(wanted.number)}
        for job in self._transport.json(Call("GET", url, query=query))["items"]:
            return self._job(job)
        raise NotFound(f"there is no job {wanted}", code="not_found")

    def list(self, which: JobFilter = JobFilter(), *, limit: int | None = None) -> Iterator[Job]:
        """Yield jobs, the newest first."""
        query = {"status": which.status, "tag": which.tag}
        if which.owner is not None:
            query["owner"] = self._person_id(which.owner)
        if which.project is not None:
            query["project_id"] = self._project(which.project).id
        url = self._transport.address.api("jobs")
        return pages.iterate(self._transport, url, self._job, query, limit)

    def compare(self, left: str | Job, right: str | Job) -> Comparison:
        """Set two jobs side by side: settings, code, metrics, outputs."""
        sides = [one if isinstance(one, Job) else self.get(one) for one in (left, right)]
        url = self._transport.address.api("jobs", "compare")
        query = {"left": sides[0].id, "right": sides[1].id}
        return decode.read(Comparison, self._transport.json(Call("GET", url, query)))

    def __getitem__(self, name: str) -> Job:
        return self.get(name)

    def __iter__(self) -> Iterator[Job]:
        return self.list()

    def _project(self, project: str | Project) -> Project:
        return (
            project if isinstance(project, Project) else self._projects.get(project_name(project))
        )

    def _body(self, command: str | Sequence[str] | None, options: JobOptions) -> dict[str, Any]:
        body: dict[str, Any] = dict(options)
        body.pop("idempotency_key", None)
        if (command is None) == (body.get("file") is None):
            raise BadRequest("a job needs either a command or a file")
        environment = body.pop("environment", None)
        if environment is not None:
            body["environment_id"] = self._environment_id(environment)
        workspace = body.pop("workspace", None)
        if workspace is not None:
            body["workspace_id"] = self._snapshots.workspace_id(workspace)
        if command is not None:
            body["command"] = command if isinstance(command, str) else [*command]
        for name in ("args", "tags"):
            if name in body:
                body[name] = [*body[name]]
        return {key: value for key, value in body.items() if value is not None}

    def _environment_id(self, environment: str) -> str:
        from smalti.catalog import Catalog
        from smalti.views import Environment

        return Catalog(self._transport, "environments", Environment).get(environment).id

    def _person_id(self, name: str) -> str:
        if is_id(name):
            return name
        if name == "me":
            me = self._transport.json(Call("GET", self._transport.address.api("me")))
            return str((me.get("person") or me)["id"])  # a run's jobs are its person's
        url = self._transport.address.api("people")
        for person in pages.iterate(self._transport, url, dict, {"name": name}, 1):
            return str(person["id"])
        raise NotFound(f"there is no person {name!r}", code="not_found")

    def _job(self, value: Any) -> Job:
        return Job.read(self._transport, value)

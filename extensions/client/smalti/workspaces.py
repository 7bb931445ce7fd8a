"""Workspaces: made, found by name, listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalti import pages
from smalti.errors import NotFound
from smalti.names import is_id, project_name
from smalti.transport import Call, Transport
from smalti.workspace import Workspace

if TYPE_CHECKING:
    from smalti.project import Project
    from smalti.projects import Projects


class Workspaces:
    """The workspaces that the caller may see. `client.workspaces["wine"]` is the caller's own."""

    def __init__(self, transport: Transport, projects: Projects) -> None:
        self._transport = transport
        self._projects = projects

    def create(self, project: str | Project, **options: Any) -> Workspace:
        """Make a workspace; it is not started yet.

        Options: `name` (else derived from the project's), `title`, `tool`, `environment` (name
        or id), `revision`, `tier`, `branch`.
        """
        body = {key: one for key, one in options.items() if one is not None}
        environment = body.pop("environment", None)
        if environment is not None:
            body["environment_id"] = self._environment_id(environment)
        body["project_id"] = self._project_id(project)
        url = self._transport.address.api("workspaces")
        return self._read(self._transport.json(Call("POST", url, json=body)))

    def get(self, name: str, *, deleted: bool = False) -> Workspace:
        """Return the caller's workspace of a name, or any by its id; raise NotFound."""
        if is_id(name):
            url = self._transport.address.api("workspaces", name.lower())
            return self._read(self._transport.json(Call("GET", url)))
        for found in self.list(name=name, person="me", deleted=deleted, limit=1):
            return found
        raise NotFound(f"you have no workspace {name!r}", code="not_found")

    def list(
        self,
        *,
        project: str | Project | None = None,
        person: str | None = None,
        status: str | None = None,
        name: str | None = None,
        deleted: bool = False,
        limit: int | None = None,
    ) -> Iterator[Workspace]:
        """Yield workspaces, the newest first; `person` is an id, or "me"."""
        query: dict[str, Any] = {"status": status, "name": name}
        if deleted:
            query["deleted"] = "true"
        if person is not None:
            query["person"] = self._my_id() if person == "me" else person
        if project is not None:
            query["project_id"] = self._project_id(project)
        url = self._transport.address.api("workspaces")
        return pages.iterate(self._transport, url, self._read, query, limit)

    def __getitem__(self, name: str) -> Workspace:
        return self.get(name)

    def __iter__(self) -> Iterator[Workspace]:
        return self.list()

    def _project_id(self, project: str | Project) -> str:
        if isinstance(project, str):
            return self._projects.get(project_name(project)).id
        return project.id

    def _environment_id(self, environment: str) -> str:
        from smalti.catalog import Catalog
        from smalti.views import Environment

        return Catalog(self._transport, "environments", Environment).get(environment).id

    def _my_id(self) -> str:
        me = self._transport.json(Call("GET", self._transport.address.api("me")))
        return str((me.get("person") or me)["id"])  # a run's workspaces are its person's

    def _read(self, value: Any) -> Workspace:
        return Workspace.read(self._transport, value)

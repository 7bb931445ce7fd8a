"""Projects: found by name, made, listed."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

from smalti import pages
from smalti.errors import BadRequest, NotFound
from smalti.names import ProjectName, project_name
from smalti.project import Project
from smalti.transport import Call, Transport


class Projects:
    """The projects that the caller may see. `client.projects["admin/wine"]`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._me: str | None = None

    def list(
        self, *, owner: str | None = None, name: str | None = None, limit: int | None = None
    ) -> Iterator[Project]:
        """Yield projects; `owner` and `name` are exact."""
        url, query = self._transport.address.api("projects"), {"owner": owner, "name": name}
        return pages.iterate(self._transport, url, self._project, query, limit)

    def create(self, name: str, **options: Any) -> Project:
        """Make a project.

        Options: `description`, `visibility` ("private" or "internal"), and one of `example`
        (its name) or `import_url` (a git repository to begin with).
        """
        body = {"name": name, **{key: one for key, one in options.items() if one is not None}}
        url = self._transport.address.api("projects")
        return self._project(self._transport.json(Call("POST", url, json=body)))

    def get(self, name: str | ProjectName) -> Project:
        """Return a project by `name`, `owner/name` or id.

        A bare name means the caller's own project where there is one, else the only one of
        that name. Raises NotFound, or BadRequest when several are meant.
        """
        wanted = project_name(name) if isinstance(name, str) else name
        if wanted.id is not None:
            url = self._transport.address.api("projects", wanted.id)
            return self._project(self._transport.json(Call("GET", url)))
        found = builtins.list(self.list(owner=wanted.owner, name=wanted.name, limit=50))
        found = [one for one in found if one.view.name.lower() == wanted.name.lower()] or found
        if len(found) > 1:
            found = [one for one in found if one.view.owner.name == self._own_name()] or found
        if not found:
            raise NotFound(f"there is no project {wanted}", code="not_found")
        if len(found) > 1:
            names = ", ".join(sorted(one.full_name for one in found)[:10])
            raise BadRequest(f"{wanted} may mean {names}; write OWNER/NAME", code="ambiguous")
        return found[0]

    def delete(self, name: str) -> None:
        """Delete a project with everything in it."""
        self.get(name).delete()

    def __getitem__(self, name: str) -> Project:
        return self.get(name)

    def __iter__(self) -> Iterator[Project]:
        return self.list()

    def _own_name(self) -> str:
        if self._me is None:
            url = self._transport.address.api("me")
            self._me = str(self._transport.json(Call("GET", url)).get("name", ""))
        return self._me

    def _project(self, value: Any) -> Project:
        return Project.read(self._transport, value)

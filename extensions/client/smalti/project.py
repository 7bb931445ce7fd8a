"""One project: its settings, members, branches and commits."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

from smalti import decode, pages
from smalti.files import Files
from smalti.models import Experiments, Models
from smalti.transport import Call, Transport
from smalti.views import Branch, Commit, Member, ProjectView


class Project:
    """A project as it was when the platform was last asked, in `view`."""

    def __init__(self, transport: Transport, view: ProjectView) -> None:
        self._transport = transport
        self.view = view
        self.files = Files(transport, view.id)
        self.members = Members(transport, view.id)
        self.models = Models(transport, view.id)
        self.experiments = Experiments(transport, view.id)

    @classmethod
    def read(cls, transport: Transport, value: Any) -> Project:
        """Make a project of the API's answer."""
        return cls(transport, decode.read(ProjectView, value))

    def __repr__(self) -> str:
        return f"Project({self.full_name!r})"

    @property
    def id(self) -> str:
        """The project's id."""
        return self.view.id

    @property
    def name(self) -> str:
        """The project's name, without its owner."""
        return self.view.name

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.view.owner.name}/{self.view.name}"

    @property
    def clone_url(self) -> str:
        """Where git finds it; the password is a token."""
        return self.view.clone_url

    def refresh(self) -> Project:
        """Ask again how the project is; return itself."""
        self.view = decode.read(ProjectView, self._transport.json(Call("GET", self._url())))
        return self

    def update(self, **changes: Any) -> Project:
        """Change settings: `name`, `description`, `visibility`, `default_tier` and others."""
        call = Call("PATCH", self._url(), json=changes)
        self.view = decode.read(ProjectView, self._transport.json(call))
        return self

    def delete(self) -> None:
        """Delete the project with everything in it."""
        self._transport.send(Call("DELETE", self._url()))

    def branches(self) -> builtins.list[Branch]:
        """List the branches."""
        return builtins.list(self._list("branches", Branch))

    def tags(self) -> builtins.list[Branch]:
        """List the tags."""
        return builtins.list(self._list("tags", Branch))

    def commits(
        self, *, ref: str | None = None, path: str | None = None, limit: int | None = None
    ) -> Iterator[Commit]:
        """Yield commits, newest first: of a branch, tag or commit, that touch a path."""
        return self._list("commits", Commit, {"ref": ref, "path": path}, limit)

    def _list(
        self,
        what: str,
        kind: type[Any],
        query: dict[str, Any] | None = None,
        limit: int | None = None,
    ) -> Iterator[Any]:
        return pages.iterate(
            self._transport,
            self._url(what),
            lambda value: decode.read(kind, value),
            query,
            limit,
        )

    def _url(self, *parts: str) -> str:
        return self._transport.address.api("projects", self.view.id, *parts)


class Members:
    """Who is in a project, and as what: owner, contributor, consumer or launcher."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def list(self, limit: int | None = None) -> Iterator[Member]:
        """Yield the members."""
        return pages.iterate(self._transport, self._url(), _member, limit=limit)

    def add(self, person: str, role: str = "contributor") -> Member:
        """Take somebody in, by name or id."""
        body = {"person": person, "role": role}
        return _member(self._transport.json(Call("POST", self._url(), json=body)))

    def set(self, person: str, role: str) -> Member:
        """Give a member another role."""
        call = Call("PUT", self._url(self._id_of(person)), json={"role": role})
        return _member(self._transport.json(call))

    def remove(self, person: str) -> None:
        """Take somebody out, by name or id."""
        self._transport.send(Call("DELETE", self._url(self._id_of(person))))

    def __iter__(self) -> Iterator[Member]:
        return self.list()

    def _id_of(self, person: str) -> str:
        for member in self.list():
            if person in {member.person.id, member.person.name}:
                return member.person.id
        return person

    def _url(self, *parts: str) -> str:
        return self._transport.address.api("projects", self._project_id, "members", *parts)


def _member(value: Any) -> Member:
    return decode.read(Member, value)

"""Secrets of the caller and of projects, and the vault that keeps them. Values only go in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smalti import decode, pages
from smalti.errors import Conflict, NotFound
from smalti.transport import Call, Transport
from smalti.views import Secret, Vault


class Secrets:
    """The caller's own secrets, or with `project_id` those of a project."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, project_id: str | None = None, limit: int | None = None) -> Iterator[Secret]:
        """Yield what is known of them, by name; their values are told to nobody."""
        query = {"project_id": project_id} if project_id else None
        return pages.iterate(self._transport, self._url(), _secret, query, limit)

    def get(self, name: str, project_id: str | None = None) -> Secret:
        """Return what is known of the one with a name; raise NotFound."""
        for one in self.list(project_id):
            if one.name == name:
                return one
        raise NotFound(f"there is no secret {name!r} here", code="not_found")

    def set(self, name: str, value: str, project_id: str | None = None) -> Secret:
        """Make a secret, or give the one that is there a new value."""
        body = {"name": name, "value": value}
        if project_id is not None:
            body["project_id"] = project_id
        try:
            return _secret(self._transport.json(Call("POST", self._url(), json=body)))
        except Conflict as error:
            there = (error.details or {}).get("id") if isinstance(error.details, dict) else None
            if there is None:
                raise
            call = Call("PUT", self._url(there), json={"value": value})
            return _secret(self._transport.json(call))

    def delete(self, name: str, project_id: str | None = None) -> None:
        """Delete the one with a name; raise NotFound."""
        found = self.get(name, project_id)
        self._transport.send(Call("DELETE", self._url(found.id)))

    def vault(self) -> Vault:
        """Tell which keys are in use and how the last rotation went; for administrators."""
        return decode.read(Vault, self._transport.json(Call("GET", self._vault())))

    def rotate(self, what: str = "master") -> None:
        """Begin to change the `master` key, or the `data` key of every value."""
        call = Call("POST", self._vault("rotations"), json={"what": what}, once=True)
        self._transport.json(call)

    def _url(self, *parts: str) -> str:
        return self._transport.address.api("secrets", *parts)

    def _vault(self, *parts: str) -> str:
        return self._transport.address.api("vault", *parts)


def _secret(value: Any) -> Secret:
    return decode.read(Secret, value)

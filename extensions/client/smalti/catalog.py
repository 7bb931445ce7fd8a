"""What the platform offers (environments, hardware tiers, planes), and the caller's tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from smalti import decode, pages
from smalti.errors import NotFound
from smalti.transport import Call, Transport
from smalti.views import Environment, HardwareTier, Plane, Token

T = TypeVar("T", bound=Environment | HardwareTier | Plane)


class Catalog(Generic[T]):
    """Something that the platform offers, by name."""

    def __init__(self, transport: Transport, path: str, kind: type[T]) -> None:
        self._transport = transport
        self._path = path
        self._kind = kind

    def list(self, limit: int | None = None) -> Iterator[T]:
        """Yield what there is."""
        url = self._transport.address.api(self._path)
        return pages.iterate(self._transport, url, self._read, limit=limit)

    def get(self, name: str) -> T:
        """Return the one with a name or id; raise NotFound."""
        for one in self.list():
            if name in {one.id, one.name}:
                return one
        raise NotFound(f"there is no {name!r} among the {self._path}", code="not_found")

    def __getitem__(self, name: str) -> T:
        return self.get(name)

    def __iter__(self) -> Iterator[T]:
        return self.list()

    def _read(self, value: Any) -> T:
        return decode.read(self._kind, value)


class Tokens:
    """The caller's tokens."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, limit: int | None = None) -> Iterator[Token]:
        """Yield them; what they are is not told again."""
        url = self._transport.address.api("tokens")
        return pages.iterate(self._transport, url, _token, limit=limit)

    def create(
        self,
        name: str,
        *,
        rights: Sequence[str] | None = None,
        project_id: str | None = None,
        expires_in_days: int | None = None,
    ) -> Token:
        """Make a token, to be kept at once: its `token` is told only now.

        Is not repeated once it may have arrived.
        """
        body: dict[str, Any] = {"name": name}
        if rights is not None:
            body["rights"] = list(rights)
        if project_id is not None:
            body["project_id"] = project_id
        if expires_in_days is not None:
            body["expires_in_days"] = expires_in_days
        url = self._transport.address.api("tokens")
        return _token(self._transport.json(Call("POST", url, json=body, once=True)))

    def revoke(self, token_id: str) -> None:
        """End a token."""
        self._transport.send(Call("DELETE", self._transport.address.api("tokens", token_id)))


def _token(value: Any) -> Token:
    return decode.read(Token, value)

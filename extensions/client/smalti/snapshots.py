"""Snapshots of workspaces: what was saved of their files, and going back to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalti import decode, pages
from smalti.names import is_id
from smalti.transport import Call, Transport
from smalti.views import Restore, Snapshot, SnapshotBranch

if TYPE_CHECKING:
    from smalti.workspaces import Workspaces


class Snapshots:
    """The snapshots of the caller's workspaces. A workspace is named by its id or its name."""

    def __init__(self, transport: Transport, workspaces: Workspaces) -> None:
        self._transport = transport
        self._workspaces = workspaces

    def list(self, workspace: str, *, limit: int | None = None) -> Iterator[Snapshot]:
        """Yield a workspace's snapshots, the newest first."""
        url = self._url(workspace, "snapshots")
        return pages.iterate(self._transport, url, _snapshot, limit=limit)

    def get(self, workspace: str, number: int) -> Snapshot:
        """Return a snapshot by its number; raise NotFound."""
        url = self._url(workspace, "snapshots", str(number))
        return _snapshot(self._transport.json(Call("GET", url)))

    def take(self, workspace: str) -> Snapshot:
        """Have a running workspace's files saved now; return once they are safe."""
        return _snapshot(self._transport.json(Call("POST", self._url(workspace, "snapshots"))))

    def restore(self, workspace: str, number: int) -> Restore:
        """Have a stopped workspace start with the files of a snapshot."""
        call = Call("POST", self._url(workspace, "restore"), json={"number": number})
        return decode.read(Restore, self._transport.json(call))

    def branch(self, workspace: str, number: int, name: str) -> SnapshotBranch:
        """Make a branch of the project at a snapshot, which its members see."""
        url = self._url(workspace, "snapshots", str(number), "branch")
        answer = self._transport.json(Call("POST", url, json={"name": name}))
        return decode.read(SnapshotBranch, answer)

    def workspace_id(self, workspace: str) -> str:
        """Return the id of a workspace of the caller's; raise NotFound."""
        return workspace if is_id(workspace) else self._workspaces.get(workspace).id

    def _url(self, workspace: str, *parts: str) -> str:
        return self._transport.address.api("workspaces", self.workspace_id(workspace), *parts)


def _snapshot(value: Any) -> Snapshot:
    return decode.read(Snapshot, value)

"""One workspace: how it is; starting, stopping, keeping, deleting it and having it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from smalti import decode, waiting
from smalti.errors import WorkspaceNotRunning
from smalti.transport import Call, Transport
from smalti.views import WorkspaceView

PATIENCE = 300.0  # seconds that waiting lasts out a platform that is away


class Workspace:
    """A workspace as it was when the platform was last asked, in `view`."""

    def __init__(self, transport: Transport, view: WorkspaceView) -> None:
        self._transport = transport
        self.view = view

    @classmethod
    def read(cls, transport: Transport, value: Any) -> Workspace:
        """Make a workspace of the API's answer."""
        return cls(transport, decode.read(WorkspaceView, value))

    def __repr__(self) -> str:
        return f"Workspace({self.name!r}, status={self.status!r})"

    @property
    def id(self) -> str:
        """The workspace's id."""
        return self.view.id

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.view.name

    @property
    def status(self) -> str:
        """Stopped, Starting, Queued, Preparing, Running, Stopping or Failed."""
        return self.view.status

    @property
    def reason(self) -> str | None:
        """Why it waits or ended so, in words."""
        return self.view.reason

    @property
    def url(self) -> str | None:
        """Where it is opened with a browser; None while it does not run."""
        return self.view.url

    def refresh(self) -> Workspace:
        """Ask again how it is; return itself."""
        return self._take(Call("GET", self._url(), patience=PATIENCE))

    def update(self, **changes: Any) -> Workspace:
        """Change `title`, `tier`, `environment_id`, `revision` or `branch` for its next start."""
        return self._take(Call("PATCH", self._url(), json=changes))

    def start(self) -> Workspace:
        """Have it started; it is Starting then. Returns itself."""
        return self._take(Call("POST", self._url("start"), json={}))

    def stop(self) -> Workspace:
        """Have it stopped; its files stay. Returns itself."""
        return self._take(Call("POST", self._url("stop"), json={}))

    def wait(
        self,
        timeout: float | None = None,
        *,
        status: str = "Running",
        changed: Callable[[WorkspaceView], None] = lambda view: None,
    ) -> Workspace:
        """Wait until it is Running (or Stopped, if that is asked for), and return itself.

        `changed` is called whenever status or reason are new. Raises WaitedTooLong after
        `timeout` seconds, and WorkspaceNotRunning when it ends in another state.
        """

        def ended(view: WorkspaceView) -> bool:
            over = view.target == "stopped" and view.status in {"Stopped", "Failed"}
            return over or view.status == status

        name = f"workspace {self.name}"
        waiting.until(
            lambda: self.refresh().view, ended, name=name, timeout=timeout, changed=changed
        )
        if self.status != status:
            why = f": {self.reason}" if self.reason else ""
            raise WorkspaceNotRunning(f"{name} is {self.status}{why}", self.view)
        return self

    def keep(self, seconds: float | None) -> Workspace:
        """Keep it from being ended for want of activity, from now for so long; None: no more."""
        until = None
        if seconds is not None:
            moment = datetime.fromtimestamp(time.time() + seconds, timezone.utc)
            until = moment.isoformat().replace("+00:00", "Z")
        return self._take(Call("POST", self._url("keep"), json={"until": until}))

    def delete(self) -> None:
        """Delete it; for some days `undelete` has it back."""
        self._transport.send(Call("DELETE", self._url()))

    def undelete(self) -> Workspace:
        """Have it back, with its files. Returns itself."""
        return self._take(Call("POST", self._url("undelete"), json={}))

    def _take(self, call: Call) -> Workspace:
        self.view = decode.read(WorkspaceView, self._transport.json(call))
        return self

    def _url(self, *parts: str) -> str:
        return self._transport.address.api("workspaces", self.view.id, *parts)

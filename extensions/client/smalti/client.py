"""The client: one server, one person (or run), and everything that can be asked for there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from smalti import decode, stream, views
from smalti.catalog import Catalog, Tokens
from smalti.jobs import Jobs
from smalti.projects import Projects
from smalti.retries import Retry
from smalti.secrets import Secrets
from smalti.settings import Target, Wish, resolve
from smalti.snapshots import Snapshots
from smalti.transport import Call, Transport
from smalti.workspaces import Workspaces

RUN_PATIENCE = 120.0


def connect(
    url: str | None = None,
    token: str | None = None,
    *,
    profile: str | None = None,
    retry: Retry | None = None,
) -> Client:
    """Return a client, ready to use; nothing is sent until it is.

    Without arguments: inside a run, the run's own platform and token (SMALTI_API_URL,
    SMALTI_TOKEN); elsewhere the login that `smalti login` made. Raises ConfigurationError.
    """
    return Client(resolve(Wish(url, token, profile)), retry)


class Client:
    """A connection to one platform. May be used from several threads; close it when done."""

    def __init__(self, target: Target, retry: Retry | None = None) -> None:
        if retry is None and "SMALTI_RUN_ID" in os.environ:
            # Nobody watches a run: it had better wait out a restart than fail by it.
            retry = Retry(patience=RUN_PATIENCE, unreached=RUN_PATIENCE)
        self.target = target
        self.transport = Transport(target.address, target.token, retry)
        self.projects = Projects(self.transport)
        self.workspaces = Workspaces(self.transport, self.projects)
        self.snapshots = Snapshots(self.transport, self.workspaces)
        self.jobs = Jobs(self.transport, self.projects, self.snapshots)
        self.secrets = Secrets(self.transport)
        self.tokens = Tokens(self.transport)
        self.environments = Catalog(self.transport, "environments", views.Environment)
        self.tiers = Catalog(self.transport, "hardware-tiers", views.HardwareTier)
        self.planes = Catalog(self.transport, "planes", views.Plane)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return self.target.address.root

    def close(self) -> None:
        """Close the connections that are kept open."""
        self.transport.close()

    def me(self) -> views.Me:
        """Tell who the token speaks for."""
        return decode.read(views.Me, self._get("me"))

    def health(self) -> views.Health:
        """Tell how the platform is; needs no token."""
        call = Call("GET", self.target.address.health, anonymous=True, accept=frozenset({503}))
        return decode.read(views.Health, self.transport.json(call))

    def events(
        self, topics: Sequence[str] = ("jobs",), *, after: str | None = None
    ) -> Iterator[views.Event]:
        """Yield what happens, for ever, from now or from after the event with a given id.

        Comes back by itself after cuts and restarts, without repetition. Where the platform
        no longer keeps what was missed meanwhile, an event of kind `reset` says so: then what
        was known has to be asked for anew.
        """
        url, query = self.target.address.api("events"), {"topics": ",".join(topics)}
        for event in stream.follow(self.transport, url, query, after):
            if event.name != "ready":  # it only names the position to come back to
                yield views.Event(event.id, event.name, stream.data_of(event))

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Call the API where this client has no method yet: `request("GET", "/schedules")`.

        Takes `query`, `json` and `headers`; returns the decoded answer. With all of the
        client's care: retries, keys, errors.
        """
        return self.transport.json(Call(method, self.target.address.api() + path, **more))

    def _get(self, *parts: str) -> Any:
        return self.transport.json(Call("GET", self.target.address.api(*parts)))

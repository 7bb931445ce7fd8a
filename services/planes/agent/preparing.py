"""Getting a run ready: its folders, its checkout, its environment, its command line.

Owns `runs/<run>/` and `outputs/<run>/` in the agent's home; what only sessions have is in
`volumes` and `sessions`. Called by the work on each workload.
Preparing twice is harmless: whatever an earlier try left is thrown away first. Must never start
the run.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from services.planes.agent.client import Client
from services.planes.agent.git import Unreachable
from services.planes.agent.pace import Backoff
from services.planes.agent.programs import (
    NOTEBOOK_RUNNER,
    CannotPrepare,
    command_line,
    find_environment,
    needs_notebook_runner,
    variables,
)
from services.planes.agent.rules import is_name, size_text
from services.planes.agent.secrets import with_secrets
from services.planes.agent.sessions import SESSION_VARIABLES, START, Sessions, run_origin
from services.planes.agent.settings import Settings
from services.planes.agent.trash import Trash
from services.planes.agent.trees import Trees
from services.planes.agent.volumes import Volumes
from services.planes.protocol import LimitsOrder, RunOrder
from spawners.runtime import Limits, RunKey, RunSpec

FETCH_TRIES = 4
Got = TypeVar("Got")


@dataclass(frozen=True)
class Places:
    """The folders of one run: where the program runs, and where it leaves what is kept.

    They lie side by side and not in a folder of their own: a folder costs each run.
    """

    checkout: Path
    outputs: Path


class Preparing:
    """Prepares runs. `connected` says whether the control plane can be reached now."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        trees: Trees,
        trash: Trash,
        connected: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._client = client
        self._trees = trees
        self._trash = trash
        self._connected = connected
        self._floor = settings.floor()
        self._runs = settings.home / "runs"
        self._outputs = settings.home / "outputs"
        self._runs.mkdir(parents=True, exist_ok=True)
        self._outputs.mkdir(parents=True, exist_ok=True)
        tools = settings.environments / ".tools" / "1"
        self.sessions = Sessions(settings.home / "sessions", tools, trash)
        self.volumes = Volumes(settings.home / "volumes", trash, settings.git_patience)

    def places(self, key: RunKey) -> Places:
        """Where the folders of a run are. ValueError for a key that is none."""
        if not is_name(key.workload_id):
            raise ValueError(f"not a workload id: {key.workload_id!r}")
        return Places(self._runs / str(key), self._outputs / str(key))

    def what(self, order: RunOrder) -> str | None:
        """Say what a run will wait for while it is prepared, None when for nothing."""
        if order.session is not None:
            there = self.volumes.exists(order.session.volume)
            return None if there else "making the workspace's folder"
        return None if self._trees.ready(order) else "fetching the project's code"

    async def prepare(
        self, key: RunKey, order: RunOrder, secrets: Mapping[str, str] | None = None
    ) -> RunSpec:
        """Make everything ready for a run, with its secret variables. CannotPrepare, OSError."""
        if order.session is not None:
            spec = await self._prepare_session(key, order)
            return with_secrets(spec, secrets or {}, SESSION_VARIABLES)
        return with_secrets(await self._prepare_job(key, order), secrets or {})

    async def _prepare_job(self, key: RunKey, order: RunOrder) -> RunSpec:
        self._check_disk()
        environment = find_environment(self._settings.environments, order.environment)
        places = self.places(key)
        self.clear(key)
        os.mkdir(places.outputs)
        try:
            await self._reach(
                lambda: self._trees.checkout(order, self._url(order), places.checkout)
            )
            argv = command_line(order, places.checkout, environment)
        except BaseException:
            self.clear(key)
            raise
        readable = [self._trees.objects(order.project_id)]
        if needs_notebook_runner(order):
            readable.append(NOTEBOOK_RUNNER)
        api = self._client.at.run_api
        return RunSpec(
            key=key,
            argv=argv,
            env=variables(order, key, api, environment, places.outputs),
            workdir=places.checkout,
            outputs=places.outputs,
            environment=environment,
            person_id=order.person_id,
            limits=limits_of(order.limits),
            timeout=order.timeout,
            grace=order.grace,
            readable=tuple(readable),
        )

    async def _prepare_session(self, key: RunKey, order: RunOrder) -> RunSpec:
        self._check_disk()
        environment = find_environment(self._settings.environments, order.environment)
        places, sessions = self.places(key), self.sessions
        self.clear(key)
        os.mkdir(places.outputs)
        origin = run_origin(self._client.at.run_api)
        try:
            tools = sessions.tools(order)
            shown = origin + order.repository
            volume = await self._reach(lambda: self.volumes.ensure(order, self._url(order), shown))
            folder = sessions.make(key, order, environment, origin)
        except BaseException:
            self.clear(key)
            raise
        env = variables(order, key, self._client.at.run_api, environment, places.outputs)
        return RunSpec(
            key=key,
            argv=sessions.command_line(key, order, volume, origin),
            env=env | sessions.variables(key, order, environment),
            workdir=volume.project,
            outputs=places.outputs,
            environment=environment,
            person_id=order.person_id,
            limits=limits_of(order.limits),
            timeout=order.timeout,
            grace=order.grace,
            readable=(tools, folder, START),
            writable=(folder / "live",),
            home=volume.home,
            endures=True,
        )

    def shown(self, key: RunKey, order: RunOrder | None) -> dict[str, object]:
        """What there is to report of a session that runs; nothing of other runs."""
        if order is None or order.session is None:
            return {}
        volume = self.volumes.place(order.session.volume)
        address, activity = self.sessions.address(key, volume), self.sessions.activity(key)
        return {"address": address, "activity": activity}

    def clear(self, key: RunKey) -> None:
        """Throw away a run's folders, if there are any."""
        places = self.places(key)
        self._trash.throw(places.checkout)
        self._trash.throw(places.outputs)
        self.sessions.clear(key)

    async def _reach(self, act: Callable[[], Awaitable[Got]]) -> Got:
        """Do what needs the project's repository; while the control plane is away, wait for it."""
        backoff = Backoff(0.3, 5.0)
        tries = 0
        while True:
            try:
                return await act()
            except Unreachable as error:
                tries += self._connected()
                if tries >= FETCH_TRIES:
                    text = f"the project's repository cannot be reached: {error}"
                    raise CannotPrepare(text, retryable=True) from error
                await backoff.wait()

    def _url(self, order: RunOrder) -> str:
        path = order.repository
        if not path.startswith("/") or path.startswith("//") or not path.isprintable():
            raise CannotPrepare("the order names no repository")
        return self._client.at.origin + path

    def _check_disk(self) -> None:
        status = os.statvfs(self._runs)
        free = status.f_bavail * status.f_frsize
        if free < self._floor:
            raise CannotPrepare(
                f"the disk of this plane is nearly full: {size_text(free)} free, "
                f"{size_text(self._floor)} must stay free",
                retryable=True,
            )


def limits_of(order: LimitsOrder) -> Limits:
    """Put what a run may use into the words of runtimes."""
    return Limits(order.cpu, order.memory, order.processes, order.disk, order.log)

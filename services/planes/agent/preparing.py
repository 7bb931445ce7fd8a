"""Getting a run ready: its folders, its checkout, its environment, its command line.

Owns `runs/<run>/` and `outputs/<run>/` in the agent's home. Called by the work on each workload.
Preparing twice is harmless: whatever an earlier try left is thrown away first. Must never start
the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
from services.planes.agent.settings import Settings
from services.planes.agent.trash import Trash
from services.planes.agent.trees import Trees
from services.planes.protocol import LimitsOrder, RunOrder
from spawners.runtime import Limits, RunKey, RunSpec

FETCH_TRIES = 4


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

    def places(self, key: RunKey) -> Places:
        """Where the folders of a run are. ValueError for a key that is none."""
        if not is_name(key.workload_id):
            raise ValueError(f"not a workload id: {key.workload_id!r}")
        return Places(self._runs / str(key), self._outputs / str(key))

    def what(self, order: RunOrder) -> str | None:
        """Say what a run will wait for while it is prepared, None when for nothing."""
        return None if self._trees.ready(order) else "fetching the project's code"

    async def prepare(self, key: RunKey, order: RunOrder) -> RunSpec:
        """Make everything ready for a run. CannotPrepare, OSError."""
        self._check_disk()
        environment = find_environment(self._settings.environments, order.environment)
        places = self.places(key)
        self.clear(key)
        os.mkdir(places.outputs)
        try:
            await self._checkout(order, places.checkout)
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
            limits=_limits(order.limits),
            timeout=order.timeout,
            grace=order.grace,
            readable=tuple(readable),
        )

    def clear(self, key: RunKey) -> None:
        """Throw away a run's folders, if there are any."""
        places = self.places(key)
        self._trash.throw(places.checkout)
        self._trash.throw(places.outputs)

    async def _checkout(self, order: RunOrder, target: Path) -> None:
        """Check the commit out; while the control plane is away, wait for it."""
        backoff = Backoff(0.3, 5.0)
        tries = 0
        while True:
            try:
                await self._trees.checkout(order, self._url(order), target)
            except Unreachable as error:
                tries += self._connected()
                if tries >= FETCH_TRIES:
                    text = f"the project's repository cannot be reached: {error}"
                    raise CannotPrepare(text, retryable=True) from error
                await backoff.wait()
            else:
                return

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


def _limits(order: LimitsOrder) -> Limits:
    return Limits(order.cpu, order.memory, order.processes, order.disk, order.log)

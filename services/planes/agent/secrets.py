"""Secret variables of the runs here: asked for, held in memory, never written anywhere.

Called by the work on each workload when it prepares a run, and by the shipping of its log, which
needs them after a restart too. Must never put a value into a file, a report or the agent's log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from services.planes.agent.client import Away, Client
from services.planes.agent.masking import Mask
from services.planes.agent.pace import Backoff
from services.planes.protocol import RunOrder
from spawners.runtime import RunKey, RunSpec

_PLAIN = "JUPYTERHUB_"  # of these only what is named a token is a secret
_TOKEN = "TOKEN"  # noqa: S105 - a part of a name


class Secrets:
    """The secret variables of all runs here, by run."""

    def __init__(self, client: Client, first: float, longest: float) -> None:
        self._client = client
        self._pause = (first, longest)
        self._known: dict[RunKey, dict[str, str]] = {}
        self._masks: dict[RunKey, Mask] = {}

    async def wait(
        self, key: RunKey, order: RunOrder, tell: Callable[[str], None]
    ) -> dict[str, str]:
        """Get a run's variables; while they cannot be had, tell why and ask again.

        Raises `client.Gone` when the control plane does not know the run, `client.Rejected`.
        """
        backoff = Backoff(*self._pause)
        while True:
            try:
                return await self._of(key, order)
            except Away as error:
                tell(f"waiting for its secrets: {error}")
                await backoff.wait()

    async def mask(self, key: RunKey, order: RunOrder | None) -> Mask:
        """Get what hides a run's secrets in its log. Raises `client.Away`, `client.Gone`."""
        found = self._masks.get(key)
        if found is None:
            values = _hidden(await self._of(key, order))
            found = Mask([*values, order.token] if order is not None else values)
            self._masks[key] = found
        return found

    def hide(self, key: RunKey, text: str | None) -> str | None:
        """Hide a run's secrets in a text about it, as far as they are known."""
        found = self._masks.get(key)
        return text if found is None else found.text(text)

    def forget(self, key: RunKey) -> None:
        """Let go of what is known of a run."""
        self._known.pop(key, None)
        self._masks.pop(key, None)

    async def _of(self, key: RunKey, order: RunOrder | None) -> dict[str, str]:
        if order is not None and not order.secrets:
            return {}
        if key not in self._known:
            self._known[key] = await self._client.secrets(key)
        return self._known[key]


def with_secrets(
    spec: RunSpec, variables: Mapping[str, str], ours: frozenset[str] = frozenset()
) -> RunSpec:
    """Put secret variables into what is to be started; never over the platform's own. Pure.

    The platform's own are SMALTI_* and those named by `ours`.
    """
    if not variables:
        return spec
    given = {
        name: value
        for name, value in variables.items()
        if not name.startswith("SMALTI_") and name not in ours
    }
    return replace(spec, env={**spec.env, **given})


def _hidden(variables: dict[str, str]) -> list[str]:
    return [
        value for name, value in variables.items() if not name.startswith(_PLAIN) or _TOKEN in name
    ]

"""The agent and the platform as processes that can be killed, for tests and the benchmark.

`python -m tests.sessions.snapshots.processes HOME PORT ACTOR` is the platform of a house.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from services.core.actor import Actor
from services.core.auth.resolver import Resolver
from services.core.database import Database
from services.core.rights import PlatformRole, Principal
from services.core.settings import Settings
from services.platform.wiring import wire
from tests.house import House, KnownTokens

REPOSITORY = Path(__file__).parents[3]


class Killable:
    """A process of ours."""

    def __init__(self, log: Path, environment: dict[str, str], *arguments: str) -> None:
        self._log, self._arguments = log, arguments
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SMALTI_")}
        self._environment = {**kept, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments],
                cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill it with -9, if it runs."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    @property
    def pid(self) -> int:
        """Its pid."""
        assert self.process is not None
        return self.process.pid


def agent_process(house: House, home: Path, port: int) -> Killable:
    """Give an agent of a house whose platform listens on a port."""
    (house.home / "run" / "ports.json").write_text(
        json.dumps({"platform": port, "frontdoor": 1, "hub": 2})
    )
    environment = {"SMALTI_HOME": str(house.home), "SMALTI_AGENT_HOME": str(home)}
    return Killable(home.parent / "agent.log", environment, "services.planes.agent")


def platform_process(house: House, port: int, token: str) -> Killable:
    """Give a house's platform as a process; a house that is open must be closed before."""
    actor = asdict(house.tokens.actors[token])
    actor["roles"] = sorted(actor["roles"])
    told = json.dumps({"token": token, **actor})
    name = "tests.sessions.snapshots.processes"
    return Killable(house.home.parent / "platform.log", {}, name, str(house.home), str(port), told)


async def _serve(home: str, port: int, told: dict[str, object]) -> None:
    settings = Settings(home=home)
    platform = wire(settings, Database(settings.database))
    tokens = KnownTokens()
    token = str(told["token"])
    roles = frozenset(PlatformRole(role) for role in told["roles"])  # type: ignore[attr-defined]
    person = str(told["person_id"])
    tokens.actors[token] = Actor(
        Principal.PERSON, person, str(told["name"]), person_id=person, roles=roles, credential=token
    )
    platform.context.get(Resolver)._sources.insert(0, tokens)  # type: ignore[arg-type]
    platform.serve(port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])))

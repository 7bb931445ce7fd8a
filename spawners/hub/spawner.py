"""SmaltiSpawner: the hub's named servers as sessions of the platform.

Thin on purpose: queue, limits, sandbox, idle end and reasons are the engine's. What JupyterHub
asks of a spawner is asked on to the platform. Crash points, each of which ends in the same:

    hub killed in `start`       the server is in the hub's database, so the next hub polls it:
                                the platform knows by its name what was started for it
    platform killed in `start`  every call is repeated under the same key until it is back
    platform away at a poll     a server that ran is taken to run on
    session's address changed   (its agent lost it and runs it anew) the next poll leads the front
                                door to the new one

Must never log the environment of a session: it holds the server's tokens.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.spawner import Spawner, SpawnException
from traitlets import Unicode

from spawners.hub import options as choosing
from spawners.hub.platform import WAIT, Away, Platform, Refused, Server, Standing, patiently

AGAIN = 1.0  # seconds between two questions for a start whose former run is still ending
STOP_PATIENCE = 90.0
NO_SERVER = "-"  # no workspace has this name
UNNAMED = "give it a name: every workspace is a named server"
AWAY = "waiting: the platform is away"
PRIVATE = "JUPYTERHUB_"
# What remains of the way when a state is reached: for the hub's progress bar.
PROGRESS = {"Queued": 10, "Pending": 30, "Preparing": 50, "Running": 80}

_platforms: dict[tuple[str, str], Platform] = {}


class SmaltiSpawner(Spawner):  # type: ignore[misc]
    """Starts, watches and ends one named server through the platform."""

    platform_url = Unicode(help="Where the platform answers.").tag(config=True)
    token_file = Unicode(help="File with the credential that the supervisor made.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workload_id = ""
        self.told = "asking the platform"
        self.level = 0
        self._news = asyncio.Event()

    # -- options ---------------------------------------------------------------------------

    async def get_options_form(self) -> str:
        """Make the form of the spawn page."""
        try:
            return choosing.form(await self._far.choices(self._named))
        except (Away, Refused) as error:
            self.log.warning("no choices for %s: %s", self._log_name, error)
            return '<p class="alert alert-warning">The platform is away: try again soon.</p>'

    async def check_options(self, user_options: dict[str, Any]) -> None:
        """Refuse a start that could not be, as a decision and with its reason."""
        if not self.name:
            raise SpawnException(UNNAMED, reason="no_name", status_code=400)
        await self._allowed(self._far.check(self._named, user_options))
        if "ticket" in user_options:  # of one wish: not for whoever starts it next
            kept = {key: one for key, one in user_options.items() if key != "ticket"}
            self.orm_spawner.user_options = kept
            self.user.db.commit()

    async def _allowed(self, asking: Any) -> Any:
        try:
            return await asking
        except Refused as error:
            status = error.status if error.status in (403, 404, 409) else 400
            raise SpawnException(error.message, reason=error.code, status_code=status) from None
        except Away:
            raise SpawnException(
                "the platform is away: try again soon", reason="away", status_code=503
            ) from None

    # -- life ------------------------------------------------------------------------------

    async def start(self) -> str:
        """Have the session started, and wait for its address however long the queue is."""
        body = self._start_body()
        while True:
            standing = await self._patiently(lambda: self._far.start(self._named, body))
            self._tell(standing)
            if standing.workload_id is not None:
                break
            await asyncio.sleep(AGAIN)
        self.workload_id = standing.workload_id
        self._keep_state()
        standing = await self._until_it_answers(standing)
        if standing.address is None:
            raise SpawnException(
                standing.reason or standing.status, reason=standing.status.lower(), status_code=409
            )
        return standing.address

    def _start_body(self) -> dict[str, Any]:
        everything = self.get_env()
        private = {name: str(one) for name, one in everything.items() if name.startswith(PRIVATE)}
        return {
            "options": dict(self.user_options or {}),
            "start_key": self._start_key(),
            "title": self.orm_spawner.display_name or None,
            "base_url": self.server.base_url,
            "url": self._public_address(),
            "private": private,
        }

    def _start_key(self) -> str:
        # Each start has a token of its own: what is made of it names the start.
        return hashlib.sha256(f"start {self.api_token}".encode()).hexdigest()[:32]

    def _public_address(self) -> str:
        found = str(self.user.public_url(self.name) or self.user.server_url(self.name))
        if "://" in found:
            return found
        return f"{self.hub.public_host or self.environment_origin}{found}"

    environment_origin = Unicode(help="Origin that people use, in path-only mode.").tag(config=True)

    async def _until_it_answers(self, standing: Standing) -> Standing:
        while standing.address is None and not standing.over:
            seen, run = standing.seen, self.workload_id
            standing = await self._patiently(
                lambda: self._far.look(self._named, run, seen, WAIT)  # noqa: B023
            )
            self._tell(standing)
        return standing

    async def _patiently(self, ask: Any) -> Any:
        try:
            return await patiently(ask, lambda: self._say(AWAY))
        except Refused as error:
            status = error.status if error.status in (403, 404, 409) else 400
            raise SpawnException(error.message, reason=error.code, status_code=status) from None

    async def poll(self) -> int | None:
        """Say None while it runs, or is about to; else an exit status."""
        try:
            standing = await self._far.look(self._named, self.workload_id or None)
        except Away:
            # Nothing is known, and what ran runs on; what never got so far does not.
            return None if self.workload_id or self._check_pending else 1
        except Refused as error:
            self.log.warning("%s is unknown: %s", self._log_name, error.message)
            return 1
        if standing.over:
            return 0 if standing.status == "Stopped" else 1
        if standing.workload_id and not self.workload_id:
            self.workload_id = standing.workload_id  # a start that an earlier hub began
            self._keep_state()
        await self._follow(standing.address)
        return None

    async def get_url(self) -> str:
        """Say where it answers; of one that is still starting, wait until it does."""
        if not self._start_pending:
            run = self.workload_id or None
            standing = await patiently(lambda: self._far.look(self._named, run), lambda: None)
            self.workload_id = standing.workload_id or self.workload_id
            standing = await self._until_it_answers(standing)
            await self._follow(standing.address)
        return str(self.server.url)

    async def _follow(self, address: str | None) -> None:
        """Lead the front door to a new address."""
        if address is None or self.server is None or self._start_pending:
            return
        parts = urlsplit(address)
        if (self.server.ip, self.server.port) != (parts.hostname, parts.port):
            self.log.info("%s now answers at %s", self._log_name, address)
            self.server.ip, self.server.port = parts.hostname, parts.port
            self.user.db.commit()
            if self.ready:
                await self.user.settings["proxy"].add_user(self.user, self.name)

    async def stop(self, now: bool = False) -> None:
        """Have it stopped, and wait for its end as long as that may take."""
        run = self.workload_id or None
        key = self._start_key()  # of a start whose workload was not heard of yet
        try:
            standing = await asyncio.wait_for(
                patiently(lambda: self._far.stop(self._named, run, key), lambda: None),
                STOP_PATIENCE,
            )
            async with asyncio.timeout(STOP_PATIENCE):
                while not standing.over and not now:
                    seen = standing.seen
                    standing = await patiently(
                        lambda: self._far.look(self._named, run, seen, WAIT),  # noqa: B023
                        lambda: None,
                    )
        except TimeoutError:
            self.log.warning("%s has not ended in time; the platform sees to it", self._log_name)
        except Refused as error:
            self.log.warning("%s could not be stopped: %s", self._log_name, error.message)

    # -- what people see while they wait -----------------------------------------------------

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Stream what the session says of itself, until the hub has seen it answer."""
        shown = None
        while self._spawn_pending:
            if self.told != shown:
                shown = self.told
                yield {"progress": self.level, "message": shown}
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), 5.0)
            except TimeoutError:
                continue  # the hub keeps the connection alive; look whether it still starts

    def _tell(self, standing: Standing) -> None:
        self.level = PROGRESS.get(standing.status, self.level)
        self._say(standing.sentence)

    def _say(self, text: str) -> None:
        self.told = text
        self._news.set()

    # -- state -------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Keep which workload it is, so that a new hub takes it up again."""
        state = super().get_state()
        if self.workload_id:
            state |= {"workload_id": self.workload_id, "api_token": self.api_token}
        return dict(state)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what an earlier hub has kept."""
        super().load_state(state)
        self.workload_id = str(state.get("workload_id", ""))
        self.api_token = str(state.get("api_token", ""))

    def clear_state(self) -> None:
        """Forget the workload."""
        super().clear_state()
        self.workload_id = ""

    def _keep_state(self) -> None:
        """Write the state down at once: the hub itself does so only when the start is over."""
        self.orm_spawner.state = self.get_state()
        self.user.db.commit()

    @property
    def _far(self) -> Platform:
        key = (self.platform_url, self.token_file)
        if key not in _platforms:
            _platforms[key] = Platform(*key)
        return _platforms[key]

    @property
    def _named(self) -> Server:
        created = self.user.orm_user.created.isoformat()
        return Server(self.user.name, f"{created}Z", self.name or NO_SERVER)


async def apply_user_options(spawner: SmaltiSpawner, user_options: dict[str, Any]) -> None:
    """Check what was chosen (the hub's hook of that name)."""
    await spawner.check_options(user_options or {})

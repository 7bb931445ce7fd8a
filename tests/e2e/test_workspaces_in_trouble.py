"""Workspaces in trouble, on a Smalti of their own: each says clearly what became of it.

Memory, disk, a lost environment, a deleted project; and the idle rule.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.benchmarks.platform_use import settle
from tests.e2e.lab import READY, Lab, answers, execute, tools_are_built
from tests.instance import Instance

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]  # two minutes of real sessions
IDLE, FORGOTTEN = 60.0, 90.0  # seconds; a tier's time is told in minutes
DISK = 200 << 20
CONFIG = f"""
c.Settings.session_forgotten = {FORGOTTEN}
c.Settings.session_warning = 20.0
c.Settings.run_disk_max = {DISK}
"""
BUSY = "import time\nwhile True: time.sleep(0.1)"


class Room:
    """One person's project, and workspaces of it."""

    def __init__(self, smalti: Instance) -> None:
        self.smalti = smalti
        self.client = smalti.client()
        self.project_id = self.project("wine")
        for tier, more in (("quick", {"idle_minutes": 1}), ("lean", {"memory": 700 << 20})):
            body = {"name": tier, "cpu": 0.25, "memory": 1 << 30, **more}
            self.client.post("/hardware-tiers", json=body).raise_for_status()

    def project(self, name: str) -> str:
        """Make a project with a commit."""
        made = self.client.post("/projects", json={"name": name})
        made.raise_for_status()
        path = f"/projects/{made.json()['id']}/content/main.py"
        self.client.put(path, content=b"print(1)\n").raise_for_status()
        return str(made.json()["id"])

    def start(self, name: str, tier: str, project_id: str = "") -> str:
        """Make a workspace and start it; its id."""
        body = {"project_id": project_id or self.project_id, "name": name, "tier": tier}
        made = self.client.post("/workspaces", json=body)
        made.raise_for_status()
        self.again(made.json()["id"])
        return str(made.json()["id"])

    def again(self, workspace_id: str) -> None:
        """Start a workspace."""
        self.client.post(f"/workspaces/{workspace_id}/start").raise_for_status()

    def shown(self, workspace_id: str) -> dict[str, Any]:
        """A workspace as it is."""
        found: dict[str, Any] = self.client.get(f"/workspaces/{workspace_id}").json()
        return found

    def until(
        self, workspace_id: str, what: Callable[[dict[str, Any]], bool], seconds: float = READY
    ) -> dict[str, Any]:
        """Wait until a workspace is as it should be; its view."""
        seen: dict[str, Any] = {}

        def there() -> bool:
            seen.clear()
            seen.update(self.shown(workspace_id))
            return what(seen)

        try:
            self.smalti.wait(there, seconds, "a workspace")
        except AssertionError:
            raise AssertionError(seen) from None
        return seen

    def lab(self, name: str, workspace_id: str) -> Lab:
        """The tool of a workspace, once it answers."""
        self.until(workspace_id, lambda one: one["status"] == "Running")
        lab = Lab(self.smalti, name)
        answers(lab)
        return lab


class Quiet:
    """Four workspaces in which little happens: nothing, work, a forgotten page, a lease."""

    NAMES = ("empty", "busy", "page", "kept")

    def __init__(self, room: Room) -> None:
        self.room = room
        self.ids = {name: room.start(name, "quick") for name in self.NAMES}
        self._over = threading.Event()
        self._left = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._stay()))

    def leave(self) -> None:
        """Leave each as it is to be found; pages stay open until `close`."""
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        self.labs = {name: self.room.lab(name, key) for name, key in self.ids.items()}
        path = f"/workspaces/{self.ids['kept']}/keep"
        self.room.client.post(path, json={"until": until}).raise_for_status()
        self._thread.start()
        assert self._left.wait(READY)
        self.room.until(self.ids["busy"], lambda one: one["busy"] is not None)

    async def _stay(self) -> None:
        lab = self.labs["busy"]
        busy = asyncio.create_task(lab.run(lab.kernel(), BUSY))
        page = await self.labs["page"].subscribe()
        self._left.set()
        await asyncio.to_thread(self._over.wait)
        page.close()
        busy.cancel()

    def close(self) -> None:
        """Close the pages."""
        self._over.set()
        self._thread.join()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A Smalti with little disk for each run."""
    made = Instance(tmp_path_factory.mktemp("trouble"))
    made.home.mkdir(mode=0o700)
    (made.home / "smalti_config.py").write_text(CONFIG)
    with made as smalti:
        settle(smalti)
        tools_are_built(smalti)
        yield Room(smalti)


@pytest.fixture(scope="module")
def quiet(room: Room) -> Iterator[Quiet]:
    """Workspaces that are left alone."""
    made = Quiet(room)
    made.leave()
    yield made
    made.close()


async def test_a_kernel_that_eats_all_memory_is_told_on_the_workspace(room: Room) -> None:
    key = room.start("hungry", "lean")
    lab = room.lab("hungry", key)
    calm, hungry = lab.kernel(), lab.kernel()
    await lab.run(calm, "kept = 7")
    page = await lab.connect(hungry)
    eating = asyncio.create_task(execute(page, "x = []\nwhile True: x.append(b'x' * 10_000_000)"))
    said = "memory limit of 700 MiB reached: the largest program was ended"
    shown = await asyncio.to_thread(room.until, key, lambda one: said in (one["reason"] or ""))
    assert shown["status"] == "Running"
    assert await lab.run(calm, "print(kept)") == "7\n"
    eating.cancel()
    page.close()
    room.client.post(f"/workspaces/{key}/stop").raise_for_status()


async def test_a_full_volume_ends_the_session_and_can_be_cleared_up(room: Room) -> None:
    key = room.start("full", "lean")
    lab = room.lab("full", key)
    kernel = lab.kernel()
    await lab.run(kernel, "open('small.txt', 'w').write('kept')")
    one = f"open('large.bin', 'wb').write(bytes({DISK} + (1 << 20)))"
    said = f"try:\n    {one}\nexcept OSError as error: print(error)"
    assert "File too large" in await lab.run(kernel, said)
    page = await lab.connect(kernel)
    # 1 GiB is left for clearing up, whatever the limit says.
    several = f"for n in range(12): open(f'{{n}}.bin', 'wb').write(bytes({DISK // 2}))"
    writing = asyncio.create_task(execute(page, several))
    shown = await asyncio.to_thread(room.until, key, lambda one: one["status"] == "Failed")
    assert "disk limit of 200 MiB reached" in shown["reason"]
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    room.again(key)
    lab = room.lab("full", key)
    clear = "import glob, os\nfor one in glob.glob('*.bin'): os.remove(one)\n"
    clear += "print(open('small.txt').read())"
    assert await lab.run(lab.kernel(), clear) == "kept\n"
    room.client.post(f"/workspaces/{key}/stop").raise_for_status()


def waits_for_it(room: Room, key: str, one: dict[str, Any]) -> bool:
    """Say whether it is queued for its environment; one asked for too early is asked for again.

    Until the agent has looked, which it does now and then, a start is tried, and fails by name.
    """
    named = "environment default revision 1" in (one["reason"] or "")
    if one["status"] == "Failed":
        assert named, one
        room.again(key)
    return named and one["status"] == "Queued"


def test_an_environment_that_vanished_is_named(room: Room) -> None:
    folder = room.smalti.home / "environments" / "default" / "1"
    away = folder.with_name("away")
    key = room.start("homeless", "lean")
    room.lab("homeless", key)
    room.client.post(f"/workspaces/{key}/stop").raise_for_status()
    room.until(key, lambda one: one["status"] == "Stopped")
    folder.rename(away)
    try:
        room.again(key)
        room.until(key, lambda one: waits_for_it(room, key, one))
    finally:
        away.rename(folder)
    room.lab("homeless", key)  # by itself, once it is there again
    room.client.post(f"/workspaces/{key}/stop").raise_for_status()


async def test_a_project_is_not_deleted_under_a_session(room: Room) -> None:
    project_id = room.project("doomed")
    key = room.start("doomed", "lean", project_id)
    lab = room.lab("doomed", key)
    refused = room.client.delete(f"/projects/{project_id}")
    assert refused.status_code == 409, refused.text
    error = refused.json()["error"]
    assert error["message"] == "it is still in use: 2 of session, workspace"
    assert "doomed" in [one["name"] for one in error["details"]["used_by"]]
    assert await lab.run(lab.kernel(), "print(1)") == "1\n"
    room.client.post(f"/workspaces/{key}/stop").raise_for_status()
    room.until(key, lambda one: one["status"] == "Stopped")
    room.client.delete(f"/projects/{project_id}").raise_for_status()
    room.smalti.wait(lambda: room.client.get(f"/workspaces/{key}").status_code == 404, 30)
    named = {"name": "doomed"}
    room.smalti.wait(lambda: not room.client.get("/workspaces", params=named).json()["items"], 30)


@pytest.mark.slow  # two minutes of waiting
async def test_only_what_is_idle_is_ended(room: Room, quiet: Quiet) -> None:
    def ended(one: dict[str, Any]) -> bool:
        return bool(one["status"] == "Stopped")

    empty = await asyncio.to_thread(room.until, quiet.ids["empty"], ended, 150)
    assert empty["reason"] == "no activity for 1 minute"
    page = await asyncio.to_thread(room.until, quiet.ids["page"], ended, 150)
    assert page["reason"] == "no activity for 1.5 minutes, though a page was open"
    for name in ("busy", "kept"):
        shown = room.shown(quiet.ids[name])
        assert shown["status"] == "Running", shown
    assert await quiet.labs["kept"].run(quiet.labs["kept"].kernel(), "print(1)") == "1\n"
    path = f"/workspaces/{quiet.ids['kept']}/keep"
    room.client.post(path, json={"until": None}).raise_for_status()
    assert room.shown(quiet.ids["kept"])["keep_until"] is None

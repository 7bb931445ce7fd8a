"""The routes that only the hub's process uses: its named servers, as sessions of ours.

`{user}` and `{server}` are the hub's own names. None of these is in the API's description.
"""

from __future__ import annotations

from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.sessions import serving
from services.sessions.schemas import (
    HubCheck,
    HubChoices,
    HubLook,
    HubSession,
    HubStart,
    HubStop,
)

routes = Routes("hub")
PATH = "/hub-servers/{user}/{server}"


def _names(call: Call) -> tuple[str, str]:
    return call.path["user"], call.path["server"]


@routes.post(
    f"{PATH}/choices",
    Permission.HUB_SPAWN,
    body=HubCheck,
    answer=HubChoices,
    hidden=True,
    keep=False,
)
async def choices(call: Call) -> HubChoices:
    """List what a person may choose for a named server."""
    return await serving.choices(call.work, *_names(call), call.body(HubCheck))


@routes.post(
    f"{PATH}/check", Permission.HUB_SPAWN, body=HubCheck, status=204, hidden=True, keep=False
)
async def check(call: Call) -> None:
    """Refuse a start that could not be."""
    await serving.check(call.work, *_names(call), call.body(HubCheck))


@routes.put(PATH, Permission.HUB_SPAWN, body=HubStart, answer=HubSession, hidden=True, keep=False)
async def take(call: Call) -> HubSession:
    """Start a named server."""
    return await serving.take(call.work, *_names(call), call.body(HubStart))


@routes.get(PATH, Permission.HUB_SPAWN, query=HubLook, answer=HubSession, hidden=True)
async def look(call: Call) -> HubSession:
    """Say how a named server stands, waiting for news."""
    return await serving.look(call.work, *_names(call), call.query(HubLook))


@routes.post(
    f"{PATH}/stop",
    Permission.HUB_SPAWN,
    body=HubStop,
    answer=HubSession,
    hidden=True,
    keep=False,
)
async def give_up(call: Call) -> HubSession:
    """Stop a named server."""
    return await serving.give_up(call.work, *_names(call), call.body(HubStop))

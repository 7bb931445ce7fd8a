"""What the gate answers MLflow's pages by itself: who is looking, and that some parts are off.

Called by `gate` for routes of kind OWN. The pages ask for an account and an assistant at every
visit; without an answer they offer what cannot work here (making workspaces, for one) and fill
the browser's console with errors. Nothing here opens anything: what a page may do is decided
at each request, whatever it was told.
"""

from __future__ import annotations

from typing import Any

from services.core.errors import NotFound
from services.experiments.gateway import answers, pages
from services.experiments.gateway.access import Access
from services.experiments.gateway.answers import Send
from services.experiments.gateway.callers import Caller
from services.experiments.gateway.loading import Mlflow
from services.experiments.protocol import AccessAnswer

_OFF: dict[str, Any] = {
    "/ui-telemetry": {
        "disable_ui_telemetry": True,
        "disable_ui_events": [],
        "ui_rollout_percentage": 0,
    },
    "/assistant/config": {"providers": {}, "projects": {}, "remote_access_allowed": False},
    "/assistant/providers": {"providers": [], "resolved": None, "gateway_vendor_options": {}},
    "/gateway-proxy": {"endpoints": []},
    "/users/roles/list": {"roles": []},
    # The pages put away what these rows do not allow; what a caller may is for the gate to say.
    "/users/current/permissions": {"is_admin": False, "permissions": []},
}


class Own:
    """The gate's own answers."""

    def __init__(self, access: Access, mlflow: Mlflow) -> None:
        self._access, self._mlflow = access, mlflow

    async def answer(self, caller: Caller, path: str, who: AccessAnswer, send: Send) -> None:
        """Answer one request. Raises NotFound, Unavailable."""
        page = self._page(path)
        if page is not None:
            headers = {"Content-Security-Policy": answers.PAGE_POLICY}
            await answers.answer(send, 200, page[0], page[1], headers)
            return
        await answers.answer_json(send, await self._told(caller, path, who))

    async def _told(self, caller: Caller, path: str, who: AccessAnswer) -> Any:
        for ending, told in _OFF.items():
            if path.endswith(ending):
                return told
        if path.endswith("/users/current"):
            user = {"id": 0, "username": who.person, "is_admin": False}
            return {"user": user, "is_basic_auth": False}
        if caller.is_platform:
            raise NotFound("There is no such thing here.")
        found = await self._access.projects(caller.request())
        spaces = [{"name": one.id, "description": one.full_name} for one in found.projects]
        return {"workspaces": spaces}

    def _page(self, path: str) -> tuple[bytes, str] | None:
        if path == "/":
            return pages.first_page(self._mlflow.index), "text/html; charset=utf-8"
        if path == pages.SCRIPT:
            return pages.script(), "text/javascript"
        return (pages.style(), "text/css") if path == pages.STYLE else None

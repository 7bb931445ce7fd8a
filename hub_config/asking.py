"""Whose a token is, told also while the hub cannot write it down.

The hub notes when a token and its person were last seen, within the answer to a question. When
its database cannot be written (a full disk, a file that is held), JupyterHub takes whoever asks
for a stranger: 403, as for a bad token. Platform and workspaces would then turn away everybody.
Given to the hub by `authenticator`, in the place of its own handlers of the same routes. It
changes who is believed in nothing: a token is looked up as ever, or the answer is 503.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jupyterhub.apihandlers.users import (
    SelfAPIHandler,
    UserAPIHandler,
    UserListAPIHandler,
    UserServerAPIHandler,
)
from sqlalchemy.exc import SQLAlchemyError
from tornado import web

RETRY_AFTER = "5"  # seconds


class Noting:
    """Before one of the hub's handlers: noting who was seen is let be when it fails."""

    smalti_noted = False
    smalti_let_be = False
    smalti_unknowing = False

    def get_current_user_token(self) -> Any:
        """Find whose the token is; when that cannot be noted, once more without noting."""
        handler: Any = self
        try:
            return super().get_current_user_token()  # type: ignore[misc]
        except SQLAlchemyError as error:
            if not self.smalti_noted:
                raise  # it could not be looked up
            handler.log.warning("not noted that a token was used: %s", error)
            handler.db.rollback()
            self.smalti_let_be = True
            return super().get_current_user_token()  # type: ignore[misc]

    def _record_activity(self, obj: Any, timestamp: datetime | None = None) -> bool:
        if self.smalti_let_be:
            return False
        noted: bool = super()._record_activity(obj, timestamp)  # type: ignore[misc]
        self.smalti_noted = self.smalti_noted or noted
        return noted

    async def get_current_user(self) -> Any:
        """Find who is asking; keep in mind when the database did not say."""
        try:
            return await super().get_current_user()  # type: ignore[misc]
        except SQLAlchemyError:
            self.smalti_unknowing = True
            raise

    async def prepare(self) -> None:
        """Answer 503 when nobody can tell who is asking; the hub would take them for nobody."""
        await super().prepare()  # type: ignore[misc]
        if self.smalti_unknowing:
            error: Any = web.HTTPError(503, "The hub cannot tell now whose this token is")
            error.headers = {"Retry-After": RETRY_AFTER}
            raise error


class WhoAmI(Noting, SelfAPIHandler):  # type: ignore[misc]
    """Whose is this token? Asked by the platform and by every workspace."""


class People(Noting, UserListAPIHandler):  # type: ignore[misc]
    """Who is there? Asked by the platform."""


class Person(Noting, UserAPIHandler):  # type: ignore[misc]
    """Who is this? Asked by the platform."""


class PersonServer(Noting, UserServerAPIHandler):  # type: ignore[misc]
    """Start or stop a server. Done by the platform."""


HANDLERS: list[tuple[str, type]] = [
    (r"/api/user", WhoAmI),
    (r"/api/users", People),
    (r"/api/users/([^/]+)", Person),
    (r"/api/users/([^/]+)/server", PersonServer),
    (r"/api/users/([^/]+)/servers/([^/]*)", PersonServer),
]

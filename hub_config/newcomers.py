"""The first password of somebody new, set for the platform when an administrator adds them there.

One route of the hub, for whoever has the scope `custom:smalti:people`: the platform alone
(`roles`). It makes an account and gives it a one-time password, and it can do no more: an account
that was ever used, or that has any right beyond that of everybody, is refused, so that what
somebody has is never given to another. Given to the hub by `authenticator`.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import maybe_future
from tornado import web

from hub_config.roles import ADMIN_GROUP, PEOPLE_SCOPE

EVERYBODYS = {"user"}  # the hub's role that everybody has


class NewPerson(APIHandler):  # type: ignore[misc]
    """Make an account with a one-time password; or give one that was never used a new one."""

    async def post(self) -> None:
        """Take `name` and `password`; answer with the hub's model of the user."""
        if PEOPLE_SCOPE not in self.expanded_scopes:
            raise web.HTTPError(403, "This is not for this token")
        name, password = self._wanted()
        user = self.find_user(name)
        if user is not None and not self._is_unused(user):
            raise web.HTTPError(409, f"{name} is there already")
        problem = self.authenticator.complaint(name, password, None)
        if problem is not None:
            raise web.HTTPError(422, problem)
        if user is None:
            user = await self._add(name)
        await self.authenticator.set_password(name, password, must_change=True)
        self.log.info("%s was given a first password", name)
        self.set_status(201)
        self.write(json.dumps(self.user_model(user)))

    def _wanted(self) -> tuple[str, str]:
        body = self.get_json_body()
        name, password = (body or {}).get("name"), (body or {}).get("password")
        if not isinstance(name, str) or not isinstance(password, str):
            raise web.HTTPError(400, "name and password are needed")
        right = self.authenticator.normalize_username(name) == name
        if not right or not self.authenticator.validate_username(name):
            raise web.HTTPError(422, "This cannot be the name of an account")
        return name, password

    def _is_unused(self, user: Any) -> bool:
        """Tell whether nobody has come by this account, and it is worth no more than a new one."""
        never = user.last_activity is None and not user.orm_user.api_tokens
        had = self.authenticator.get_user(user.name)
        waits = had is None or self.authenticator.must_change(user.name)
        plain = {role.name for role in user.roles} <= EVERYBODYS and not user.admin
        grouped = any(group.name == ADMIN_GROUP or group.roles for group in user.groups)
        return bool(never and waits and plain and not grouped)

    async def _add(self, name: str) -> Any:
        user = self.user_from_username(name)
        self.db.commit()
        try:
            await maybe_future(self.authenticator.add_user(user))
        except Exception:
            self.users.delete(user)
            raise
        return user


HANDLERS: list[tuple[str, type]] = [(r"/api/smalti/people", NewPerson)]

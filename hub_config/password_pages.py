"""Login, the forced and the free change of a password, and an admin's reset of another's.

Given to the hub by `authenticator`. A person whose password must be changed holds a signed
ticket of ten minutes instead of a session: until the change nothing else can be reached.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub.apihandlers.users import UserTokenListAPIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httputil import url_concat

TICKET_COOKIE = "smalti-change-password"
TICKET_DAYS = 10 / (24 * 60)


class PasswordLogin(LoginHandler):  # type: ignore[misc]
    """The hub's login page; a one-time password leads on to the change page."""

    smalti_must_change: str | None = None
    smalti_refusal: str | None = None

    async def post(self) -> None:
        """Log in, or hand out a ticket for the change page."""
        data = {
            key: self.get_body_argument(key, "", strip=key == "username")
            for key in ("username", "password")
        }
        user = await self.login_user(data)
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
        elif self.smalti_must_change is not None:
            give_ticket(self, self.smalti_must_change)
            page = url_path_join(self.hub.base_url, "change-password")
            self.redirect(url_concat(page, {"next": self.get_argument("next", "")}))
        else:
            self.set_status(403)
            shown = data["username"][:32]
            self.finish(await self._render(login_error=self.smalti_refusal, username=shown))


def give_ticket(handler: BaseHandler, name: str) -> None:
    """Set the signed cookie that lets one person change one password."""
    value = json.dumps({"name": name, "ticket": handler.authenticator.ticket(name)})
    handler.set_secure_cookie(
        TICKET_COOKIE,
        value,
        expires_days=None,
        path=url_path_join(handler.hub.base_url, "change-password"),
        httponly=True,
        samesite="Lax",
        secure=handler.request.protocol == "https",
    )


def ticket_holder(handler: BaseHandler) -> str | None:
    """Return who holds a ticket that is still good."""
    value = handler.get_secure_cookie(TICKET_COOKIE, max_age_days=TICKET_DAYS)
    if not value:
        return None
    holder = json.loads(value)
    fits = handler.authenticator.ticket_fits(holder["name"], holder["ticket"])
    return str(holder["name"]) if fits else None


class ChangePassword(BaseHandler):  # type: ignore[misc]
    """Choose a new password: with a ticket after the first login, else with the old one."""

    async def get(self) -> None:
        """Show the form, or the login page to a stranger."""
        name, forced = self._who()
        if name is None:
            self.redirect(self.settings["login_url"])
            return
        await self._show(name, forced)

    async def post(self) -> None:
        """Change it and go on to where the person wanted to be."""
        name, forced = self._who()
        if name is None:
            self.redirect(self.settings["login_url"])
            return
        old = None if forced else self.get_body_argument("old_password", "", strip=False)
        new = self.get_body_argument("new_password", "", strip=False)
        again = self.get_body_argument("new_password_confirmation", "", strip=False)
        problem = await self._problem(name, old, new, again)
        if problem is not None:
            self.set_status(400)
            await self._show(name, forced, problem)
            return
        await self.authenticator.set_password(name, new, must_change=False)
        self.clear_cookie(TICKET_COOKIE, path=url_path_join(self.hub.base_url, "change-password"))
        user = await self.login_user({"username": name, "password": new})
        self.redirect(self.get_next_url(user))

    def _who(self) -> tuple[str | None, bool]:
        holder = ticket_holder(self)
        if holder is not None:
            return holder, True
        user = self.current_user
        return (str(user.name) if user else None), False

    async def _problem(self, name: str, old: str | None, new: str, again: str) -> str | None:
        authenticator = self.authenticator
        if old is not None and not await authenticator.verify(name, old):
            return "The present password is not right."
        if new != again:
            return "The two new passwords are not the same."
        same = await authenticator.verify(name, new)
        complaint: str | None = authenticator.complaint(name, new, new if same else old)
        return complaint

    async def _show(self, name: str, forced: bool, problem: str | None = None) -> None:
        html = await self.render_template(
            "change-password.html",
            person=name,
            forced=forced,
            problem=problem,
            xsrf=self.xsrf_token.decode("ascii"),
            form_action=self.request.uri,
        )
        self.finish(html)


class ResetPassword(BaseHandler):  # type: ignore[misc]
    """An admin gives somebody a one-time password; that person has to change it at once."""

    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def get(self, name: str) -> None:
        """Show the form."""
        await self._show(self._person(name))

    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def post(self, name: str) -> None:
        """Set the password."""
        name = self._person(name)
        new = self.get_body_argument("new_password", "", strip=False)
        problem = self.authenticator.complaint(name, new, None)
        if problem is None:
            await self.authenticator.set_password(name, new, must_change=True)
            self.log.info("%s reset the password of %s", self.current_user.name, name)
        else:
            self.set_status(400)
        await self._show(name, problem, done=problem is None)

    def _person(self, name: str) -> str:
        name = self.authenticator.normalize_username(name)
        if self.find_user(name) is None:
            raise web.HTTPError(404)
        return str(name)

    async def _show(self, name: str, problem: str | None = None, done: bool = False) -> None:
        html = await self.render_template(
            "change-password-admin.html",
            person=name,
            problem=problem,
            done=done,
            xsrf=self.xsrf_token.decode("ascii"),
            form_action=self.request.uri,
        )
        self.finish(html)


class TokenByPassword(UserTokenListAPIHandler):  # type: ignore[misc]
    """The hub's own token route; says why a password does not help."""

    smalti_must_change: str | None = None
    smalti_refusal: str | None = None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Give the reason, which the hub would drop."""
        message = self.smalti_refusal
        if self.smalti_must_change is not None:
            message = (
                "This one-time password has to be changed first: log in with a browser at "
                f"{self.settings['smalti_origin']}"
            )
        if message is None:
            super().write_error(status_code, **kwargs)
            return
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"status": status_code, "message": message}))


HANDLERS: list[tuple[str, type]] = [
    (r"/login", PasswordLogin),
    (r"/change-password", ChangePassword),
    (r"/change-password/([^/]+)", ResetPassword),
    (r"/api/users/([^/]+)/tokens", TokenByPassword),
]

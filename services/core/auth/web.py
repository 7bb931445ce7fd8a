"""Logging in to the console: the hub's OAuth with PKCE, and logging out.

    GET  login            -> the hub's authorize page, state kept in `web_logins`
    GET  oauth_callback   -> code exchanged at the hub, session opened, back to `next`
    POST logout           -> session ended, on to the hub's own log-out

The state is used once, within ten minutes, by the browser that began: the row is found by a
hash of the state and of a value that only this browser's cookie holds. Every address that a
browser is sent to is our own (`safe_next`) or the hub's.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from pydantic import BaseModel, Field
from sqlalchemy import delete, func, insert, select

from services.core import audit
from services.core.auth import sessions
from services.core.auth.hub import HubApi
from services.core.auth.resolver import Resolver
from services.core.auth.sessions import LOGIN, SESSION, XSRF, Sessions, cookie_in, digest_of
from services.core.database import Transaction
from services.core.errors import Forbidden
from services.core.rights import Permission
from services.core.routing import PREFIX, Call, Routes
from services.core.tables import web_logins
from services.core.work import Context, Work

CLIENT = "service-smalti"
HOME = f"{PREFIX}/"
LOGIN_PATH, CALLBACK_PATH, LOGOUT_PATH = "/login", "/oauth_callback", "/logout"
LOGIN_SECONDS = 600
MOST_PENDING = 10_000
_PAGE: dict[str, Any] = {"media_type": "text/html", "hidden": True, "cookie": True}
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?#\[\]]*")

routes = Routes("login", PREFIX)


class LoginQuery(BaseModel):
    """Where to go afterwards; `moved` when the main host was asked for already."""

    next: str = Field("", max_length=4000)
    moved: bool = False


class CallbackQuery(BaseModel):
    """What the hub sends a browser back with."""

    code: str = Field("", max_length=500)
    state: str = Field("", max_length=500)
    error: str = Field("", max_length=200)


def provide(context: Context) -> None:
    """Let browsers in by the console's sessions."""
    part = context.provide(Sessions, Sessions(context.settings, context.db))
    context.get(Resolver).use_sessions(part)


def safe_next(wanted: str) -> str:
    """Return the page to go to after the login: one of ours, or the first page."""
    # Taken apart by hand: a parser would see a host in "//host/path" and hide it from us.
    path = re.split("[?#]", wanted, maxsplit=1)[0] if _PLAIN_PATH.fullmatch(wanted) else ""
    decoded = unquote(path)
    ours = path.startswith(HOME) and "\\" not in decoded and "//" not in decoded
    parts = decoded.split("/")
    if not ours or ".." in parts or "." in parts or not decoded.isprintable():
        return HOME
    if path.removeprefix(PREFIX) in (LOGIN_PATH, CALLBACK_PATH, LOGOUT_PATH):
        return HOME
    return wanted if len(wanted) <= 2000 else HOME


def login_address(path: str) -> str:
    """Return the address that logs in and comes back to a page."""
    return f"{PREFIX}{LOGIN_PATH}?{urlencode({'next': safe_next(path)})}"


@routes.get(LOGIN_PATH, Permission.PUBLIC, query=LoginQuery, **_PAGE)
async def login(call: Call) -> None:
    """Send the browser to the hub to log in."""
    query: LoginQuery = call.query(LoginQuery)
    origin = call.context.settings.origin
    wanted = safe_next(query.next)
    if not query.moved and call.header("Host").lower() != urlsplit(origin).netloc.lower():
        # The cookie must be set on the host that the hub sends the browser back to.
        moved = urlencode({"next": wanted, "moved": "true"})
        _redirect(call, f"{origin}{PREFIX}{LOGIN_PATH}?{moved}")
        return
    state, binder, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    await call.work.write(_begin, _state_hash(state, binder), verifier, wanted)
    challenge = hashlib.sha256(verifier.encode()).digest()
    question = {
        "client_id": CLIENT,
        "redirect_uri": f"{origin}{PREFIX}{CALLBACK_PATH}",
        "response_type": "code",
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    _set(call, LOGIN, binder, max_age=LOGIN_SECONDS, httponly=True)
    _redirect(call, f"{origin}/hub/api/oauth2/authorize?{urlencode(question)}")


@routes.get(CALLBACK_PATH, Permission.PUBLIC, query=CallbackQuery, **_PAGE)
async def callback(call: Call) -> None:
    """Take the browser back from the hub and open its session."""
    query: CallbackQuery = call.query(CallbackQuery)
    part = call.context.get(Sessions)
    binder = cookie_in(call.header("Cookie"), part.cookie(LOGIN)) or ""
    begun = await call.work.write(_finish, _state_hash(query.state, binder))
    if begun is None:
        raise Forbidden(
            "This login was not begun in this browser, or it took too long: try again.",
            code="login_unknown",
        )
    verifier, wanted = begun
    if query.error or not query.code:
        raise Forbidden("The hub did not let you in.", code="login_refused")
    token, seconds = await _exchange(call.context, query.code, verifier)
    actor = await call.context.get(Resolver).actor_of_token(token)
    if actor is None:
        raise Forbidden("This account may not use Smalti.", code="account_refused")
    old = cookie_in(call.header("Cookie"), part.cookie(SESSION))
    work = Work(call.context, actor, call.work.origin)
    value, xsrf = await work.write(_open, part, token, seconds, old)
    _set(call, SESSION, value, max_age=int(seconds), httponly=True)
    _set(call, XSRF, xsrf, max_age=int(seconds))
    _clear(call, LOGIN)
    _redirect(call, wanted)


@routes.post(LOGOUT_PATH, Permission.PUBLIC, upload="form_max", **_PAGE)
async def logout(call: Call) -> None:
    """End the session; the hub's own log-out ends the token behind it."""
    form = parse_qs(b"".join([piece async for piece in call.stream()]).decode("latin-1"))
    part = call.context.get(Sessions)
    value = cookie_in(call.header("Cookie"), part.cookie(SESSION))
    session = None if value is None else await part.find(value)
    if session is not None:
        sessions.check_site("POST", call.header)
        # A form has no headers of its own: it shows the value as a field.
        shown = form.get("_xsrf", [""])[0] or call.header(sessions.XSRF_HEADER)
        sessions.check_xsrf(session, shown)
        resolver = call.context.get(Resolver)
        actor = await resolver.actor_of_token(session.token)
        work = Work(call.context, actor or call.actor, call.work.origin)
        await work.write(_end, session.digest)
        resolver.forget(session.token)
    _clear(call, SESSION)
    _clear(call, XSRF)
    _redirect(call, "/hub/logout", status=303)


def _begin(tx: Transaction, state_hash: str, verifier: str, wanted: str) -> None:
    if tx.scalar(select(func.count()).select_from(web_logins)) >= MOST_PENDING:
        oldest = select(web_logins.c.state_hash).order_by(web_logins.c.created_at).limit(100)
        tx.execute(delete(web_logins).where(web_logins.c.state_hash.in_(oldest.scalar_subquery())))
    row = {
        "state_hash": state_hash,
        "verifier": verifier,
        "next_path": wanted,
        "created_at": tx.now,
    }
    tx.execute(insert(web_logins).values(row))


def _finish(tx: Transaction, state_hash: str) -> tuple[str, str] | None:
    """Take a begun login out of the table, whatever comes of it: a state is used once."""
    mine = web_logins.c.state_hash == state_hash
    row = tx.first(select(web_logins).where(mine))
    tx.execute(delete(web_logins).where(mine))
    if row is None or row.created_at < tx.now - timedelta(seconds=LOGIN_SECONDS):
        return None
    return row.verifier, row.next_path


def _open(
    tx: Transaction, part: Sessions, token: str, seconds: float, old: str | None
) -> tuple[str, str]:
    if old is not None:
        sessions.end(tx, digest_of(old))
    person_id = Work.of(tx).actor.id
    audit.record(tx, "session.open", "person", person_id)
    return part.open(tx, token, seconds)


def _end(tx: Transaction, digest: str) -> None:
    sessions.end(tx, digest)
    audit.record(tx, "session.end", "person", Work.of(tx).actor.id)


async def _exchange(context: Context, code: str, verifier: str) -> tuple[str, float]:
    """Trade the code for a hub token; return it and for how many seconds it is good."""
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT,
        "client_secret": context.settings.secret("platform_hub_token"),
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": f"{context.settings.origin}{PREFIX}{CALLBACK_PATH}",
    }
    status, answer = await context.get(HubApi).ask("POST", "/oauth2/token", data=form)
    if status != 200 or not isinstance(answer, dict) or "access_token" not in answer:
        raise Forbidden("The hub did not confirm this login: try again.", code="login_refused")
    longest = sessions.LONGEST.total_seconds()
    return str(answer["access_token"]), min(longest, float(answer.get("expires_in", longest)))


def _state_hash(state: str, binder: str) -> str:
    return digest_of(f"{state}.{binder}")


def _set(call: Call, name: str, value: str, **attributes: Any) -> None:
    part = call.context.get(Sessions)
    call.set_cookie(
        part.cookie(name),
        value,
        path="/" if part.secure else HOME,  # the prefix __Host- asks for the whole host
        secure=part.secure,
        samesite="Lax",
        **attributes,
    )


def _clear(call: Call, name: str) -> None:
    # By date: tornado leaves out a max-age of 0.
    _set(call, name, "", expires=datetime(2000, 1, 1, tzinfo=UTC))


def _redirect(call: Call, address: str, status: int = 302) -> None:
    call.answer_with(status, {"Location": address})

"""The hub's side of logging in: a token for a name and password, and taking it back.

Used by the command line's login and logout. Speaks JupyterHub's REST API (`/hub/api`); must
never keep or show a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from smalti.errors import Forbidden, NotFound, Unauthorized, UnexpectedAnswer
from smalti.transport import Call, Transport


@dataclass(frozen=True)
class NewToken:
    """A token as the hub made it."""

    id: str
    token: str = field(repr=False)
    user: str = ""
    expires_at: str | None = None


@dataclass(frozen=True)
class Login:
    """What a token is asked for with; `expires_in` in seconds, None for the hub's longest."""

    user: str
    password: str = field(repr=False)
    note: str = "smalti"
    expires_in: int | None = None


def make_token(transport: Transport, login: Login) -> NewToken:
    """Make a hub token; raise Unauthorized when name and password do not fit.

    Is not repeated once it may have arrived: each time would be another token.
    """
    body: dict[str, Any] = {
        "auth": {"username": login.user, "password": login.password},
        "note": login.note,
    }
    if login.expires_in is not None:
        body["expires_in"] = login.expires_in
    url = transport.address.hub("users", login.user, "tokens")
    try:
        answer = transport.json(Call("POST", url, json=body, once=True, anonymous=True))
    except (Forbidden, Unauthorized, NotFound) as error:
        raise Unauthorized(
            "name and password are not accepted "
            f"(a one-time password has to be changed first, at {transport.address.root}/hub/login)",
            code="login_refused",
            status=error.status,
        ) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("token"), str):
        raise UnexpectedAnswer("the hub's answer holds no token")
    return NewToken(
        id=str(answer.get("id") or ""),
        token=answer["token"],
        user=str(answer.get("user") or login.user),
        expires_at=answer.get("expires_at"),
    )


def revoke_token(transport: Transport, user: str, token_id: str) -> None:
    """Take a token back; one that is gone already is as good.

    The hub answers 403 both to a token that is unknown and to one that may not do this, so
    what it was is asked. Raises Forbidden when the token lives on.
    """
    try:
        transport.send(Call("DELETE", transport.address.hub("users", user, "tokens", token_id)))
    except Forbidden:
        if _lives(transport):
            raise
    except (NotFound, Unauthorized):
        return


def _lives(transport: Transport) -> bool:
    try:
        transport.send(Call("GET", transport.address.hub("user")))
    except (Forbidden, Unauthorized):
        return False
    return True

"""`smalti-admin token USER`: a hub token for a person, made by whoever owns the state folder.

Called by `cli`. It uses the hub's API as the service `smalti-admin`, whose only right is
`tokens`. What is about to be done is written for the audit first, so that no token exists
that the audit does not know of.
"""

from __future__ import annotations

import getpass
import http.client
import json
import uuid
from typing import Any
from urllib.parse import quote

from services.supervisor.frontdoor import LOOPBACK
from services.supervisor.home import Home, SupervisorError, read_json, write_json
from services.supervisor.keys import secret
from services.supervisor.records import now

LIFETIME = 90 * 24 * 3600


def issue_token(home: Home, user: str, lifetime: int = LIFETIME) -> str:
    """Make a hub token for a person, valid `lifetime` seconds. Raises SupervisorError."""
    port = _hub_port(home)
    write_audit(home, "token.issue", user)
    body = {"note": f"smalti-admin token, {now()}", "expires_in": lifetime}
    return str(_ask(home, port, user, "POST", body)["token"])


def require_person(home: Home, user: str) -> None:
    """Ask the hub whether it knows a person. Raises SupervisorError, also when it is away."""
    _ask(home, _hub_port(home), user, "GET", None)


def write_audit(home: Home, action: str, user: str) -> None:
    """Leave word for the audit of what is about to be done to a person."""
    event = {"action": action, "who": getpass.getuser(), "target": user, "at": now()}
    write_json(home.path("platform", "audit-spool", f"{uuid.uuid4()}.json"), event)


def _hub_port(home: Home) -> int:
    ports = read_json(home.path("run", "ports.json"))
    if ports is None:
        raise SupervisorError(f"Nothing has been started on {home.root} yet.")
    return int(ports["hub"])


def _ask(
    home: Home, port: int, user: str, method: str, body: dict[str, Any] | None
) -> dict[str, Any]:
    """Speak to the hub of a person's tokens, all that this service may do."""
    path = f"/hub/api/users/{quote(user, safe='')}/tokens"
    status, answer = _send(home, port, (method, path), body)
    if status in (403, 404):
        raise SupervisorError(f"There is no person named {user!r}.")
    if status not in (200, 201):
        raise SupervisorError(f"The hub refused ({status}): {answer.get('message', '')}")
    return answer


def _send(
    home: Home, port: int, where: tuple[str, str], body: dict[str, Any] | None
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    headers = {
        "Authorization": f"token {secret(home, 'admin_hub_token')}",
        "Content-Type": "application/json",
    }
    try:
        connection.request(*where, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        answer = json.loads(text) if text else {}
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SupervisorError(f"The hub does not answer on port {port}: {error}") from None
    finally:
        connection.close()
    return response.status, answer if isinstance(answer, dict) else {}

"""From a request's headers to who is asking, and to the project that is meant.

Called by `gate`. The workspace that MLflow works in is said here and nowhere else: of a run's
token it is the token's project; of a person the one they name, if it is theirs.
"""

from __future__ import annotations

import hmac
import re

from services.core.auth.resolver import token_in
from services.core.auth.sessions import SAFE, check_site, cookie_in
from services.core.errors import BadRequest, Forbidden, NotFound, Unauthorized
from services.core.settings import Settings
from services.experiments.gateway.access import Access
from services.experiments.gateway.answers import Scope
from services.experiments.gateway.table import Need, Rule
from services.experiments.protocol import (
    COOKIE,
    PLATFORM_KEY,
    WORKSPACE,
    AccessAnswer,
    AccessRequest,
    ProjectAccess,
)

_PROJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class House:
    """What is known of this instance, read once: at each request the files would be read anew."""

    def __init__(self, settings: Settings) -> None:
        self.origin = settings.origin.lower()
        self.cookie = f"__Host-{COOKIE}" if self.origin.startswith("https://") else COOKIE
        self.key = settings.secret(PLATFORM_KEY).encode()


class Caller:
    """The credential of one request, not yet looked at by anybody."""

    def __init__(self, scope: Scope, house: House) -> None:
        self._headers = {
            bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]
        }
        self._house = house
        self.method: str = scope["method"]
        self.token = token_in(self.header("authorization"))
        self.session = None if self.token is not None else self._session()

    def header(self, name: str) -> str:
        """Return a header; empty when it is not there."""
        return self._headers.get(name.lower().encode(), "")

    @property
    def anonymous(self) -> bool:
        """Tell whether the request shows no credential at all."""
        return self.token is None and self.session is None

    @property
    def is_platform(self) -> bool:
        """Tell whether this is the platform process, which has checked its own caller."""
        if self.token is None:
            return False
        return hmac.compare_digest(self.token.encode(), self._house.key)

    def request(self) -> AccessRequest:
        """Put the question to the platform. Raises Unauthorized, Forbidden, NotFound."""
        if self.anonymous:
            raise Unauthorized("Sign in, or send a token (MLFLOW_TRACKING_TOKEN).")
        named = self.header(WORKSPACE).strip()
        if named and not _PROJECT.fullmatch(named):
            raise NotFound("This workspace (project) does not exist.")
        if len(self.token or "") > 512 or len(self.session or "") > 200:
            raise Unauthorized("This token is not valid (any more).")
        if self.session is not None:
            self._check_browser()
        return AccessRequest(token=self.token, session=self.session, project_id=named or None)

    def _session(self) -> str | None:
        return cookie_in(self.header("cookie"), self._house.cookie)

    def _check_browser(self) -> None:
        """A cookie comes along with whatever page asks: only pages of our own may."""
        check_site(self.method, self.header)
        if self.method in SAFE:
            return
        same = self.header("sec-fetch-site") == "same-origin"
        if not same and self.header("origin").lower() != self._house.origin:
            raise Forbidden("This came from another site's page.", code="cross_site")


async def admit(caller: Caller, rule: Rule, access: Access) -> AccessAnswer:
    """Let the caller use a route, or raise Unauthorized, BadRequest, NotFound, Forbidden.

    Of a route that touches a project the answer has the project.
    """
    if caller.is_platform:
        return _platform(caller, rule)
    answer = await access.of(caller.request())
    if not answer.known:
        raise Unauthorized("This token is not valid (any more).")
    if rule.need is Need.SIGNED:
        return answer
    if answer.ambiguous:
        raise BadRequest(
            "Say which project: set MLFLOW_WORKSPACE to its id "
            "(`smalti projects show` tells it), or call mlflow.set_workspace."
        )
    if answer.project is None:
        raise NotFound("This workspace (project) does not exist.")
    if rule.need is Need.WRITE and not answer.project.writes:
        raise Forbidden("You may look at this project's experiments, not change them.")
    return answer


def _platform(caller: Caller, rule: Rule) -> AccessAnswer:
    named = caller.header(WORKSPACE)
    if not _PROJECT.fullmatch(named):
        raise BadRequest("the workspace is missing")
    project = ProjectAccess(id=named, owner="", name="", writes=True)
    return AccessAnswer(known=True, person=caller.header("X-Smalti-Person"), project=project)

"""The console's sessions: a cookie here, a sealed hub token in the database.

The browser holds a random name; its hash is the row's key, and the hub token in the row is
encrypted under a key derived from the platform's signing key, so that neither a stolen
database nor a stolen cookie jar is the other half. Called by the resolver (`token_of`) and by
`web`. A cookie alone changes nothing: unsafe methods need the session's XSRF value as well.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, insert, select
from tornado.httputil import HTTPServerRequest

from services.core.database import Database, Transaction
from services.core.errors import Forbidden
from services.core.settings import Settings
from services.core.tables import web_sessions

SESSION, XSRF, LOGIN = "smalti-session", "smalti-xsrf", "smalti-login"
XSRF_HEADER = "X-XSRF-Token"
LONGEST = timedelta(days=14)  # as long as the hub's own cookie
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE = frozenset({"", "same-origin", "none"})  # absent: not a browser of today
_NONCE = 12

Headers = Callable[[str], str]


@dataclass(frozen=True)
class Session:
    """A session that is there: whose key in the table, and what is in it."""

    digest: str
    token: str
    xsrf: str


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings = settings
        self._db = db
        self._cipher: AESGCM | None = None

    @property
    def secure(self) -> bool:
        """Tell whether people come by https, so that cookies must not travel otherwise."""
        return self._settings.origin.startswith("https://")

    def cookie(self, name: str) -> str:
        """Name a cookie. By https a prefix keeps other hosts of the domain from setting it."""
        return f"__Host-{name}" if self.secure else name

    async def token_of(self, request: HTTPServerRequest) -> str | None:
        """Give the hub token behind a request's cookie, None without a living session.

        Raises Forbidden when another site's page made the request, or when it changes
        something and does not show the session's XSRF value.
        """

        def header(name: str) -> str:
            return request.headers.get(name, "")

        value = cookie_in(header("Cookie"), self.cookie(SESSION))
        if value is None:
            return None
        method = request.method or ""
        check_site(method, header)
        session = await self.find(value)
        if session is None:
            return None
        if method not in SAFE:
            check_xsrf(session, header(XSRF_HEADER))
        return session.token

    async def find(self, value: str) -> Session | None:
        """Find the living session that a cookie's value names."""
        return await self._db.read(self._find, value)

    def open(
        self, tx: Transaction, token: str, seconds: float, purpose: str = ""
    ) -> tuple[str, str]:
        """Open a session for a hub token; return the cookie's and the XSRF value.

        With a purpose its value opens nothing else: it is found only as `purpose` + value.
        """
        value, xsrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        digest = digest_of(purpose + value)
        row = {
            "session_hash": digest,
            "sealed_token": self._seal(token, digest),
            "xsrf": xsrf,
            "created_at": tx.now,
            "expires_at": tx.now + min(LONGEST, timedelta(seconds=seconds)),
        }
        tx.execute(insert(web_sessions).values(row))
        return value, xsrf

    def _find(self, tx: Transaction, value: str) -> Session | None:
        digest = digest_of(value)
        living = (web_sessions.c.session_hash == digest) & (web_sessions.c.expires_at > tx.now)
        row = tx.first(select(web_sessions).where(living))
        token = None if row is None else self._unseal(row.sealed_token, digest)
        return None if row is None or token is None else Session(digest, token, row.xsrf)

    def _seal(self, token: str, digest: str) -> str:
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._key().encrypt(nonce, token.encode(), digest.encode())
        return base64.b64encode(sealed).decode()

    def _unseal(self, text: str, digest: str) -> str | None:
        """None for what was sealed under another key: those sessions are simply over."""
        try:
            sealed = base64.b64decode(text, validate=True)
            opened = self._key().decrypt(sealed[:_NONCE], sealed[_NONCE:], digest.encode())
            return opened.decode()
        except (InvalidTag, binascii.Error, ValueError):
            return None

    def _key(self) -> AESGCM:
        if self._cipher is None:
            root = bytes.fromhex(self._settings.secret("signing.key"))
            derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"smalti web sessions")
            self._cipher = AESGCM(derive.derive(root))
        return self._cipher


def end(tx: Transaction, digest: str) -> None:
    """End a session."""
    tx.execute(delete(web_sessions).where(web_sessions.c.session_hash == digest))


def check_site(method: str, header: Headers) -> None:
    """Refuse what a page of another origin makes a browser send with its cookies.

    A plain visit (a link from anywhere) is let in: it shows its answer to nobody else.
    Raises Forbidden.
    """
    if header("Sec-Fetch-Site") in _OWN_SITE:
        return
    if method in SAFE and header("Sec-Fetch-Mode") == "navigate":
        return
    raise Forbidden("This came from another site's page.", code="cross_site")


def check_xsrf(session: Session, shown: str) -> None:
    """Refuse an unsafe request that does not show the session's XSRF value. Raises Forbidden."""
    if not hmac.compare_digest(session.xsrf.encode(), shown.encode()):
        raise Forbidden(f"The header {XSRF_HEADER} is missing or wrong.", code="xsrf")


def cookie_in(header: str, name: str) -> str | None:
    """Take one cookie's value out of a Cookie header; None when absent or unreadable."""
    for part in header.split(";"):
        # One by one: a cookie that somebody else set badly must not hide ours.
        try:
            found = SimpleCookie(part.strip()).get(name)
        except CookieError:
            continue
        if found is not None and found.value:
            return found.value
    return None


def digest_of(value: str) -> str:
    """Name a random value by its SHA-256."""
    return hashlib.sha256(value.encode()).hexdigest()

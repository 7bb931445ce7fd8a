"""Who may log in: names and bcrypt hashes in the hub's database, nobody signs up alone.

A subclass of NativeAuthenticator, made by the hub. It writes the first admin before the hub
listens, and lets nobody in whose password must be changed first: such a person gets no session
and no token, only the page to change it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import bcrypt
import sqlalchemy
from jupyterhub.utils import new_token
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from traitlets import Unicode

from hub_config.passwords import Lockout, complaint

MUST_CHANGE = sqlalchemy.Table(
    "smalti_must_change",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("username", sqlalchemy.String(128), primary_key=True),
)
WRONG = "Invalid username or password"
TOO_MANY = "Too many wrong passwords for this name; wait a minute and try again"
# Compared with when a name is unknown, so that the time of an answer tells nothing.
NOBODY = bcrypt.hashpw(new_token().encode()[:72], bcrypt.gensalt())


class SmaltiAuthenticator(NativeAuthenticator):  # type: ignore[misc]
    """Password login without sign-up, with forced change and a short lock after failures."""

    seed_file = Unicode(help="First admin, written by the supervisor; removed once taken.").tag(
        config=True
    )
    resets = Unicode(help="Folder where `smalti-admin password` leaves new passwords' hashes.").tag(
        config=True
    )

    first_admin = Unicode(
        help="Name of the first admin, where no supervisor makes one (on a cluster)."
    ).tag(config=True)
    first_password = Unicode(help="File with that admin's one-time password.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enable_signup = False
        self.lockout = Lockout()
        MUST_CHANGE.create(self.db.get_bind(), checkfirst=True)
        self._take_first_admin()
        self._make_first_admin()

    def _make_first_admin(self) -> None:
        """Make the admin that the chart names, in a database that has never had anybody."""
        if not self.first_admin or self.db.query(UserInfo).first() is not None:
            return
        name = self.normalize_username(self.first_admin)
        password = Path(self.first_password).read_text().strip()
        # One-time, because it also stands in a Secret of the cluster.
        self._set_hash(name, bcrypt.hashpw(password.encode(), bcrypt.gensalt()), must_change=True)
        self.admin_users = {name}

    def _take_first_admin(self) -> None:
        seed = Path(self.seed_file)
        if not self.seed_file or not seed.exists():
            return
        admin = json.loads(seed.read_text())
        name = self.normalize_username(admin["name"])
        if self.get_user(name) is None:
            self._set_hash(name, admin["password_hash"].encode(), bool(admin["must_change"]))
        # Only while the seed is there: later on, who is admin is a matter of the hub's database.
        self.admin_users = {name}

    def _take_resets(self) -> None:
        """Take in what the operator has reset since the last login."""
        folder = Path(self.resets)
        if not self.resets or not folder.is_dir():
            return
        for file in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime_ns):
            reset = json.loads(file.read_text())
            name = self.normalize_username(reset["name"])
            self._set_hash(name, reset["password_hash"].encode(), must_change=True)
            self.lockout.succeeded(name)
            file.unlink()

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Check name and password.

        Sets `handler.smalti_refusal` to what the person is told, and `handler.smalti_must_change`
        to the name of somebody who has to change the password first.
        """
        name = str(self.normalize_username(str((data or {}).get("username", ""))))
        password = str((data or {}).get("password", ""))
        self._take_resets()
        now = time.monotonic()
        if self.lockout.locked(name, now):
            handler.smalti_refusal = TOO_MANY
            return None
        if not await self.verify(name, password):
            self.lockout.failed(name, now)
            handler.smalti_refusal = WRONG
            return None
        self.lockout.succeeded(name)
        if self.must_change(name):
            handler.smalti_must_change = name
            return None
        return name

    async def verify(self, name: str, password: str) -> bool:
        """Say whether the password is right; as slow for an unknown name as for a known one."""
        info = self.get_user(name)
        stored = info.password if info is not None else NOBODY
        given = password.encode()
        fits = len(given) <= 72
        # In a thread: bcrypt takes a quarter of a second, and the hub has one event loop.
        right = await asyncio.to_thread(bcrypt.checkpw, given[:72], stored)
        return bool(fits and right and info is not None and info.is_authorized)

    def must_change(self, name: str) -> bool:
        """Say whether this person has to choose a new password first."""
        query = sqlalchemy.select(MUST_CHANGE).where(MUST_CHANGE.c.username == name)
        return self.db.execute(query).first() is not None

    def complaint(self, name: str, password: str, old: str | None) -> str | None:
        """Say what is wrong with a new password; None when it may be used."""
        # "password2026" is no better than "password".
        bare = password.lower().rstrip("0123456789!?.-_ ")
        common = self.is_password_common(password) or self.is_password_common(bare)
        return complaint(password, name=name, old=old, common=common)

    async def set_password(self, name: str, password: str, *, must_change: bool) -> None:
        """Store a password that has passed `complaint`; end what was locked."""
        digest = await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt())
        self._set_hash(name, digest, must_change)
        self.lockout.succeeded(name)

    def _set_hash(self, name: str, digest: bytes, must_change: bool) -> None:
        info = self.get_user(name)
        if info is None:
            self.db.add(UserInfo(username=name, password=digest, is_authorized=True))
        else:
            info.password = digest
        self.db.execute(MUST_CHANGE.delete().where(MUST_CHANGE.c.username == name))
        if must_change:
            self.db.execute(MUST_CHANGE.insert().values(username=name))
        self.db.commit()

    def ticket(self, name: str) -> str:
        """Return what binds a change ticket to the present password: it is good for one change."""
        info = self.get_user(name)
        return sha256(info.password).hexdigest()[:32] if info is not None else ""

    def ticket_fits(self, name: str, ticket: str) -> bool:
        """Say whether a ticket belongs to the present password of a person who has to change it."""
        wanted = self.ticket(name)
        return bool(wanted) and hmac.compare_digest(wanted, ticket) and self.must_change(name)

    def delete_user(self, user: Any) -> None:
        """Forget the password of a removed person, so that a new one of that name starts afresh."""
        self.db.execute(MUST_CHANGE.delete().where(MUST_CHANGE.c.username == user.name))
        super().delete_user(user)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Name our routes; NativeAuthenticator's own (sign-up, authorization) are not offered.

        The hub asks after it has written its people, so the first admin's seed is used up now.
        """
        if self.seed_file:
            Path(self.seed_file).unlink(missing_ok=True)
        from hub_config import asking, newcomers, password_pages

        return [*password_pages.HANDLERS, *asking.HANDLERS, *newcomers.HANDLERS]

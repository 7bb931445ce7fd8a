"""Signed addresses: one object, one method, at most 15 minutes, and nobody needs to sign in.

The address holds what it allows and a MAC over that, so nothing is stored and nothing can be
changed: another key, a later end, another filename are another MAC. Used by `folder` to make
them and by `handlers` to read them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from services.core.errors import Forbidden
from services.core.routing import PREFIX
from services.storage.keys import is_key

LONGEST_SECONDS = 900
LONGEST_TOKEN = 4096
LONGEST_NAME = 255
_PURPOSE = b"smalti object address 1\n"  # the key signs other things too; no MAC fits two
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")


class Address(BaseModel):
    """What a signed address allows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["GET", "PUT"]
    key: str
    until: int  # seconds since 1970
    filename: str = ""
    media_type: str = "application/octet-stream"
    most: int = 0


class Signer:
    """Makes and reads addresses with one secret."""

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        if len(secret) < 32:
            raise ValueError("the signing key is too short")
        self._secret, self._clock = secret.encode(), clock

    def sign_get(self, key: str, filename: str, media_type: str | None, seconds: float) -> str:
        """Make the path that gives this object, as an attachment of this name."""
        kind = media_type if media_type and _MEDIA_TYPE.fullmatch(media_type) else None
        return self._sign(
            Address(
                method="GET",
                key=key,
                until=self._until(seconds),
                filename=filename[-LONGEST_NAME:],
                media_type=kind or "application/octet-stream",
            )
        )

    def sign_put(self, key: str, most: int, seconds: float) -> str:
        """Make the path that takes this object, of at most `most` bytes."""
        return self._sign(Address(method="PUT", key=key, until=self._until(seconds), most=most))

    def read(self, token: str, method: Literal["GET", "PUT"]) -> Address:
        """Return what a token allows. Forbidden unless ours, of now, of this method."""
        content, _, mac = token[: LONGEST_TOKEN + 1].partition(".")
        # The MAC is compared as text: base64 has several spellings of one value, we take ours.
        if len(token) > LONGEST_TOKEN or not hmac.compare_digest(
            mac.encode(), self._mac(content.encode()).encode()
        ):
            raise Forbidden("This address was not made by us.", code="bad_signature")
        try:
            address = Address.model_validate_json(_decoded(content))
        except (ValueError, ValidationError) as error:
            raise Forbidden("This address was not made by us.", code="bad_signature") from error
        if address.method != method or not is_key(address.key):
            raise Forbidden("This address is for something else.", code="bad_signature")
        if address.until < self._clock():
            raise Forbidden("This address has ended: ask for a new one.", code="address_ended")
        return address

    def _sign(self, address: Address) -> str:
        values = address.model_dump(exclude_defaults=True)
        content = _encoded(json.dumps(values, separators=(",", ":")).encode())
        return f"{PREFIX}/objects/{content}.{self._mac(content.encode())}"

    def _until(self, seconds: float) -> int:
        if not 0 < seconds <= LONGEST_SECONDS:
            raise ValueError(f"an address lives at most {LONGEST_SECONDS} s")
        return int(self._clock() + seconds)

    def _mac(self, content: bytes) -> str:
        return _encoded(hmac.digest(self._secret, _PURPOSE + content, hashlib.sha256))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

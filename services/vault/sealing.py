"""How a value is sealed: AES-256-GCM under a data key of its own. Pure.

The value's owner and name are authenticated with it, so that a row which is copied to another
owner or name does not open. What a sealed value looks like: one byte of version, 12 of nonce,
the ciphertext with its tag.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.vault.errors import Damaged

KEY_BYTES = 32
_NONCE = 12
_VERSION = b"\x01"


@dataclass(frozen=True)
class Owner:
    """Whose value it is, and its name there."""

    kind: str
    id: str
    name: str

    @property
    def bound(self) -> bytes:
        """What is authenticated with the value."""
        return json.dumps(["smalti", self.kind, self.id, self.name]).encode()


@dataclass(frozen=True)
class DataKey:
    """A data key in the clear and wrapped; `wrapped_by` names the master key."""

    plain: bytes
    wrapped: bytes
    wrapped_by: str

    def __repr__(self) -> str:
        return f"DataKey(wrapped_by={self.wrapped_by!r})"


@dataclass(frozen=True)
class Sealed:
    """A sealed value, as it is stored."""

    owner: Owner
    content: bytes
    data_key: bytes
    wrapped_by: str


def seal(owner: Owner, value: bytes, key: DataKey) -> Sealed:
    """Seal a value for its owner."""
    return Sealed(owner, encrypt(key.plain, value, owner.bound), key.wrapped, key.wrapped_by)


def unseal(sealed: Sealed, plain: bytes) -> bytes:
    """Open a value with its data key. Raises Damaged."""
    try:
        return decrypt(plain, sealed.content, sealed.owner.bound)
    except ValueError:
        raise Damaged(
            f"The stored value of {sealed.owner.name} cannot be opened: it was changed outside "
            "of the platform. Set it anew."
        ) from None


def encrypt(key: bytes, content: bytes, bound: bytes) -> bytes:
    """Encrypt with a fresh nonce."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, content, bound)


def decrypt(key: bytes, content: bytes, bound: bytes) -> bytes:
    """Decrypt what `encrypt` made. ValueError when key, content or binding is another."""
    if len(content) <= _NONCE or content[:1] != _VERSION:
        raise ValueError("not sealed by this version")
    try:
        return AESGCM(key).decrypt(content[1 : 1 + _NONCE], content[1 + _NONCE :], bound)
    except InvalidTag:
        raise ValueError("another key, or changed") from None

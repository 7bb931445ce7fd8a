"""What may go wrong with the vault. No text here ever holds a value or a key."""

from __future__ import annotations

from services.core.errors import PublicError, Unavailable


class KeysAway(Exception):
    """The keeper of the master key cannot be asked now; the text says why, in plain words."""


class WrongKey(Exception):
    """The master key is missing or another one: one sentence for whoever starts the platform."""


class VaultAway(Unavailable):
    """A value cannot be sealed or opened now; the same request may work later."""

    code = "vault_away"


class Damaged(PublicError):
    """A sealed value cannot be opened: it was changed, or moved from another owner or name."""

    status, code = 500, "secret_damaged"

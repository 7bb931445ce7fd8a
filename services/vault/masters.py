"""Keepers of a master key: what each can do, and the one that keeps it in a file.

A keeper wraps and unwraps data keys; the values themselves never come near it. Its methods
block and may go over the network: `Vault` calls them in threads of its own, never within a
transaction (but for a local one, which is arithmetic).

The file holds one key of 64 hex digits a line, the newest last: old ones stay until nothing is
wrapped by them any more.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from services.core.private import others_can_read
from services.vault.errors import WrongKey
from services.vault.sealing import KEY_BYTES, decrypt, encrypt

BOUND = b"smalti data key"


class MasterKeys(ABC):
    """One keeper. Names of its keys begin with its own name and a colon."""

    provider: str
    local = False  # whether it answers from memory

    @abstractmethod
    def current(self) -> str:
        """Name the key that wraps now. Raises KeysAway, WrongKey."""

    @abstractmethod
    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        """Wrap a data key; returns the name of the key that did it. Raises KeysAway, WrongKey."""

    @abstractmethod
    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Unwrap a data key. Raises KeysAway, and WrongKey when no key here fits."""

    @abstractmethod
    def renew(self, known: str) -> None:
        """Have a new key wrap from now on, unless another than `known` does already."""

    @abstractmethod
    def retire(self, used: set[str]) -> None:
        """Let go of keys of its own that are not among the used ones, where it keeps them."""


class FileKeys(MasterKeys):
    """The master key in a 0600 file of the state folder."""

    provider = "file"
    local = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def current(self) -> str:
        """Name the last key of the file."""
        return _name(self._read()[-1])

    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        """Wrap with the last key of the file."""
        key = self._read()[-1]
        return _name(key), encrypt(key, data_key, BOUND)

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Unwrap with the key of that name."""
        key = next((key for key in self._read() if _name(key) == name), None)
        if key is None:
            raise WrongKey(
                f"{self._path} does not hold the master key {name} that secrets are sealed with: "
                "put the right file back (nothing has been changed)."
            )
        try:
            return decrypt(key, wrapped, BOUND)
        except ValueError:
            raise WrongKey(f"A data key cannot be unwrapped by the master key {name}.") from None

    def renew(self, known: str) -> None:
        """Add a key to the file."""
        keys = self._read()
        if _name(keys[-1]) == known:
            self._write([*keys, os.urandom(KEY_BYTES)])

    def retire(self, used: set[str]) -> None:
        """Take keys that nothing is wrapped by out of the file; the newest stays."""
        keys = self._read()
        kept = [key for key in keys[:-1] if _name(key) in used]
        if len(kept) < len(keys) - 1:
            self._write([*kept, keys[-1]])

    def _read(self) -> list[bytes]:
        try:
            if others_can_read(self._path):
                raise WrongKey(f"{self._path} can be read by others: chmod 600 it, then start.")
            lines = self._path.read_text().split()
            keys = [bytes.fromhex(line) for line in lines]
        except FileNotFoundError:
            raise WrongKey(
                f"The master key {self._path} is missing: put it back, or no secret can be read "
                "(nothing has been changed)."
            ) from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it holds something else"
            raise WrongKey(f"The master key {self._path} cannot be read: {why}.") from None
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise WrongKey(f"{self._path} holds no master key of 64 hex digits.")
        return keys

    def _write(self, keys: list[bytes]) -> None:
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".vault.key.")
        try:
            with os.fdopen(handle, "w") as file:
                file.writelines(f"{key.hex()}\n" for key in keys)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _name(key: bytes) -> str:
    digest = hashlib.sha256(b"smalti master key name\n" + key).hexdigest()
    return f"file:{digest[:16]}"

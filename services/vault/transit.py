"""The master key in the transit engine of OpenBao or HashiCorp Vault, by hvac.

The token comes from the 0600 file `secrets/transit.token` or from VAULT_TOKEN; it needs
`update` on encrypt and decrypt of the one key, `read` on the key, and `update` on its `rotate`
if keys are to be renewed from here. Loaded only where it is chosen.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hvac
import requests
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, VaultError

from services.core.private import others_can_read
from services.vault.errors import KeysAway, WrongKey
from services.vault.masters import MasterKeys


class TransitKeys(MasterKeys):
    """One named key of a transit engine; each of its versions has a name here."""

    provider = "transit"

    def __init__(self, url: str, mount: str, key: str, token: Path) -> None:
        self._url, self._mount, self._key, self._token = url, mount, key, token

    def current(self) -> str:
        """Name the newest version of the key."""
        found = self._ask(lambda engine: engine.read_key(self._key, mount_point=self._mount))
        return self._name(found["data"]["latest_version"])

    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        """Have a data key encrypted by the newest version."""
        text = base64.b64encode(data_key).decode()
        found = self._ask(
            lambda engine: engine.encrypt_data(self._key, plaintext=text, mount_point=self._mount)
        )
        wrapped = str(found["data"]["ciphertext"])
        return self._name(int(wrapped.split(":")[1].removeprefix("v"))), wrapped.encode()

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Have a data key decrypted by the version that encrypted it."""
        found = self._ask(
            lambda engine: engine.decrypt_data(
                self._key, ciphertext=wrapped.decode(), mount_point=self._mount
            )
        )
        return base64.b64decode(found["data"]["plaintext"])

    def renew(self, known: str) -> None:
        """Have a new version made."""
        if self.current() == known:
            self._ask(lambda engine: engine.rotate_key(self._key, mount_point=self._mount))

    def retire(self, used: set[str]) -> None:
        """Do nothing: old versions are archived there, by `min_decryption_version`."""

    def _name(self, version: int) -> str:
        return f"transit:{self._mount}/{self._key}:v{version}"

    def _ask(self, verb: Callable[[Any], Any]) -> Any:
        try:
            return verb(self._engine())
        except InvalidPath:
            raise WrongKey(
                f"The transit engine {self._mount} has no key {self._key} that secrets are "
                "sealed with (nothing has been changed)."
            ) from None
        except InvalidRequest:
            raise WrongKey(
                f"The transit key {self._key} is missing or not the one that secrets are sealed "
                "with (nothing has been changed)."
            ) from None
        except Forbidden:
            raise KeysAway("the transit engine does not accept our token for this") from None
        except VaultError as error:
            raise KeysAway(f"the transit engine refused ({type(error).__name__})") from None
        except requests.RequestException as error:
            raise KeysAway(
                f"the transit engine cannot be reached ({type(error).__name__})"
            ) from None

    def _engine(self) -> Any:
        """Make a client with the token of now, which whoever renews it writes to the file."""
        token = os.environ.get("VAULT_TOKEN", "")
        if self._token.exists():
            if others_can_read(self._token):
                raise WrongKey(f"{self._token} can be read by others: chmod 600 it, then start.")
            token = self._token.read_text().strip()
        if not token:
            raise KeysAway(f"there is no token for the transit engine in {self._token}")
        return hvac.Client(url=self._url, token=token, timeout=5).secrets.transit

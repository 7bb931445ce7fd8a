"""The master key in AWS KMS: data keys are wrapped and unwrapped there, by boto3.

Credentials come from where boto3 finds them (environment, instance role) or from the 0600 file
`secrets/kms.json`; never from settings. Loaded only where it is chosen: boto3 is large.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from services.core.private import others_can_read
from services.vault.errors import KeysAway, WrongKey
from services.vault.masters import MasterKeys

_CONTEXT = {"purpose": "smalti data key"}
_PLAIN = {  # what KMS says, in words
    "NotFoundException": "there is no such key",
    "DisabledException": "the key is switched off",
    "KMSInvalidStateException": "the key is being deleted or not ready",
    "AccessDeniedException": "these credentials may not use it",
    "UnrecognizedClientException": "its credentials are not accepted",
    "InvalidSignatureException": "its credentials are not accepted",
    "InvalidClientTokenId": "its credentials are not accepted",
    "ExpiredTokenException": "its credentials have ended",
    "IncorrectKeyException": "the data key was wrapped by another key",
    "InvalidCiphertextException": "the data key was wrapped by another key",
}
_WRONG = {"IncorrectKeyException", "InvalidCiphertextException", "NotFoundException"}


class KmsKeys(MasterKeys):
    """A key of AWS KMS, by id, ARN or alias."""

    provider = "kms"

    def __init__(self, key: str, region: str, endpoint: str, credentials: Path) -> None:
        self._key = key
        given = _credentials(credentials)
        self._client: Any = boto3.client(
            "kms",
            region_name=region or None,
            endpoint_url=endpoint or None,
            aws_access_key_id=given.get("access_key"),
            aws_secret_access_key=given.get("secret_key"),
            config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2}),
        )

    def current(self) -> str:
        """Name the key that the setting means now; an alias may be moved to another."""
        found = self._ask("describe_key", KeyId=self._key)
        return f"kms:{found['KeyMetadata']['Arn']}"

    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        """Have a data key encrypted."""
        found = self._ask(
            "encrypt", KeyId=self._key, Plaintext=data_key, EncryptionContext=_CONTEXT
        )
        return f"kms:{found['KeyId']}", found["CiphertextBlob"]

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """Have a data key decrypted by the key that encrypted it."""
        key = name.removeprefix("kms:")
        found = self._ask("decrypt", KeyId=key, CiphertextBlob=wrapped, EncryptionContext=_CONTEXT)
        return bytes(found["Plaintext"])

    def renew(self, known: str) -> None:
        """Do nothing: KMS renews a key by itself, and an operator points the alias elsewhere."""

    def retire(self, used: set[str]) -> None:
        """Do nothing: keys of KMS are deleted there, by whoever owns them."""

    def _ask(self, verb: str, **what: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, verb)(**what)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            why = _PLAIN.get(code, code or "it refused")
            if code in _WRONG:
                raise WrongKey(
                    f"AWS KMS does not give the master key {self._key}: {why}."
                ) from None
            raise KeysAway(f"AWS KMS: {why}") from None
        except NoCredentialsError:
            raise KeysAway("there are no credentials for AWS KMS") from None
        except BotoCoreError as error:
            raise KeysAway(f"AWS KMS cannot be reached ({type(error).__name__})") from None
        return answer


def _credentials(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    if others_can_read(file):
        raise WrongKey(f"{file} can be read by others: chmod 600 it, then start.")
    found: dict[str, str] = json.loads(file.read_text())
    return found

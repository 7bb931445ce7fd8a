"""Keepers of master keys: a file, moto's AWS KMS, a real OpenBao."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.instance import free_port
from tests.vault.keepers import Bao, bao

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def bao_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """One OpenBao for the whole run."""
    with bao(tmp_path_factory.mktemp("bao")) as made:
        yield made


@pytest.fixture(scope="session")
def kms_server() -> Iterator[str]:
    """One moto for the whole run; its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", free_port())
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms_key(kms_server: str) -> str:
    """A new key there."""
    return str(kms(kms_server).create_key()["KeyMetadata"]["KeyId"])


def kms(endpoint: str) -> Any:
    """boto3's client of it."""
    return boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def write_private(file: Path, text: str) -> None:
    """Write a 0600 file."""
    file.touch(mode=0o600)
    file.write_text(text)


def kms_settings(home: Path, endpoint: str, key: str) -> dict[str, Any]:
    """Settings for a key of KMS; its credentials are put into the home."""
    credentials = {"access_key": "test", "secret_key": "test"}
    write_private(home / "secrets" / "kms.json", json.dumps(credentials))
    return {
        "vault_keys": "kms",
        "kms_key": key,
        "kms_region": REGION,
        "kms_endpoint": endpoint,
    }


def transit_settings(home: Path, server: Bao, key: str, token: str) -> dict[str, Any]:
    """Settings for a transit key; its token is put into the home."""
    write_private(home / "secrets" / "transit.token", token)
    return {"vault_keys": "transit", "transit_url": server.url, "transit_key": key}

"""The stores that are tested: a folder, and a bucket of a real S3 server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.storage import ObjectStore
from services.storage.s3 import S3Store
from services.storage.signing import Signer
from tests.storage.seaweed import Seaweed, seaweed
from tests.storage.stores import folder_store

BUCKET = "objects"


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """One SeaweedFS for the whole run, with a bucket."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as made:
        made.client().create_bucket(Bucket=BUCKET)
        yield made


@pytest.fixture
def s3_store(s3_server: Seaweed) -> Iterator[S3Store]:
    """A store of its own below a new prefix."""
    prefix = f"{secrets.token_hex(6)}/"
    made = S3Store(s3_server.client(), BUCKET, prefix, Signer("k" * 64))
    yield made
    asyncio.run(made.close())


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store, once of each kind."""
    if request.param == "folder":
        return folder_store(tmp_path)
    found: ObjectStore = request.getfixturevalue("s3_store")
    return found

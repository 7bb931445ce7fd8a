"""What holds for the store on S3 alone: parts, memory, presigned addresses, plain words."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.core.errors import NotFound, Unavailable
from services.core.settings import Settings
from services.storage import s3
from services.storage.s3 import PART, S3Store
from services.storage.signing import Signer
from tests.house import House
from tests.instance import free_port
from tests.storage.conftest import BUCKET
from tests.storage.seaweed import ACCESS, SECRET, Seaweed

KEY = "outputs/w1/0/1"
PIECE = bytes(range(256)) * 4096  # 1 MiB


async def repeated(count: int) -> AsyncIterator[bytes]:
    """Give the piece some times."""
    for _ in range(count):
        yield PIECE


@pytest.mark.parametrize("count", [8, 9, 16, 33])
async def test_what_is_long_goes_in_parts_and_comes_back(s3_store: S3Store, count: int) -> None:
    stored = await s3_store.put(KEY, repeated(count))
    assert stored.size == count << 20
    digest = hashlib.sha256()
    async for piece in s3_store.get(KEY):
        digest.update(piece)
    assert digest.hexdigest() == stored.sha256 == hashlib.sha256(PIECE * count).hexdigest()
    tail = b"".join([piece async for piece in s3_store.get(KEY, (count << 20) - 300)])
    assert tail == PIECE[-300:]


async def test_memory_does_not_grow_with_the_object(s3_store: S3Store) -> None:
    tracemalloc.start()
    try:
        await s3_store.put(KEY, repeated(100))
        async for _ in s3_store.get(KEY):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * PART


async def test_a_cut_upload_leaves_no_parts(s3_store: S3Store, s3_server: Seaweed) -> None:
    async def cut() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield PIECE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await s3_store.put(KEY, cut())
    async with asyncio.timeout(10):
        while s3_server.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads"):
            await asyncio.sleep(0.05)
    with pytest.raises(NotFound):
        await s3_store.stat(KEY)


async def test_a_presigned_address_gives_an_attachment_and_ends(s3_store: S3Store) -> None:
    await s3_store.put_bytes(KEY, b"<script>")
    address = s3_store.sign_get(KEY, filename='a "b"\r\nü.html', media_type="text/html")
    async with httpx.AsyncClient() as client:
        answer = await client.get(address)
        assert answer.content == b"<script>"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert (await client.put(address, content=b"x")).status_code == 403
        assert (await client.get(address.replace("0/1?", "0/2?"))).status_code == 403
    for seconds in (0, 901):
        with pytest.raises(ValueError):
            s3_store.sign_get(KEY, filename="x", seconds=seconds)


async def test_what_is_wrong_is_said_in_words(s3_server: Seaweed) -> None:
    signer = Signer("k" * 64)
    dead = Seaweed(f"http://127.0.0.1:{free_port()}", s3_server.process)
    for client, bucket, words in (
        (s3_server.client(secret="wrong"), BUCKET, "secret key is wrong"),
        (s3_server.client(access="nobody"), BUCKET, "access key is not known"),
        (dead.client(), BUCKET, "cannot be reached"),
    ):
        store = S3Store(client, bucket, "", signer)
        with pytest.raises(Unavailable, match=words) as caught:
            await store.put_bytes(KEY, b"x")
        assert SECRET not in str(caught.value)
        status, detail = await store.health()
        assert status == "failed", detail
        await store.close()


async def test_a_missing_bucket_is_named_by_health(s3_server: Seaweed) -> None:
    store = S3Store(s3_server.client(), "missing-bucket", "", Signer("k" * 64))
    status, detail = await store.health()
    assert (status, "there is no such bucket" in detail) == ("failed", True)
    await store.close()


async def test_a_platform_keeps_its_objects_there(tmp_path: Path, s3_server: Seaweed) -> None:
    settings = {"objects": "s3", "s3_endpoint": s3_server.endpoint, "s3_bucket": BUCKET}
    house = House(tmp_path, s3_prefix="house/", **settings)
    file = house.home / "secrets" / "s3.json"
    file.touch(mode=0o600)
    file.write_text(f'{{"access_key": "{ACCESS}", "secret_key": "{SECRET}"}}')
    async with house:
        from services.storage import ObjectStore

        store = house.context.get(ObjectStore)
        await store.put_bytes(KEY, b"here")
        health = (await house.call("GET", "/services/smalti/health")).json()
        (found,) = [one for one in health["dependencies"] if one["name"] == "objects"]
        assert found["status"] == "ok"
    got = s3_server.client().get_object(Bucket=BUCKET, Key=f"house/{KEY}")
    assert got["Body"].read() == b"here"
    assert not (house.home / "platform" / "objects").exists()


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "s3.json"
    file.touch(mode=0o644)
    with pytest.raises(ValueError, match="chmod 600"):
        s3.make_client(Settings(home=str(tmp_path), objects="s3", s3_bucket="b"))


def test_doctor_says_whether_the_bucket_can_be_used(tmp_path: Path, s3_server: Seaweed) -> None:
    from services.supervisor import doctor
    from services.supervisor.home import Home

    home = Home(tmp_path)
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "s3.json"
    file.touch(mode=0o600)
    file.write_text(f'{{"access_key": "{ACCESS}", "secret_key": "{SECRET}"}}')
    assert list(doctor._outside(home)) == []
    for bucket, well in ((BUCKET, True), ("missing-bucket", False)):
        (tmp_path / "smalti_config.py").write_text(
            f"c.Settings.objects = 's3'\nc.Settings.s3_bucket = '{bucket}'\n"
            f"c.Settings.s3_endpoint = '{s3_server.endpoint}'\n"
        )
        ((good, text),) = doctor._outside(home)
        assert good == well, text
    assert "no such bucket" in text

"""S5, S10, S12, S14 for objects: signed addresses cannot be bent, nothing is shown as a page."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx

from services.core.routing import PREFIX
from services.storage import ObjectStore
from services.storage.signing import Signer
from tests.house import House

KEY = "outputs/w1/0/1"
PAGE = b"<script>alert(1)</script>"


async def signed(house: House, content: bytes = PAGE, **more: str) -> str:
    store = house.context.get(ObjectStore)
    await store.put_bytes(KEY, content)
    return str(
        store.sign_get(KEY, **{"filename": "report.html", "media_type": "text/html", **more})
    )


async def test_it_gives_its_object_to_anybody_as_an_attachment(house: House) -> None:
    answer = await house.call("GET", await signed(house))
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="report.html"')
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(PAGE))


async def test_no_name_or_type_gets_out_of_its_header(house: House) -> None:
    url = await signed(
        house, filename='a"\r\nSet-Cookie: x=1\r\n\r\né.html', media_type="a/b\r\nX: y"
    )
    answer = await house.call("GET", url)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "X" not in answer.headers
    assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_ranges_and_head(house: House) -> None:
    url = await signed(house, b"0123456789")
    part = await house.call("GET", url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    head = await house.call("HEAD", url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == "10"
    beyond = await house.call("GET", url, headers={"Range": "bytes=10-"})
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == "bytes */10"


async def test_every_changed_character_is_refused(house: House) -> None:
    url = await signed(house)
    base, _, token = url.rpartition("/")
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        answer = await house.call("GET", f"{base}/{token[:place]}{other}{token[place + 1 :]}")
        assert answer.status_code == 403, place
    # The last character's spare bits: another spelling of the same bytes is another address.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        if last != token[-1]:
            assert (await house.call("GET", f"{base}/{token[:-1]}{last}")).status_code == 403


async def test_it_ends(house: House) -> None:
    past = Signer(house.settings.secret("signing.key"), lambda: time.time() - 1000)
    await signed(house)
    answer = await house.call("GET", past.sign_get(KEY, "x", None, 900))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "address_ended"


async def test_no_path_leads_around_the_signature(house: House) -> None:
    await signed(house)
    for path in (
        "..%2f..%2fsecrets%2fsigning.key",
        "outputs/w1/0/1",
        "%2e%2e/%2e%2e/secrets/signing.key",
        ".",
        "a.b",
        "%00",
        "x" * 5000,
    ):
        for method in ("GET", "HEAD", "PUT"):
            url = f"{house.origin}{PREFIX}/objects/{path}"
            answer = await house.client.request(method, httpx.URL(url))
            assert answer.status_code in (400, 403, 404, 405), (method, path)


async def test_even_a_signed_traversal_opens_nothing(house: House) -> None:
    signer = house.context.get(Signer)
    for key in ("../../secrets/signing.key", "outputs/../../x", "/etc/passwd", "a/.."):
        for url, method in (
            (signer.sign_get(key, "x", None, 60), "GET"),
            (signer.sign_put(key, 100, 60), "PUT"),
        ):
            assert (await house.call(method, url, content=b"x")).status_code == 403


async def test_an_upload_is_of_one_object_and_bounded(house: House) -> None:
    store = house.context.get(ObjectStore)
    url = store.sign_put("outputs/w2/0/1", most=10)
    assert (await house.call("GET", url)).status_code == 403
    taken = await house.call("PUT", url, content=b"0123456789")
    assert taken.status_code == 201
    assert taken.json()["size"] == 10
    for body in (b"x" * 11, b"x" * 3_000_000):
        refused = await house.call("PUT", url, content=body)
        assert refused.status_code == 413
    assert await store.get_bytes("outputs/w2/0/1") == b"0123456789"
    assert [stat.key async for stat in store.list("outputs")] == ["outputs/w2/0/1"]


async def test_an_upload_that_breaks_off_leaves_nothing(house: House) -> None:
    store = house.context.get(ObjectStore)
    url = store.sign_put("outputs/w3/0/1", most=1_000_000)
    _reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    incoming = Path(house.home) / "platform" / "objects" / ".incoming"
    async with asyncio.timeout(10):
        while list(incoming.iterdir()):
            await asyncio.sleep(0.01)
    assert [stat.key async for stat in store.list("outputs")] == []


async def test_low_disk_refuses_uploads_and_shows_in_health(tmp_path: Path) -> None:
    async with House(tmp_path, low_disk=1 << 60) as house:
        store = house.context.get(ObjectStore)
        answer = await house.call("PUT", store.sign_put("a/b", most=10), content=b"x")
        assert answer.status_code == 507
        assert answer.json()["error"]["code"] == "storage_full"
        health = (await house.call("GET", f"{PREFIX}/health")).json()
        disk = next(one for one in health["dependencies"] if one["name"] == "disk")
        assert disk["status"] == "degraded"
        assert "no work is admitted" in disk["detail"]


async def test_a_deleted_object_is_not_found(house: House) -> None:
    url = await signed(house)
    await house.context.get(ObjectStore).delete(KEY)
    assert (await house.call("GET", url)).status_code == 404

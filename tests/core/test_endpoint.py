"""The one HTTP endpoint: limits, methods, shapes of errors, headers, what is never told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from services.core.auth.resolver import Resolver
from services.core.door import Door
from services.core.errors import Conflict, PublicError, Unavailable
from services.core.rights import PlatformRole
from services.core.routing import API
from tests.house import House

LIMIT = 10_000


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[House]:
    """A house that takes small bodies only."""
    async with House(tmp_path, body_max=LIMIT) as made:
        yield made


def shape(answer: Any) -> dict[str, Any]:
    """Check that an answer is an error in our shape; return its inside."""
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["request_id"]
    assert answer.headers["X-Request-Id"] == error["request_id"]
    return error


async def test_a_body_over_the_limit_is_refused_however_it_comes(small: House) -> None:
    token = await small.sign_in("alice")
    body = json.dumps({"name": "wine", "description": "x" * LIMIT})
    answer = await small.call("POST", "/projects", as_=token, content=body)
    assert answer.status_code == 413
    assert shape(answer)["code"] == "too_large"

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 1000

    answer = await small.call("POST", "/projects", as_=token, content=pieces())
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("key", "shown", "claimed", "recorded"),
    [
        ("k" * 64, "k" * 64, "203.0.113.9", "203.0.113.9"),
        ("k" * 64, "k" * 64, "2001:DB8::9", "2001:db8::9"),
        ("k" * 64, "k" * 64, "", "127.0.0.1"),
        ("k" * 64, "k" * 64, "nonsense", "127.0.0.1"),
        ("k" * 64, "k" * 63, "203.0.113.9", "127.0.0.1"),
        ("k" * 64, "\xe4", "203.0.113.9", "127.0.0.1"),
        ("k" * 64, None, "203.0.113.9", "127.0.0.1"),
        ("", "", "203.0.113.9", "127.0.0.1"),
        (None, "", "203.0.113.9", "127.0.0.1"),
        (None, "k" * 64, "203.0.113.9", "127.0.0.1"),
    ],
)
async def test_only_the_front_doors_key_makes_an_address_believed(
    small: House, key: str | None, shown: str | None, claimed: str, recorded: str
) -> None:
    file = small.home / "secrets" / "frontdoor.key"
    file.unlink() if key is None else file.write_text(key)
    headers = [("X-Real-Ip", claimed.encode())]
    if shown is not None:
        headers.append(("X-Smalti-Door", shown.encode("latin-1")))
    token = await small.sign_in("alice", PlatformRole.ADMIN)
    body = {"name": "wine"}
    made = await small.call("POST", "/projects", as_=token, json=body, headers=headers)
    assert made.status_code == 201
    trail = (await small.call("GET", "/audit-events", as_=token)).json()["items"]
    rows = [row for row in trail if row["request_id"] == made.headers["X-Request-Id"]]
    assert [row["address"] for row in rows] == [recorded]


async def test_the_front_doors_key_goes_no_further(small: House) -> None:
    """A key that is made anew is known at once, and the header is taken out of the request."""
    door, file = small.context.get(Door), small.home / "secrets" / "frontdoor.key"
    line = RequestStartLine("GET", "/", "HTTP/1.0")
    for key in ("a" * 64, "b" * 64):
        file.write_text(f"{key}\n")
        headers = HTTPHeaders({"x-smalti-door": key, "X-Real-Ip": "203.0.113.9"})
        request = HTTPServerRequest(start_line=line, headers=headers)
        assert door.address(request) == "203.0.113.9"
        assert "X-Smalti-Door" not in request.headers


async def test_a_huge_body_is_not_read_to_its_end(small: House) -> None:
    """A gigabyte is announced: the answer comes before it is sent."""
    token = await small.sign_in("alice")
    reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
    head = (
        f"POST {API}/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {1 << 30}\r\n\r\n"
    )
    writer.write(head.encode())
    line = await asyncio.wait_for(reader.readline(), 10)
    assert b"413" in line
    writer.close()


async def test_nobody_makes_the_platform_read_before_saying_who_they_are(small: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
    head = f"POST {API}/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert b" 401 " in answer
    # Or the next request of another caller behind the same proxy would meet a closed door.
    assert b"\r\nconnection: close\r\n" in answer.lower()
    writer.close()


@pytest.mark.parametrize("path", ["/services/smalti/nothing", "/", f"{API}/projects"])
async def test_no_path_takes_in_a_body_without_end(small: House, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
    writer.write(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 40}\r\n\r\n".encode())
    writer.write(b"x" * 100_000)
    line = await asyncio.wait_for(reader.readline(), 10)
    assert b" 404 " in line or b" 405 " in line
    # And it does not listen on: what is written from now on has no reader.
    with pytest.raises(ConnectionError):
        await pour(writer)
    writer.close()


async def pour(writer: asyncio.StreamWriter) -> None:
    """Send a gigabyte."""
    for _ in range(10_000):
        writer.write(b"x" * 100_000)
        await writer.drain()


async def test_a_connection_whose_body_was_read_lives_on(house: House) -> None:
    alice = await house.sign_in("alice")
    for more in ({}, {"json": {}}, {"content": b"{"}):
        answer = await house.call("POST", "/projects", as_=alice, **more)
        assert answer.status_code in (400, 422)
        assert "Connection" not in answer.headers


async def test_errors_have_one_shape(house: House) -> None:
    alice = await house.sign_in("alice")
    cases: list[tuple[str, str, dict[str, Any], int]] = [
        ("GET", "/nothing", {}, 404),
        ("GET", "/people?limit=0", {}, 400),
        ("GET", "/people?wrong=1", {}, 400),
        ("GET", "/tokens?cursor=x", {}, 400),
        ("POST", "/me", {}, 405),
        ("POST", "/projects", {"content": b"{"}, 400),
        ("POST", "/projects", {"json": {}}, 422),
        ("GET", "/people", {}, 403),
    ]
    for method, path, more, status in cases:
        answer = await house.call(method, path, as_=alice, **more)
        assert answer.status_code == status, (method, path, answer.text)
        error = answer.json()["error"]
        assert set(error) == {"code", "message", "details", "request_id"}
        assert answer.headers["Content-Type"] == "application/json"
    wrong = await house.call("POST", "/me", as_=alice)
    assert set(wrong.headers["Allow"].split(", ")) == {"GET", "HEAD"}


async def test_what_nobody_foresaw_is_told_without_a_trace(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("canary in /secret/path")

    monkeypatch.setattr(house.context.get(Resolver), "actor", broken)
    answer = await house.call("GET", "/me")
    assert answer.status_code == 500
    error = shape(answer)
    assert error["code"] == "internal"
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "error",
    [Conflict("it is so", code="why", details={"a": 1}), Unavailable("later", retry_after=7)],
)
async def test_what_was_foreseen_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, error: PublicError
) -> None:
    async def refuse(_: object) -> None:
        raise error

    monkeypatch.setattr(house.context.get(Resolver), "actor", refuse)
    answer = await house.call("GET", "/me")
    assert answer.status_code == error.status
    # tornado hangs up after it: a proxy that was not told so would lose the next call
    assert answer.headers["Connection"] == "close"
    told = shape(answer)
    assert (told["code"], told["message"], told["details"]) == (
        error.code,
        error.message,
        error.details,
    )
    if isinstance(error, Unavailable):
        assert answer.headers["Retry-After"] == "7"


async def test_every_answer_is_for_its_caller_alone(house: House) -> None:
    alice = await house.sign_in("alice")
    for path in ("/me", "/nothing", "/services/smalti/health", "/services/smalti/"):
        answer = await house.call("GET", path, as_=alice)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "unsafe" not in answer.headers.get("Content-Security-Policy", "")
        assert "tornado" not in answer.headers["Server"].lower()
    me = await house.call("GET", "/me", as_=alice)
    assert me.headers["Cache-Control"] == "no-store"


async def test_head_is_get_without_the_body(house: House) -> None:
    alice = await house.sign_in("alice")
    answer = await house.call("HEAD", "/me", as_=alice)
    assert answer.status_code == 200
    assert answer.content == b""


async def test_an_etag_names_the_state(house: House) -> None:
    alice = await house.sign_in("alice")
    made = await house.call("POST", "/projects", as_=alice, json={"name": "wine"})
    path = f"/projects/{made.json()['id']}"
    first = (await house.call("GET", path, as_=alice)).headers["ETag"]
    assert (await house.call("GET", path, as_=alice)).headers["ETag"] == first
    body = {"description": "changed"}
    headers = {"If-Match": first}
    changed = await house.call("PATCH", path, as_=alice, json=body, headers=headers)
    assert changed.headers["ETag"] not in ("", first)
    late = await house.call("PATCH", path, as_=alice, json=body, headers=headers)
    assert late.status_code == 412


async def test_a_post_with_a_key_is_done_once(house: House) -> None:
    alice = await house.sign_in("alice")
    headers = {"Idempotency-Key": "k"}
    body = {"name": "wine"}
    answers = await asyncio.gather(
        *(house.call("POST", "/projects", as_=alice, json=body, headers=headers) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert replayed.count(None) == 1
    other = await house.call("POST", "/projects", as_=alice, json={"name": "b"}, headers=headers)
    assert other.status_code == 422


async def test_the_openapi_document_is_whole(house: House) -> None:
    document = (await house.call("GET", "/services/smalti/api/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    names: list[str] = []
    for path, methods in document["paths"].items():
        assert "*" not in path
        for method, operation in methods.items():
            names.append(operation["operationId"])
            assert operation["summary"], (method, path)
            declared = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert any(code.startswith("2") for code in operation["responses"])
    assert len(names) == len(set(names))
    text = json.dumps(document)
    wanted = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert wanted <= set(document["components"]["schemas"])
    public = {(route.method.lower(), route.path.replace("*}", "}")) for route in
              house.platform.routes if not route.hidden}  # fmt: skip
    assert public == {(m, p) for p, methods in document["paths"].items() for m in methods}

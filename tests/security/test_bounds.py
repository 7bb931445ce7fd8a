"""S12 unbounded input: whatever is too large or too odd is refused soon, and hurts nobody else."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from services.core.routing import API
from services.core.settings import Settings
from tests.house import House
from tests.security.furnished import made

GIGABYTE = 1 << 30
PIECE = b"x" * (1 << 16)
SOON = 10.0


class Line:
    """A bare connection: says what no client library would."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def __aenter__(self) -> Line:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.house.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def head(self, method: str, path: str, token: str, *headers: str) -> bytes:
        """Write a request's head."""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: localhost:{self.house.port}",
            f"Authorization: Bearer {token}",
            *headers,
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    async def status(self) -> int:
        """Read the answer's status; 0 when the connection ended without one."""
        try:
            line = await asyncio.wait_for(self.reader.readline(), SOON)
        except ConnectionResetError:
            return 0
        return int(line.split()[1]) if line else 0

    async def pour(self, size: int) -> int:
        """Send up to `size` bytes until the other side has had enough; give how many went out."""
        sent = 0
        try:
            while sent < size:
                self.writer.write(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
                await asyncio.wait_for(self.writer.drain(), SOON)
                sent += len(PIECE)
        except (ConnectionError, TimeoutError):
            pass
        return sent


@pytest.fixture
async def ada(house: House) -> str:
    """A person."""
    return await house.sign_in("ada")


async def alive(house: House, token: str) -> None:
    """Somebody else is served at once."""
    began = time.monotonic()
    await made(house, "GET", "/me", token)
    assert time.monotonic() - began < SOON


async def test_a_gigabyte_of_json_is_refused_by_its_announced_length(
    house: House, ada: str
) -> None:
    async with Line(house) as line:
        line.writer.write(line.head("POST", f"{API}/projects", ada, f"Content-Length: {GIGABYTE}"))
        began = time.monotonic()
        assert await line.status() == 413
        assert time.monotonic() - began < SOON
    await alive(house, ada)


async def test_a_gigabyte_of_json_in_chunks_is_cut_off_early(house: House, ada: str) -> None:
    async with Line(house) as line:
        head = line.head("POST", f"{API}/projects", ada, "Transfer-Encoding: chunked")
        line.writer.write(head)
        pouring = asyncio.create_task(line.pour(GIGABYTE))
        began = time.monotonic()
        status = await line.status()
        sent = await pouring
        assert status in (0, 413)
        assert time.monotonic() - began < SOON
        assert sent < GIGABYTE // 8
    await alive(house, ada)


async def test_just_over_the_limit_is_said_in_words_in_chunks_too(house: House, ada: str) -> None:
    async def pieces() -> object:
        for _ in range(house.settings.body_max // len(PIECE) + 1):
            yield PIECE

    headers = {"Content-Type": "application/json"}
    answer = await house.call("POST", "/projects", as_=ada, content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
    await alive(house, ada)


async def test_an_anonymous_gigabyte_is_not_even_read(house: House) -> None:
    async with Line(house) as line:
        head = line.head(
            "PUT", f"{API}/projects/x/content/y", "none", f"Content-Length: {GIGABYTE}"
        )
        line.writer.write(head)
        assert await line.status() in (401, 503)  # no hub here to ask about the token


@pytest.mark.parametrize(
    "headers",
    [
        [f"X-Large: {'x' * (1 << 20)}"],
        [f"X-Many-{number}: {'y' * 50}" for number in range(5000)],
        [f"Cookie: {'c' * (64 << 10)}"],
    ],
    ids=["large", "many", "cookie"],
)
async def test_huge_headers_end_the_connection_and_nothing_else(
    house: House, ada: str, headers: list[str]
) -> None:
    async with Line(house) as line:
        line.writer.write(line.head("GET", f"{API}/me", ada, *headers))
        assert await line.status() in (0, 400, 431)
    await alive(house, ada)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_a_head_that_is_none_ends_its_connection(house: House, ada: str, head: bytes) -> None:
    async with Line(house) as line:
        line.writer.write(head)
        assert await line.status() in (0, 400, 404, 431)
    await alive(house, ada)


async def test_slow_callers_keep_nobody_waiting(house: House, ada: str) -> None:
    lines = [Line(house) for _ in range(200)]
    for line in lines:
        await line.__aenter__()
        line.writer.write(line.head("POST", f"{API}/projects", ada, "Content-Length: 100")[:-2])
    try:
        for _ in range(5):
            await alive(house, ada)
        body = {"name": "meanwhile"}
        await made(house, "POST", "/projects", ada, json=body)
    finally:
        for line in lines:
            await line.__aexit__()


LONG = "x" * 10_000
DEEP = 50_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/projects", {"name": LONG}),
        ("/projects", {"name": "a", "description": "x" * 1_000_000}),
        ("/projects", {"name": "a", "import_url": f"https://{LONG}"}),
        ("/tokens", {"name": LONG}),
        ("/tokens", {"name": "a", "expires_in_days": 10**30}),
        ("/jobs", {"project_id": LONG, "command": ["true"]}),
        ("/jobs", {"project_id": "x", "command": [LONG * 100]}),
        ("/jobs", {"project_id": "x", "command": ["x"] * 100_000}),
        ("/jobs", {"project_id": "x", "command": ["true"], "env": {LONG: "1"}}),
        ("/jobs", {"project_id": "x", "command": ["true"], "tags": ["t"] * 10_000}),
        ("/jobs", {"project_id": "x", "command": ["true"], "title": LONG}),
        ("/jobs", {"project_id": "x", "command": ["true"], "timeout": 1e308}),
        ("/jobs", {"project_id": "x", "command": ["true"], "retries": 10**9}),
    ],
)
async def test_what_is_too_long_is_refused(house: House, ada: str, path: str, body: object) -> None:
    answer = await house.call("POST", path, as_=ada, json=body)
    assert answer.status_code in (404, 422), answer.text[:500]
    assert len(answer.text) < 5000  # the answer does not echo it


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        '{"name": ' + "[" * 100 + "]" * 100 + "}",
        '{"name": NaN}',
        '{"name": ' + "9" * 100_000 + "}",
        '{"name": "\\ud800"}',
        '{"name": "a\\u0000b"}',
        '{"name": "a"',
        "\xff\xfe",
    ],
)
async def test_json_that_is_odd_is_refused(house: House, ada: str, text: str) -> None:
    answer = await house.call("POST", "/projects", as_=ada, content=text.encode("latin-1"))
    assert answer.status_code in (400, 422), answer.text[:500]
    assert answer.json()["error"]["request_id"]


@pytest.mark.parametrize(
    "path",
    [
        "/jobs?" + "&".join(f"p{n}=1" for n in range(2000)),
        "/jobs?limit=1" + "&limit=1" * 1000,
        "/jobs?limit=1000000000",
        "/jobs?limit=-1",
        "/jobs?cursor=" + LONG,
        "/jobs?tag=" + LONG,
        "/jobs?status=" + "a" * 5000,
        "/jobs/" + "x" * 5000,
        "/jobs/%00",
        "/projects?name=%ff%fe",
        "/projects?owner=%00",
        "/jobs/" + "%2e%2e%2f" * 100,
    ],
)
async def test_queries_and_paths_that_are_odd_are_refused(
    house: House, ada: str, path: str
) -> None:
    answer = await house.call("GET", path, as_=ada)
    assert answer.status_code in (400, 404), answer.text[:300]
    assert len(answer.text) < 5000


@pytest.mark.parametrize("key", ["k" * 201, "k" * 20_000])
async def test_an_idempotency_key_has_an_end(house: House, ada: str, key: str) -> None:
    headers = {"Idempotency-Key": key}
    answer = await house.call("POST", "/projects", as_=ada, json={"name": "a"}, headers=headers)
    assert answer.status_code == 400


async def test_a_token_of_any_length_is_only_refused(house: House) -> None:
    for token in ("sml_" + "x" * 10_000, "sml_", "sml_\xff", "sml_' OR 1=1 --"):
        headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
        answer = await house.client.get(f"{API}/me", headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 401, (token[:20], answer.text)


async def test_a_person_has_an_end_of_waiting_jobs_and_of_tokens(tmp_path: object) -> None:
    async with House(tmp_path, queue_max_per_person=3) as house:  # type: ignore[arg-type]
        ada = await house.sign_in("ada")
        project = (await made(house, "POST", "/projects", ada, json={"name": "wine"}))["id"]
        await made(house, "PUT", f"/projects/{project}/content/a", ada, content=b"1")
        body = {"project_id": project, "command": ["true"]}
        for _ in range(3):
            await made(house, "POST", "/jobs", ada, json=body)
        answer = await house.call("POST", "/jobs", as_=ada, json=body)
        assert answer.status_code == 429
        assert "3" in answer.json()["error"]["message"]


def test_every_limit_that_there_is_has_an_end() -> None:
    """A new limit belongs here: none is without an end unless somebody wished it."""
    limits = {
        name: trait.default_value
        for name, trait in Settings.class_traits(config=True).items()
        if name.endswith("_max") or "_max_" in name
    }
    assert set(limits) >= {
        "body_max", "form_max", "upload_max", "push_max", "file_edit_max", "import_max",
        "log_max", "outputs_max", "output_files_max", "run_disk_max", "processes_max",
        "queue_max_per_person", "running_max_per_person", "job_timeout_max",
    }  # fmt: skip
    assert all(0 < value < 1 << 40 for value in limits.values())
    assert json.dumps(limits)

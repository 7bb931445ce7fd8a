"""Repositories brought in from elsewhere, and from where they never are."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest

from services.core.actor import SYSTEM
from services.core.settings import Settings
from services.projects import imports, outside, tending
from services.projects.outside import Refused
from services.projects.runtime import Repositories
from tests.house import House
from tests.projects.git import Client
from tests.projects.made import Made, make

BAD_URLS = [
    "", "x", "file:///etc", "/etc", "ssh://host/x", "git://host/x", "ext::sh -c touch% /tmp/x", "ftp://h/x",
    "http://example.org/x", "https://user@example.org/x", "https://user:secret@example.org/x",
    "https://example.org/x?a=b", "https://example.org/x#y", "https://example.org", "https://example.org/",
    "https://[::1]/x", "https://exa mple.org/x", "https://example.org/x y", "https://example.org/\nx",
    "--upload-pack=x", "https://-x/y", "https://example.org:99999/x", "https://example.org\\@x/y",
    "https://EXAMPLE.org\t/x", "HTTPS://example.org/x", "https:///x", "https://ä.org/x", "https://a/x\x00",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "ff02::1", "2001:db8::1", "fd00:ec2::254", "::127.0.0.1",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("url", BAD_URLS)
def test_addresses_that_are_not_taken(url: str) -> None:
    with pytest.raises(Refused) as caught:
        outside.check_address(url, Settings())
    assert caught.value.status == 422
    assert "secret" not in caught.value.message


def test_addresses_that_are_taken() -> None:
    for url in ("https://example.org/x.git", "https://a.b-c.org:8443/~me/x/y"):
        place = outside.check_address(url, Settings())
        assert place.scheme == "https"
    assert outside.check_address("https://example.org/x", Settings()).url == (
        "https://example.org:443/x"
    )


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not outside.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert outside.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0"]
)
async def test_names_of_this_machine_are_refused(host: str) -> None:
    place = outside.check_address(f"https://{host}/x", Settings())
    with pytest.raises(Refused):
        await outside.pin(place, Settings())


async def test_one_bad_answer_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", (address, 443)) for address in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    place = outside.check_address("https://example.org/x", Settings())
    with pytest.raises(Refused):
        await outside.pin(place, Settings())


async def _wait(made: Made) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            view: dict[str, Any] = (await made.call("GET")).json()
            if view["status"] != "importing":
                return view
            await asyncio.sleep(0.05)


async def test_a_private_address_fails_with_its_reason(house: House) -> None:
    alice = await house.sign_in("alice")
    made = await make(house, alice, "wine", import_url="https://localhost:1/x.git")
    assert made.project["status"] == "importing"
    view = await _wait(made)
    assert view["status"] == "failed"
    assert view["status_reason"] == "import_url: this address is not on the public network"


class Forge:
    """Another place that serves git: http-backend behind a small server, with odd manners."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.server = HTTPServer(self._serve)
        sockets = [socket.create_server(("127.0.0.1", 0))]
        for one in sockets:
            one.setblocking(False)
        self.server.add_sockets(sockets)
        self.port = int(sockets[0].getsockname()[1])

    def url(self, path: str) -> str:
        """Address of a repository there."""
        return f"http://localhost:{self.port}/{path}"

    def _serve(self, request: HTTPServerRequest) -> None:
        self.asked.append(request.uri or "")
        asyncio.ensure_future(self._answer(request))  # noqa: RUF006 - ends with the connection

    async def _answer(self, request: HTTPServerRequest) -> None:
        connection: Any = request.connection
        raw = b""
        if request.path.startswith("/moved"):
            raw = b"HTTP/1.1 302 Found\r\nLocation: /good.git/info/refs?service=git-upload-pack\r\n"
            raw += b"Content-Length: 0\r\n\r\n"
        elif request.path.startswith("/closed"):
            raw = (
                b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
            )
        else:
            raw = await self._cgi(request)
        await connection.stream.write(raw)
        connection.stream.close()

    async def _cgi(self, request: HTTPServerRequest) -> bytes:
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query,
            "REQUEST_METHOD": request.method or "",
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        }
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", env=variables, stdin=-1, stdout=-1
        )
        out, _ = await process.communicate(request.body)
        head, _, body = out.partition(b"\r\n\r\n")
        status = b"200 OK"
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"status:"):
                status = line[7:].strip()
        return b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n" + head + b"\r\n\r\n" + body


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Forge]:
    """Another place with a repository whose default branch is `trunk`."""
    folder = tmp_path / "forge"
    client = Client(folder)
    await client.ok("init", "-q", "-b", "trunk", "good.git")
    await client.commit("good.git", {"a": b"1" * 1000, "b/c": os.urandom(50_000)})
    await client.ok("branch", "other", at="good.git")
    await client.ok("tag", "-a", "-m", "x", "v1", at="good.git")
    made = Forge(folder)
    yield made
    made.server.stop()


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    """A house that may import from this machine, at most 10 MB."""
    async with House(tmp_path, import_private=True, import_max=10_000_000) as house:
        yield house


async def test_import(open_house: House, forge: Forge, client: Client) -> None:
    alice = await open_house.sign_in("alice")
    body = {"name": "wine", "import_url": forge.url("good.git/.git")}
    answer = await open_house.call("POST", "/projects", as_=alice, json=body)
    assert answer.status_code == 202
    made = Made(open_house, alice, answer.json())
    refused = await made.put("x", b"1")
    view = await _wait(made)
    assert refused.status_code == 409 or view["status"] == "ready"
    assert (view["status"], view["status_reason"]) == ("ready", None)
    assert view["default_branch"] == "trunk"
    branches = (await made.call("GET", "/branches")).json()["items"]
    assert [(one["name"], one["default"]) for one in branches] == [
        ("other", False),
        ("trunk", True),
    ]
    assert [one["name"] for one in (await made.call("GET", "/tags")).json()["items"]] == ["v1"]
    assert (await made.call("GET", "/content/a")).content == b"1" * 1000
    assert (await made.put("x", b"1")).status_code == 200
    left = [path.name for path in made.path.parent.iterdir()]
    assert left == [made.path.name]
    assert "localhost" not in (made.path / "config").read_text()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("none.git", "there is no repository at this address"),
        ("moved.git", "the address leads elsewhere"),
        ("closed.git", "asks for a password"),
    ],
)
async def test_imports_that_fail_say_why(
    open_house: House, forge: Forge, path: str, why: str
) -> None:
    alice = await open_house.sign_in("alice")
    made = await make(open_house, alice, "wine", import_url=forge.url(path))
    view = await _wait(made)
    assert view["status"] == "failed"
    assert why in view["status_reason"]
    if path == "moved.git":
        assert not [one for one in forge.asked if one.startswith("/good")]
    assert (await made.put("x", b"1")).status_code == 200


async def test_an_import_past_the_limit(open_house: House, forge: Forge) -> None:
    open_house.settings.import_max = 20_000
    alice = await open_house.sign_in("alice")
    made = await make(open_house, alice, "wine", import_url=forge.url("good.git/.git"))
    view = await _wait(made)
    assert view["status_reason"] == "the repository is larger than 20000 bytes"
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]


async def test_an_import_goes_on_after_a_restart(
    tmp_path: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> str:
        await asyncio.Event().wait()
        return ""

    async with House(tmp_path, import_private=True) as first:
        monkeypatch.setattr(imports, "_import", never)
        alice = await first.sign_in("alice")
        made = await make(first, alice, "wine", import_url=forge.url("good.git/.git"))
        database = first.database_url
    monkeypatch.undo()
    second = House.__new__(House)
    second.__dict__.update(first.__dict__)
    second.database_url = database
    async with second:
        assert (await _wait(Made(second, alice, made.project)))["status"] == "ready"


async def test_leftovers_are_swept_and_projects_are_not(made: Made) -> None:
    folder = made.path.parent
    orphan = folder / "01890000-0000-7000-8000-000000000001.git"
    young = folder / "01890000-0000-7000-8000-000000000002.git"
    for path in (orphan, young, folder / ".new-x", folder / ".import-x-1", folder / "stranger"):
        path.mkdir()
        if path is not young:
            os.utime(path, (1, 1))
    os.utime(made.path, (1, 1))
    work = made.house.work(SYSTEM)
    await tending.sweep(work, made.house.context.get(Repositories))
    assert {path.name for path in folder.iterdir()} == {made.path.name, young.name, "stranger"}


async def test_packing_keeps_what_no_branch_reaches(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [(await made.put(f"f{n}", b"%d" % n)).json()["id"] for n in range(6)]
    branch = made.path / "refs" / "heads" / "main"
    branch.write_text(f"{ids[0]}\n")
    monkeypatch.setattr(tending, "LOOSE", 5)
    (made.path / "objects" / "tmp_objdir-incoming-x").mkdir()
    os.utime(made.path / "objects" / "tmp_objdir-incoming-x", (1, 1))
    await tending.turn(made.house.work(SYSTEM))
    assert not tending.needs_packing(made.path)
    assert not (made.path / "objects" / "tmp_objdir-incoming-x").exists()
    assert len(list((made.path / "objects" / "pack").glob("*.pack"))) == 1
    assert (await made.call("GET", f"/content/f5?ref={ids[5]}")).content == b"5"
    assert (await made.call("GET", "/branches")).json()["items"][0]["commit"] == ids[0]

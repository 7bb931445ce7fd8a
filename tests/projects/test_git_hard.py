"""git over HTTP where it is hard: large, broken off, encoded, refused, many at once."""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select

from services.core.rights import PlatformRole
from services.core.tables import audit_events
from services.projects import git_http
from services.projects.git_http import Gate
from tests.house import House
from tests.projects.git import Client, address
from tests.projects.made import Made, make

GIT = "/services/smalti/git"
MiB = 1 << 20


def pkt(text: bytes) -> bytes:
    """Make a pkt-line."""
    return b"%04x" % (len(text) + 4) + text


async def test_who_may_not(made: Made, client: Client) -> None:
    house = made.house
    await client.ok("clone", "-q", address(house, "alice/wine", made.token), "work")
    await client.commit("work", {"a": b"1"})
    await client.ok("push", "-q", "origin", "main", at="work")
    wrong = await client.run("ls-remote", address(house, "alice/wine", "sml_nonsense"))
    assert "Authentication failed" in wrong.err
    anonymous = await client.run("ls-remote", f"{house.origin}{GIT}/alice/wine.git")
    assert "could not read Username" in anonymous.err
    bob = await house.sign_in("bob")
    foreign = await client.run("ls-remote", address(house, "alice/wine", bob))
    missing = await client.run("ls-remote", address(house, "alice/none", bob))
    assert "not found" in foreign.err
    assert foreign.err.replace("wine", "none") == missing.err
    await made.call("POST", "/members", json={"person": "bob", "role": "consumer"})
    consumer = await client.run("ls-remote", address(house, "alice/wine", bob))
    assert "403" in consumer.err
    await made.call("PATCH", json={"visibility": "internal"})
    carol = await house.sign_in("carol")
    assert "main" in await client.ok("ls-remote", address(house, "alice/wine", carol))
    await client.ok("remote", "set-url", "origin", address(house, "alice/wine", carol), at="work")
    await client.commit("work", {"a": b"2"})
    refused = await client.run("push", "-q", "origin", "main", at="work")
    assert "403" in refused.err
    assert "you may not do this" in refused.err


async def test_only_smart_services(made: Made) -> None:
    call, base = made.house.call, f"{GIT}/alice/wine.git"
    for path, status in (
        ("info/refs", 400),
        ("info/refs?service=git-upload-archive", 400),
        ("info/refs?service=../x", 400),
        ("HEAD", 404),
        ("objects/info/packs", 404),
        ("config", 404),
        ("info/refs%2F..%2F..%2Fx", 404),
    ):
        answer = await call("GET", f"{base}/{path}", as_=made.token)
        assert answer.status_code == status, (path, answer.text)
    unknown = await call("GET", f"{base}/info/refs?service=git-upload-pack")
    assert unknown.status_code == 401
    assert unknown.headers["WWW-Authenticate"] == 'Basic realm="smalti"'
    for owner, name in (("alice", "..%2Fx"), ("..", "wine"), ("%2e%2e", "%2e%2e"), ("alice", "-x")):
        answer = await call(
            "GET", f"{GIT}/{owner}/{name}.git/info/refs?service=git-upload-pack", as_=made.token
        )
        assert answer.status_code == 404
    odd = await call(
        "POST",
        f"{base}/git-upload-pack",
        as_=made.token,
        content=b"0000",
        headers={"Content-Encoding": "br", "Content-Type": "application/x-git-upload-pack-request"},
    )
    assert odd.status_code == 415
    kind = await call("POST", f"{base}/git-upload-pack", as_=made.token, content=b"0000")
    assert kind.status_code == 415


async def test_gzip_chunked_and_awaited_bodies(made: Made) -> None:
    """What git clients send: compressed, without a length, and after `100 Continue`."""
    commit = (await made.put("a", b"1" * 5000)).json()["id"]
    body = pkt(b"want %s no-progress ofs-delta\n" % commit.encode()) + b"0000" + pkt(b"done\n")
    path = f"{GIT}/alice/wine.git/git-upload-pack"
    kind = {"Content-Type": "application/x-git-upload-pack-request"}

    async def pieces() -> Any:
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    async def packed() -> Any:
        data = gzip.compress(body)
        for at in range(0, len(data), 5):
            yield data[at : at + 5]

    plain = await made.house.call("POST", path, as_=made.token, content=body, headers=kind)
    assert plain.status_code == 200
    assert b"PACK" in plain.content
    zipped = {**kind, "Content-Encoding": "gzip"}
    for content, headers in (
        (gzip.compress(body), zipped),
        (pieces(), kind),
        (packed(), zipped),
        (body, {**kind, "Expect": "100-continue"}),
    ):
        answer = await made.house.call(
            "POST", path, as_=made.token, content=content, headers=headers
        )
        assert (answer.status_code, answer.content) == (200, plain.content)
    broken = await made.house.call("POST", path, as_=made.token, content=b"no gzip", headers=zipped)
    assert broken.status_code in (200, 400, 500, 503)
    assert b"PACK" not in broken.content


async def test_chunked_and_awaited_pushes_of_a_real_client(made: Made, client: Client) -> None:
    url = address(made.house, "alice/wine", made.token)
    await client.ok("clone", "-q", url, "work")
    first = await client.commit("work", {"a": os.urandom(3 * MiB)})
    chunked = ["-c", "http.postBuffer=65536", "push", "-q", "origin", "main"]
    answer = await client.run(*chunked, at="work", GIT_CURL_VERBOSE="1")
    assert answer.code == 0, answer.err
    assert "Transfer-Encoding: chunked" in answer.err
    expecting = ["-c", "http.extraHeader=Expect: 100-continue", *chunked]
    second = await client.commit("work", {"b": os.urandom(MiB)})
    answer = await client.run(*expecting, at="work", GIT_CURL_VERBOSE="1")
    assert answer.code == 0, answer.err
    assert "100" in answer.err
    log = await client.ok("ls-remote", url, "main")
    assert log.split("\t")[0] == second != first


async def test_old_protocols_shallow_and_by_id(made: Made, client: Client) -> None:
    url = address(made.house, "alice/wine", made.token)
    first = (await made.put("a", b"1")).json()["id"]
    await made.put("a", b"2")
    for version in ("0", "1", "2"):
        await client.ok("-c", f"protocol.version={version}", "clone", "-q", url, f"v{version}")
        await client.ok("init", "-q", f"one{version}")
        await client.ok(
            "-c",
            f"protocol.version={version}",
            "fetch",
            "-q",
            "--depth=1",
            url,
            first,
            at=f"one{version}",
        )
        fetched = await client.ok("rev-parse", "FETCH_HEAD", at=f"one{version}")
        assert fetched == first


async def test_a_commit_stays_after_a_forced_push(made: Made, client: Client) -> None:
    url = address(made.house, "alice/wine", made.token)
    gone = (await made.put("a", b"1")).json()["id"]
    await client.ok("init", "-q", "work")
    await client.commit("work", {"b": b"1"})
    await client.ok("push", "-q", "--force", url, "HEAD:main", at="work")
    await client.ok("init", "-q", "other")
    await client.ok("fetch", "-q", url, gone, at="other")


async def test_the_default_branch_cannot_be_deleted(made: Made, client: Client) -> None:
    url = address(made.house, "alice/wine", made.token)
    await made.put("a", b"1")
    await client.ok("clone", "-q", url, "work")
    await client.ok("push", "-q", "origin", "main:other", at="work")
    await client.ok("push", "-q", "origin", ":other", at="work")
    refused = await client.run("push", "-q", "origin", ":main", at="work")
    assert "refusing to delete the current branch" in refused.err.lower() + refused.err


async def test_the_only_branch_of_a_first_push_becomes_the_default(
    made: Made, client: Client
) -> None:
    await client.ok("init", "-q", "work")
    await client.commit("work", {"b": b"1"})
    url = address(made.house, "alice/wine", made.token)
    await client.ok("push", "-q", url, "HEAD:trunk", at="work")
    assert (await made.call("GET")).json()["default_branch"] == "trunk"
    await client.ok("clone", "-q", url, "again")
    assert (client.folder / "again" / "b").exists()


async def test_hooks_never_run(made: Made, client: Client, tmp_path: Path) -> None:
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction"):
        hook = made.path / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    await client.ok("init", "-q", "work")
    await client.commit("work", {"b": b"1"})
    url = address(made.house, "alice/wine", made.token)
    await client.ok("push", "-q", url, "HEAD:main", at="work")
    await made.put("c", b"1")
    assert not (tmp_path / "ran").exists()


async def test_malicious_objects_are_refused(made: Made, client: Client) -> None:
    await client.ok("init", "-q", "work")
    blob_path = client.folder / "work" / "x"
    blob_path.write_bytes(b"evil")
    blob = await client.ok("hash-object", "-w", "x", at="work")
    tree_content = b"40000 .GIT\0" + bytes.fromhex(
        await client.ok("hash-object", "-w", "-t", "tree", "--literally", "--stdin", at="work")
    )
    raw = client.folder / "work" / "raw"
    raw.write_bytes(tree_content + b"")
    tree = await client.ok("hash-object", "-w", "-t", "tree", "--literally", "raw", at="work")
    commit = await client.ok("commit-tree", tree, "-m", "evil", at="work")
    url = address(made.house, "alice/wine", made.token)
    refused = await client.run("push", "-q", url, f"{commit}:refs/heads/main", at="work")
    assert refused.code != 0
    assert "fsck" in refused.err.lower() or "dotgit" in refused.err.lower(), (refused.err, blob)
    assert (await made.call("GET", "/branches")).json()["items"] == []


@pytest.fixture
async def small(tmp_path: Path) -> Any:
    """A house that takes pushes of 1 MiB at most."""
    async with House(tmp_path, push_max=MiB) as house:
        yield await make(house, await house.sign_in("alice"), "wine")


@pytest.mark.parametrize("buffer", ["64k", "64m"])
async def test_a_push_past_the_limit(small: Made, client: Client, buffer: str) -> None:
    await client.ok("init", "-q", "work")
    await client.commit("work", {"a": os.urandom(4 * MiB)})
    url = address(small.house, "alice/wine", small.token)
    push = ["-c", f"http.postBuffer={buffer}", "push", "-q", url, "HEAD:main"]
    assert (await client.run(*push, at="work")).code != 0
    await client.commit("work", {"a": b"small"})
    await client.ok("init", "-q", "other")
    await client.commit("other", {"b": b"1"})
    await client.ok("push", "-q", url, "HEAD:main", at="other")
    left = [path.name for path in (small.path / "objects").iterdir()]
    assert not [name for name in left if name.startswith(("tmp_", "incoming"))]


async def _connect(house: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", house.port)


async def _until(condition: Any, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def _children() -> list[str]:
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            found.append(" ".join(child.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return [line for line in found if "receive-pack" in line or "http-backend" in line]


async def test_a_push_that_breaks_off_leaves_all_well(made: Made, client: Client) -> None:
    first = (await made.put("a", b"1")).json()["id"]
    _, writer = await _connect(made.house)
    head = (
        f"POST {GIT}/alice/wine.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {made.token}\r\nContent-Length: 5000000\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\n\r\n"
    )
    command = pkt(f"{first} {'1' * 40} refs/heads/main\0 report-status\n".encode()) + b"0000"
    pack = b"PACK" + (2).to_bytes(4) + (100).to_bytes(4)
    size = 4_000_000
    # A blob's head (type 3) with its size in groups of 4 and 7 bits, and part of its content.
    entry, rest = bytes([0x80 | 0x30 | (size & 15)]), size >> 4
    while rest > 127:
        entry, rest = entry + bytes([0x80 | (rest & 127)]), rest >> 7
    entry += bytes([rest]) + zlib.compress(os.urandom(size), 0)[:2_000_000]
    writer.write(head.encode() + command + pack + entry)
    await writer.drain()
    await _until(lambda: any("receive-pack" in line for line in _children()))
    writer.transport.abort()
    await _until(lambda: not _children())
    assert (await made.call("GET", "/branches")).json()["items"][0]["commit"] == first
    left = [path.name for path in (made.path / "objects").iterdir()]
    assert not [name for name in left if name.startswith(("tmp_", "incoming"))]
    await client.ok("clone", "-q", address(made.house, "alice/wine", made.token), "work")
    await client.commit("work", {"b": b"1"})
    await client.ok("push", "-q", "origin", "main", at="work")
    await client.ok("fsck", "--strict", at="work")
    pushes = audit_events.c.action == "project.push"
    count = select(func.count()).select_from(audit_events).where(pushes)
    assert made.house.context.db.read_now(lambda tx: tx.scalar(count)) == 1


async def test_a_caller_who_stands_still_is_let_go(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_http, "IDLE", 0.3)
    await made.put("a", b"1")
    reader, writer = await _connect(made.house)
    head = (
        f"POST {GIT}/alice/wine.git/git-upload-pack HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {made.token}\r\nContent-Length: 1000\r\n"
        "Content-Type: application/x-git-upload-pack-request\r\n\r\n0"
    )
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    assert b" 503 " in answer.split(b"\r\n")[0]
    writer.close()
    await _until(lambda: not _children())


async def test_so_many_at_once_and_the_rest_wait() -> None:
    gate = Gate()
    inside, most = 0, 0

    async def one(person: str) -> None:
        nonlocal inside, most
        async with gate.enter(person):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one("alice") for _ in range(50)))
    assert most == git_http.EACH_AT_ONCE
    most = 0
    await asyncio.gather(*(one(f"p{n}") for n in range(80)))
    assert most == git_http.AT_ONCE


async def test_many_clones_at_once(made: Made, client: Client) -> None:
    await made.put("a", os.urandom(100_000))
    url = address(made.house, "alice/wine", made.token)
    await asyncio.gather(*(client.ok("clone", "-q", url, f"c{n}") for n in range(15)))


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_push_of_300_mb_costs_no_memory(made: Made, client: Client) -> None:
    await client.ok("init", "-q", "work")
    for number in range(3):
        with (client.folder / "work" / f"f{number}").open("wb") as file:
            for _ in range(100):
                file.write(os.urandom(MiB))
    await client.ok(
        "add",
        "-A",
        at="work",
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="core.compression",
        GIT_CONFIG_VALUE_0="0",
    )
    await client.ok("commit", "-q", "-m", "big", at="work")
    own = psutil.Process()
    before = own.memory_info().rss
    highest = before
    url = address(made.house, "alice/wine", made.token)
    pushing = asyncio.create_task(
        client.run(
            "-c",
            "core.compression=0",
            "-c",
            "pack.compression=0",
            "-c",
            "core.bigFileThreshold=1m",
            "push",
            "-q",
            url,
            "HEAD:main",
            at="work",
        )
    )
    while not pushing.done():
        highest = max(highest, own.memory_info().rss)
        await asyncio.wait({pushing}, timeout=0.05)
    answer = pushing.result()
    assert answer.code == 0, answer.err
    cloning = asyncio.create_task(client.run("clone", "-q", "--bare", url, "again"))
    while not cloning.done():
        highest = max(highest, own.memory_info().rss)
        await asyncio.wait({cloning}, timeout=0.05)
    assert cloning.result().code == 0
    assert highest - before < 40 * MiB, f"grew by {(highest - before) / MiB:.0f} MiB"


async def test_an_admin_and_a_run_may(made: Made, client: Client) -> None:
    root = await made.house.sign_in("root", PlatformRole.ADMIN)
    await made.put("a", b"1")
    await client.ok("clone", "-q", address(made.house, "alice/wine", root), "work")

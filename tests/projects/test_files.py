"""Files and history over the API: every edit is a commit, and none is lost."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from services.projects.edits import Author
from services.storage import Disk
from tests.projects.git import Client, address
from tests.projects.made import Made
from tests.projects.test_rules import BAD_PATHS, GOOD_PATHS


def git(made: Made, *arguments: str, data: bytes | None = None) -> bytes:
    """Run git in the project's repository, as the platform's machine could."""
    command = ["git", f"--git-dir={made.path}", *arguments]
    who = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x", "GIT_COMMITTER_NAME": "x",
           "GIT_COMMITTER_EMAIL": "x"}  # fmt: skip
    ran = subprocess.run(
        command, check=True, input=data, capture_output=True, env={**os.environ, **who}
    )
    return ran.stdout


async def test_write_read_remove(made: Made) -> None:
    content = bytes(range(256)) * 700
    written = await made.put("data/all%20bytes.bin", content)
    assert written.status_code == 200, written.text
    commit = written.json()
    assert commit["message"] == "Write data/all bytes.bin"
    assert commit["author"] == {"name": "alice", "email": "alice@users.smalti.local"}
    assert commit["parents"] == []
    read = await made.call("GET", "/content/data/all%20bytes.bin")
    assert read.content == content
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    assert read.headers["ETag"] == f'"{blob}"'
    assert read.headers["Content-Disposition"] == "attachment; filename*=UTF-8''all%20bytes.bin"
    assert read.headers["X-Content-Type-Options"] == "nosniff"
    same = {"If-None-Match": f'"{blob}"'}
    assert (
        await made.call("GET", "/content/data/all%20bytes.bin", headers=same)
    ).status_code == 304
    head = await made.call("HEAD", "/content/data/all%20bytes.bin")
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(content)))
    removed = await made.call("DELETE", "/content/data/all%20bytes.bin?message=away")
    assert removed.json()["parents"] == [commit["id"]]
    assert removed.json()["message"] == "away"
    assert (await made.call("GET", "/content/data/all%20bytes.bin")).status_code == 404
    old = await made.call("GET", f"/content/data/all%20bytes.bin?ref={commit['id']}")
    assert old.content == content
    git(made, "fsck", "--strict")


async def test_empty_project(made: Made) -> None:
    files = (await made.call("GET", "/files")).json()
    assert files == {"commit": None, "path": "", "items": [], "next_cursor": None}
    assert (await made.call("GET", "/commits")).json()["items"] == []
    assert (await made.call("GET", "/branches")).json()["items"] == []
    for path in ("/files?path=a", "/files?ref=main", "/content/a", "/commits?ref=x"):
        assert (await made.call("GET", path)).status_code == 404


async def test_the_same_content_makes_no_commit(made: Made) -> None:
    one, two = await made.put("a", b"1"), await made.put("a", b"1")
    assert one.json() == two.json()


async def test_preconditions(made: Made) -> None:
    await made.put("a", b"1")
    etag = (await made.call("GET", "/content/a")).headers["ETag"]
    assert (await made.put("a", b"2", headers={"If-Match": etag})).status_code == 200
    stale = await made.put("a", b"3", headers={"If-Match": etag})
    assert stale.status_code == 412
    assert (await made.call("DELETE", "/content/a", headers={"If-Match": etag})).status_code == 412
    assert (await made.put("a", b"4", headers={"If-None-Match": "*"})).status_code == 412
    assert (await made.put("b", b"4", headers={"If-None-Match": "*"})).status_code == 200
    assert (await made.call("GET", "/content/a")).content == b"2"


async def test_edits_at_the_same_time_lose_nothing(made: Made) -> None:
    answers = await asyncio.gather(*(made.put(f"f{n}", b"%d" % n) for n in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    files = (await made.call("GET", "/files")).json()["items"]
    assert sorted(one["name"] for one in files) == sorted(f"f{n}" for n in range(12))
    assert len((await made.call("GET", "/commits")).json()["items"]) == 12


async def test_edits_against_pushes_lose_nothing(made: Made, client: Client) -> None:
    await made.put("base", b"0")
    url = address(made.house, "alice/wine", made.token)
    await client.ok("clone", "-q", url, "work")

    async def push(number: int) -> None:
        await client.commit("work", {f"pushed{number}": b"x"})
        while (await client.run("push", "-q", at="work")).code:
            await client.ok("pull", "-q", "--rebase", at="work")

    async def edit() -> None:
        for number in range(8):
            assert (await made.put(f"edited{number}", b"x")).status_code == 200

    editing = asyncio.create_task(edit())
    for number in range(4):
        await push(number)
    await editing
    names = {one["name"] for one in (await made.call("GET", "/files")).json()["items"]}
    assert names == {"base", *(f"pushed{n}" for n in range(4)), *(f"edited{n}" for n in range(8))}


async def test_bad_paths_are_refused(made: Made) -> None:
    for path in BAD_PATHS:
        if path in ("", "\ud800", "/"):
            continue
        encoded = quote(path, safe="")
        for method in ("GET", "PUT", "DELETE"):
            answer = await made.call(method, f"/content/{encoded}")
            assert answer.status_code in (400, 404), (path, method, answer.text)
        if path.strip("/"):
            listed = await made.call("GET", f"/files?path={encoded}")
            assert listed.status_code in (400, 404), path
    assert not any((made.path / "refs" / "heads").iterdir())


async def test_odd_but_good_paths(made: Made) -> None:
    paths = [f"{number}/{path}" for number, path in enumerate(GOOD_PATHS)]
    for path in paths:
        answer = await made.put(quote(path, safe=""), path.encode())
        assert answer.status_code == 200, (path, answer.text)
    for path in paths:
        assert (await made.call("GET", f"/content/{quote(path, safe='')}")).content == path.encode()
    git(made, "fsck", "--strict")


async def test_files_and_folders_do_not_replace_each_other(made: Made) -> None:
    await made.put("a/b", b"1")
    for path in ("a", "a/b/c"):
        answer = await made.put(path, b"2")
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "bad_path"
    assert (await made.call("DELETE", "/content/a")).status_code == 400
    assert (await made.call("DELETE", "/content/none")).status_code == 404
    assert (await made.call("GET", "/content/a")).status_code == 404


async def test_links_and_modules_are_shown_and_never_followed(made: Made, client: Client) -> None:
    await client.ok("clone", "-q", address(made.house, "alice/wine", made.token), "work")
    work = client.folder / "work"
    (work / "link").symlink_to("/etc/passwd")
    (work / "folder").symlink_to("/etc")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    await client.ok("add", "-A", at="work")
    await client.ok("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module", at="work")
    await client.ok("commit", "-q", "-m", "odd", at="work")
    await client.ok("push", "-q", "origin", "main", at="work")
    items = (await made.call("GET", "/files")).json()["items"]
    assert {one["name"]: (one["type"], one["mode"]) for one in items} == {
        "folder": ("symlink", "120000"),
        "link": ("symlink", "120000"),
        "module": ("submodule", "160000"),
        "run.sh": ("file", "100755"),
    }
    assert (await made.call("GET", "/content/link")).content == b"/etc/passwd"
    assert (await made.call("GET", "/content/folder/passwd")).status_code == 404
    assert (await made.put("link", b"x")).status_code == 400
    assert (await made.put("folder/passwd", b"x")).status_code == 400
    assert (await made.call("GET", "/content/module")).status_code == 404
    await made.put("run.sh", b"#!/bin/sh\necho\n")
    assert b"100755" in git(made, "ls-tree", "main", "run.sh")
    assert (await made.call("DELETE", "/content/link")).status_code == 200


async def test_folders_by_pages(made: Made) -> None:
    for name in ("a/1", "a/2", "a/3", "b"):
        await made.put(name, b"x")
    top = (await made.call("GET", "/files")).json()
    assert [(one["path"], one["type"]) for one in top["items"]] == [
        ("a", "directory"),
        ("b", "file"),
    ]
    first = (await made.call("GET", "/files?path=a&limit=2")).json()
    assert [one["path"] for one in first["items"]] == ["a/1", "a/2"]
    rest = await made.call("GET", f"/files?path=a&limit=2&cursor={first['next_cursor']}")
    assert [one["name"] for one in rest.json()["items"]] == ["3"]
    assert rest.json()["next_cursor"] is None
    assert (await made.call("GET", "/files?path=b")).status_code == 404
    for bad in ("%25%25", "%C2%84", "_w", "a"):
        for path in ("/files", "/commits", "/branches", "/tags"):
            answer = await made.call("GET", f"{path}?cursor={bad}")
            assert answer.status_code == 400, (path, bad)


async def test_history_branches_tags(made: Made) -> None:
    ids = [(await made.put("a" if n % 2 else "b", b"%d" % n)).json()["id"] for n in range(5)]
    first = (await made.call("GET", "/commits?limit=2")).json()
    assert [one["id"] for one in first["items"]] == ids[:2:-1]
    await made.put("c", b"")  # pages hold on to where they began
    rest = (await made.call("GET", f"/commits?limit=9&cursor={first['next_cursor']}")).json()
    assert [one["id"] for one in rest["items"]] == ids[2::-1]
    of_a = (await made.call("GET", "/commits?path=a")).json()["items"]
    assert [one["id"] for one in of_a] == [ids[3], ids[1]]
    made_branch = await made.call("POST", "/branches", json={"name": "exp/one", "from": ids[0]})
    assert made_branch.status_code == 201, made_branch.text
    again = await made.call("POST", "/branches", json={"name": "exp", "from": "main"})
    assert again.status_code == 409
    for bad in ({"name": "x", "from": "none"}, {"name": "-x"}, {"name": "a..b"}):
        assert (await made.call("POST", "/branches", json=bad)).status_code == 422
    branches = (await made.call("GET", "/branches")).json()["items"]
    assert [(one["name"], one["default"]) for one in branches] == [
        ("exp/one", False),
        ("main", True),
    ]
    git(made, "tag", "-a", "v1", "-m", "x", ids[1])
    git(made, "tag", "v0", ids[0])
    tags = (await made.call("GET", "/tags")).json()["items"]
    assert tags == [{"name": "v0", "commit": ids[0]}, {"name": "v1", "commit": ids[1]}]
    edited = await made.put("z?branch=exp/one", b"z")
    assert edited.json()["parents"] == [ids[0]]
    assert (await made.put("z?branch=none", b"z")).status_code == 404
    assert (await made.put("z?branch=-x", b"z")).status_code == 404
    changed = await made.call("PATCH", json={"default_branch": "exp/one"})
    assert changed.json()["default_branch"] == "exp/one"
    assert (made.path / "HEAD").read_text() == "ref: refs/heads/exp/one\n"


async def test_a_large_file(made: Made) -> None:
    content = os.urandom(1 << 20) * 20
    written = await made.put("large", content)
    assert written.status_code == 200, written.text
    assert (await made.call("GET", "/content/large")).content == content
    assert not [one.name for one in (made.path / "objects").iterdir() if one.name[:3] == "tmp"]
    git(made, "fsck", "--strict")


async def test_a_full_disk_takes_no_file(made: Made, client: Client) -> None:
    await made.put("a", b"1")
    made.house.context.get(Disk)._measure = lambda _: 0
    assert (await made.put("a", b"2")).status_code == 507
    await client.ok("clone", "-q", address(made.house, "alice/wine", made.token), "work")
    await client.commit("work", {"b": b"1"})
    refused = await client.run("push", "-q", "origin", "main", at="work")
    assert "507" in refused.err


async def test_a_file_past_the_limit_is_413_and_leaves_no_commit(made: Made) -> None:
    made.house.settings.file_edit_max = 1000
    assert (await made.put("a", b"x" * 1001)).status_code == 413

    async def chunks() -> object:
        for _ in range(20):
            yield b"x" * 100

    answer = await made.call("PUT", "/content/a", content=chunks())
    assert answer.status_code == 413
    assert (await made.put("a", b"x" * 1000)).status_code == 200
    assert len((await made.call("GET", "/commits")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("name", "author", "email"),
    [
        ("alice", "alice", "alice"),
        ("a<b>\nc", "a b c", "a-b-c"),
        ("...", "somebody", "somebody"),
        ("Zoë X", "Zoë X", "zo-x"),
        ("x@y.org", "x@y.org", "x-y.org"),
    ],
)
async def test_any_persons_name_makes_an_author(
    made: Made, tmp_path: Path, name: str, author: str, email: str
) -> None:
    found = Author.of(name)
    assert (found.name.replace("  ", " "), found.email) == (author, f"{email}@users.smalti.local")

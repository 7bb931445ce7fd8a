"""S2 authority by name, S4 others' ids, S5 path traversal, S6 SSRF, S7 injection: projects."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import update

from services.core.actor import Actor
from services.core.rights import Permission, PlatformRole, Principal
from services.core.settings import Settings
from services.people.tables import persons
from services.projects import imports, outside
from services.projects.edits import Author
from services.projects.runtime import GitFailed, Repositories
from tests.house import House
from tests.projects.git import Client, address
from tests.projects.made import Made, make
from tests.projects.test_rules import BAD_REFS


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A git client."""
    return Client(tmp_path / "client")


@pytest.fixture
async def made(house: House) -> Made:
    """Alice's project `wine`, empty."""
    return await make(house, await house.sign_in("alice"), "wine")


# -- S2: rights are of ids, never of names ---------------------------------------------------


async def test_a_new_project_of_an_old_name_has_nothing_of_the_old_one(made: Made) -> None:
    house = made.house
    bob = await house.sign_in("bob")
    await made.call("POST", "/members", json={"person": "bob", "role": "contributor"})
    await made.put("secret", b"old")
    await made.call("DELETE")
    again = await make(house, made.token, "wine")
    assert (await again.call("GET", as_=bob)).status_code == 404
    assert (await again.call("GET", "/files")).json()["items"] == []
    assert (await made.call("GET", "/content/secret")).status_code == 404


async def test_a_new_person_of_an_old_name_has_nothing_of_the_old_one(
    made: Made, client: Client
) -> None:
    house = made.house
    await made.put("secret", b"old")

    renamed = update(persons).values(hub_name="alice-was")
    house.context.db.write_now(lambda tx: tx.execute(renamed))
    newcomer = await house.sign_in("alice")
    found = await house.call("GET", "/projects?owner=alice&name=wine", as_=newcomer)
    assert found.json()["items"] == []
    answer = await client.run("ls-remote", address(house, "alice/wine", newcomer))
    assert "not found" in answer.err
    taken = await house.call("POST", "/projects", as_=newcomer, json={"name": "wine"})
    assert taken.status_code == 409
    for name in ("alice/wine", "alice-was/wine"):
        assert "main" in await client.ok("ls-remote", address(house, name, made.token))


async def test_a_former_name_leads_git_to_the_same_repository_and_rights(
    made: Made, client: Client
) -> None:
    house = made.house
    old = address(house, "alice/wine", made.token)
    await client.ok("clone", "-q", old, "work")
    await made.call("PATCH", json={"name": "grapes"})
    await client.commit("work", {"a": b"1"})
    await client.ok("push", "-q", "origin", "main", at="work")
    assert (await made.call("GET", "/content/a")).content == b"1"
    bob = await house.sign_in("bob")
    for name in ("wine", "grapes"):
        refused = await client.run("ls-remote", address(house, f"alice/{name}", bob))
        assert "not found" in refused.err


async def test_a_removed_members_run_is_out_at_once(made: Made, client: Client) -> None:
    house = made.house
    await made.put("a", b"1")
    await house.sign_in("bob")
    added = await made.call("POST", "/members", json={"person": "bob", "role": "contributor"})
    bob_id = added.json()["person"]["id"]
    run = Actor(
        Principal.RUN,
        "01890000-0000-7000-8000-00000000000a",
        "run",
        person_id=bob_id,
        rights=frozenset({Permission.FILES_READ}),
        project_id=made.id,
    )
    house.tokens.actors["run-token"] = run
    await client.ok("clone", "-q", address(house, "alice/wine", "run-token"), "work")
    pushing = await client.run("push", "origin", "main:other", at="work")
    assert "403" in pushing.err
    other = await make(house, made.token, "other", visibility="internal")
    answer = await client.run("ls-remote", address(house, "alice/other", "run-token"))
    assert "not found" in answer.err
    assert (await other.call("GET", as_="run-token")).status_code == 403
    await made.call("DELETE", f"/members/{bob_id}")
    gone = await client.run("ls-remote", address(house, "alice/wine", "run-token"))
    assert "not found" in gone.err


# -- S4: others' ids -------------------------------------------------------------------------


async def test_every_path_of_a_strangers_project_is_404(made: Made) -> None:
    bob = await made.house.sign_in("bob")
    commit = (await made.put("a", b"1")).json()["id"]
    person = made.project["owner"]["id"]
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"description": "x"}),
        ("PATCH", "", {"default_branch": "main"}),
        ("DELETE", "", None),
        ("GET", "/members", None),
        ("POST", "/members", {"person": "bob", "role": "owner"}),
        ("PUT", f"/members/{person}", {"role": "consumer"}),
        ("DELETE", f"/members/{person}", None),
        ("GET", "/files", None),
        ("GET", "/content/a", None),
        ("PUT", "/content/a", {"x": 1}),
        ("DELETE", "/content/a", None),
        ("GET", "/commits", None),
        ("GET", f"/commits?ref={commit}", None),
        ("GET", "/branches", None),
        ("POST", "/branches", {"name": "x"}),
        ("GET", "/tags", None),
    ):
        answer = await made.call(method, path, json=body, as_=bob)
        assert answer.status_code == 404, (method, path)
        assert answer.json()["error"]["message"] == "this project does not exist"
    mine = await make(made.house, bob, "wine")
    foreign = await mine.call("GET", f"/content/a?ref={commit}")
    assert foreign.status_code == 404


# -- S5: paths -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["../../../etc/passwd", "..%2f..%2fHEAD", "%2e%2e/HEAD", "....//HEAD",
     ".git/config", "a/../../config", "%2Fetc%2Fpasswd", "a%00b", "..%5c..%5cconfig"],
)  # fmt: skip
async def test_no_path_leads_out_of_the_repository(made: Made, path: str) -> None:
    await made.put("a/b", b"1")
    before = sorted(str(one) for one in made.house.home.rglob("*") if "objects" not in str(one))
    for method in ("GET", "PUT", "DELETE"):
        answer = await made.call(method, f"/content/{path}")
        assert answer.status_code in (400, 404)
        assert b"root:" not in answer.content
        assert b"[core]" not in answer.content
    after = sorted(str(one) for one in made.house.home.rglob("*") if "objects" not in str(one))
    assert [one for one in after if one not in before and "refs/heads" not in one] == []


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..", "x%2f..%2fy", "%00", "wine%00"])
async def test_no_project_id_leads_out_of_the_folder(made: Made, name: str) -> None:
    for path in ("", "/files", "/content/HEAD", "/branches"):
        answer = await made.house.call("GET", f"/projects/{name}{path}", as_=made.token)
        assert answer.status_code in (400, 404, 405)


# -- S6: the platform calls nowhere it must not ----------------------------------------------


def test_git_may_call_one_address_and_follow_nothing() -> None:
    place = outside.check_address("https://example.org/x", Settings())
    guarded = imports._guarded(outside.Pinned(place, ipaddress.ip_address("1.1.1.1")))
    assert "http.curloptResolve=example.org:443:1.1.1.1" in guarded
    assert "http.followRedirects=false" in guarded
    assert "protocol.https.allow=always" in guarded
    assert "http.proxy=" in guarded


async def test_git_itself_calls_nowhere_unless_it_is_allowed(made: Made, tmp_path: Path) -> None:
    repository = made.house.context.get(Repositories).of(made.id)
    for url in (f"file://{tmp_path}", "http://127.0.0.1:1/x", "ext::sh -c true", str(tmp_path)):
        with pytest.raises(GitFailed, match="not allowed"):
            await repository.run("ls-remote", "--", url)


async def test_an_import_of_a_private_address_asks_nobody(house: House) -> None:
    alice = await house.sign_in("alice")
    for url in ("http://localhost/x", "https://user:pw@example.org/x", "file:///etc", "ext::sh"):
        body = {"name": "x", "import_url": url}
        answer = await house.call("POST", "/projects", as_=alice, json=body)
        assert answer.status_code == 422, url
        assert "pw" not in answer.text


# -- S7: nothing that a person gives becomes an option or a command --------------------------


async def test_refs_are_no_options(made: Made, tmp_path: Path) -> None:
    await made.put("a", b"1")
    made_here = tmp_path / "x"
    options = [f"--output={made_here}", f"-O{made_here}", "--exec=sh", "$(id)", ";id"]
    for ref in [*BAD_REFS, *options]:
        if ref in ("", "@", "HEAD", "\ud800"):
            continue
        encoded = quote(ref, safe="")
        for path in ("/files", "/content/a", "/commits"):
            answer = await made.call("GET", f"{path}?ref={encoded}")
            assert answer.status_code in (400, 404), (ref, path, answer.text)
        written = await made.call("PUT", f"/content/a?branch={encoded}", content=b"2")
        assert written.status_code in (400, 404), (ref, written.text)
        branch = await made.call("POST", "/branches", json={"name": ref, "from": "main"})
        assert branch.status_code == 422 or ref in ("$(id)", ";id")
    assert not made_here.exists()


@pytest.mark.parametrize("name", ["a\nb <x@y> 0 +0000\n\nevil", "<>", "'\"`$(id)", "-x", "é" * 100])
def test_a_persons_name_writes_no_line_of_a_commit(name: str) -> None:
    author = Author.of(name)
    for value in author.variables().values():
        assert not set(value) & set("<>\n\r\x00")
        assert value


async def test_messages_and_names_of_files_stay_what_they_are(made: Made) -> None:
    message = "--amend\n\nSigned-off-by: $(id) `id`\n# not a comment"
    answer = await made.put(f"-rf%20*?message={quote(message)}", b"1")
    assert answer.json()["message"] == message
    files = (await made.call("GET", "/files")).json()["items"]
    assert [one["name"] for one in files] == ["-rf *"]


async def test_the_machines_configuration_is_no_way_in(
    made: Made, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither variables of the platform's own process nor a home folder change what git does."""
    evil = tmp_path / "evil"
    evil.write_text(f"[core]\n\thooksPath = {tmp_path}\n[uploadpack]\n\tpackObjectsHook = touch\n")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG"):
        monkeypatch.setenv(name, str(evil))
    monkeypatch.setenv("GIT_EXEC_PATH", str(tmp_path))
    assert (await made.put("a", b"1")).status_code == 200
    os.environ.pop("GIT_EXEC_PATH")
    await client.ok("clone", "-q", address(made.house, "alice/wine", made.token), "work")


async def test_support_sees_projects_and_no_files(made: Made) -> None:
    support = await made.house.sign_in("sue", PlatformRole.SUPPORT)
    await made.put("a", b"1")
    assert (await made.call("GET", as_=support)).status_code == 200
    assert (await made.call("GET", "/content/a", as_=support)).status_code == 403

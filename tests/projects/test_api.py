"""Projects and members over the API."""

from __future__ import annotations

from sqlalchemy import select, update

from services.core.references import Reference, References
from services.core.rights import PlatformRole
from services.core.tables import audit_events
from services.projects.tables import project_names
from tests.house import House
from tests.projects.made import Made, make
from tests.projects.test_rules import BAD_NAMES

HARD_NAMES = ["../../etc", "a" * 10_000, "a\x00b", *BAD_NAMES]


async def test_create_and_show(house_on_both: House) -> None:
    house = house_on_both
    alice = await house.sign_in("alice")
    made = await make(house, alice, "wine", description="reds")
    view = made.project
    assert view["owner"]["name"] == "alice"
    assert view["role"] == "owner"
    assert view["status"] == "ready"
    assert view["clone_url"] == "http://localhost:1/services/smalti/git/alice/wine.git"
    answer = await made.call("GET")
    assert answer.json() == view
    assert answer.headers["ETag"]
    found = await house.call("GET", "/projects?owner=alice&name=wine", as_=alice)
    assert [one["id"] for one in found.json()["items"]] == [made.id]
    assert (made.path / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert not (made.path / "hooks").exists()


async def test_bad_names_are_422(house: House) -> None:
    alice = await house.sign_in("alice")
    for name in HARD_NAMES:
        answer = await house.call("POST", "/projects", as_=alice, json={"name": name})
        assert answer.status_code == 422, (name, answer.text)
        assert len(answer.text) < 2000
    assert list((house.home / "platform" / "git").iterdir()) == []


async def test_a_name_is_had_once_and_no_repository_is_left_of_the_second(made: Made) -> None:
    again = await made.house.call("POST", "/projects", as_=made.token, json={"name": "wine"})
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "name_taken"
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]


async def test_the_same_post_twice_is_one_project(house: House) -> None:
    alice = await house.sign_in("alice")
    headers = {"Idempotency-Key": "k1"}
    both = [
        await house.call("POST", "/projects", as_=alice, json={"name": "wine"}, headers=headers)
        for _ in range(2)
    ]
    assert both[0].json() == both[1].json()
    assert len(list((house.home / "platform" / "git").iterdir())) == 1


async def test_change_with_etag(made: Made) -> None:
    etag = (await made.call("GET")).headers["ETag"]
    change = {"description": "whites", "default_tier": "small", "visibility": "internal"}
    answer = await made.call("PATCH", json=change, headers={"If-Match": etag})
    assert answer.status_code == 200
    assert {key: answer.json()[key] for key in change} == change
    stale = await made.call("PATCH", json={"description": "x"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    for bad in ({"name": None}, {"name": "A"}, {"unknown": 1}, {"default_branch": "none"}):
        assert (await made.call("PATCH", json=bad)).status_code == 422, bad
    back = await made.call("PATCH", json={"default_tier": None})
    assert back.json()["default_tier"] is None


async def test_a_former_name_leads_to_the_project(made: Made) -> None:
    renamed = await made.call("PATCH", json={"name": "grapes"})
    assert renamed.json()["name"] == "grapes"
    found = await made.house.call("GET", "/projects?owner=alice&name=wine", as_=made.token)
    assert [one["name"] for one in found.json()["items"]] == ["grapes"]
    assert (await made.call("PATCH", json={"name": "wine"})).json()["name"] == "wine"


async def test_examples(house: House) -> None:
    alice = await house.sign_in("alice")
    made = await make(house, alice, "wine", example="wine-quality")
    files = (await made.call("GET", "/files")).json()
    assert "train.py" in [one["path"] for one in files["items"]]
    commits = (await made.call("GET", "/commits")).json()["items"]
    assert [one["author"]["name"] for one in commits] == ["alice"]
    bad = await house.call("POST", "/projects", as_=alice, json={"name": "b", "example": "../x"})
    assert bad.status_code == 422
    assert "wine-quality" in bad.json()["error"]["message"]


async def test_lite_people_make_no_projects(house: House) -> None:
    lite = await house.sign_in("lou", PlatformRole.LITE)
    answer = await house.call("POST", "/projects", as_=lite, json={"name": "x"})
    assert answer.status_code == 403


async def test_lists_show_what_one_may_see(house_on_both: House) -> None:
    house = house_on_both
    alice, bob = await house.sign_in("alice"), await house.sign_in("bob")
    root = await house.sign_in("root", PlatformRole.ADMIN)
    await make(house, alice, "private")
    await make(house, alice, "open", visibility="internal")
    shared = await make(house, alice, "shared")
    await shared.call("POST", "/members", json={"person": "bob", "role": "consumer"})

    async def names(token: str, query: str = "") -> list[str]:
        answer = await house.call("GET", f"/projects?{query}", as_=token)
        return [one["name"] for one in answer.json()["items"]]

    assert await names(alice) == ["shared", "open", "private"]
    assert await names(bob) == ["shared", "open"]
    assert await names(root) == ["shared", "open", "private"]
    assert await names(bob, "owner=alice&name=private") == []
    assert await names(bob, "owner=nobody") == []
    assert await names(alice, "owner=alice") == ["shared", "open", "private"]
    assert await names(alice, "name=open") == ["open"]
    first = (await house.call("GET", "/projects?limit=2", as_=alice)).json()
    rest = (
        await house.call("GET", f"/projects?limit=2&cursor={first['next_cursor']}", as_=alice)
    ).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["shared", "open", "private"]
    assert rest["next_cursor"] is None


async def test_a_list_costs_the_same_however_long(house: House) -> None:
    alice = await house.sign_in("alice")
    counts = []
    for number in range(3):
        await make(house, alice, f"p{number}")
        costs = []
        for _ in range(5):  # loops in the background count too, now and then
            before = house.context.db.statements
            await house.call("GET", "/projects", as_=alice)
            costs.append(house.context.db.statements - before)
        counts.append(min(costs))
    assert counts == [2, 2, 2]  # begin, projects with their owners' names


async def test_members(house_on_both: House) -> None:
    house = house_on_both
    made = await make(house, await house.sign_in("alice"), "wine")
    bob = await house.sign_in("bob")
    assert (await made.call("GET", as_=bob)).status_code == 404
    added = await made.call("POST", "/members", json={"person": "bob", "role": "contributor"})
    assert added.status_code == 201
    bob_id = added.json()["person"]["id"]
    again = await made.call("POST", "/members", json={"person": bob_id, "role": "consumer"})
    assert again.status_code == 409
    nobody = await made.call("POST", "/members", json={"person": "zoe", "role": "consumer"})
    assert nobody.status_code == 422
    assert (await made.call("GET", as_=bob)).json()["role"] == "contributor"
    for method, path, body in (
        ("POST", "/members", {"person": "bob", "role": "owner"}),
        ("PUT", f"/members/{bob_id}", {"role": "owner"}),
        ("PATCH", "", {"description": "mine"}),
        ("DELETE", "", None),
    ):
        assert (await made.call(method, path, json=body, as_=bob)).status_code == 403
    changed = await made.call("PUT", f"/members/{bob_id}", json={"role": "consumer"})
    assert changed.json()["role"] == "consumer"
    listed = (await made.call("GET", "/members", as_=bob)).json()["items"]
    assert {one["person"]["name"]: one["role"] for one in listed} == {
        "alice": "owner",
        "bob": "consumer",
    }
    assert (await made.call("DELETE", f"/members/{bob_id}")).status_code == 204
    assert (await made.call("GET", as_=bob)).status_code == 404
    assert (await made.call("DELETE", f"/members/{bob_id}")).status_code == 404


async def test_a_member_may_leave(made: Made) -> None:
    bob = await made.house.sign_in("bob")
    added = await made.call("POST", "/members", json={"person": "bob", "role": "launcher"})
    left = await made.call("DELETE", f"/members/{added.json()['person']['id']}", as_=bob)
    assert left.status_code == 204


async def test_the_last_owner_stays_and_ownership_is_handed_over(made: Made) -> None:
    alice_id = made.project["owner"]["id"]
    bob = await made.house.sign_in("bob")
    for answer in (
        await made.call("DELETE", f"/members/{alice_id}"),
        await made.call("PUT", f"/members/{alice_id}", json={"role": "consumer"}),
    ):
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "last_owner"
    assert (await made.call("PATCH", json={"owner": "bob"})).status_code == 422
    await made.call("POST", "/members", json={"person": "bob", "role": "owner"})
    assert (await made.call("DELETE", f"/members/{alice_id}", as_=bob)).status_code == 409
    handed = await made.call("PATCH", json={"owner": "bob"}, as_=bob)
    assert handed.json()["owner"]["name"] == "bob"
    assert (await made.call("DELETE", f"/members/{alice_id}", as_=bob)).status_code == 204
    found = await made.house.call("GET", "/projects?owner=alice&name=wine", as_=bob)
    assert [one["owner"]["name"] for one in found.json()["items"]] == ["bob"]


async def test_delete(house_on_both: House) -> None:
    house = house_on_both
    alice = await house.sign_in("alice")
    made = await make(house, alice, "wine")
    assert (await made.call("DELETE")).status_code == 204
    assert (await made.call("GET")).status_code == 404
    assert (await house.call("GET", "/projects", as_=alice)).json()["items"] == []
    assert (await house.call("GET", "/projects?owner=alice&name=wine", as_=alice)).json()[
        "items"
    ] == []
    again = await make(house, alice, "wine")
    assert again.id != made.id


async def test_a_project_in_use_is_not_deleted(made: Made) -> None:
    users = [Reference("job", "j1", "number 1", live=True)]
    made.house.context.get(References).register("project", lambda tx, used: users)
    refused = await made.call("DELETE")
    assert refused.status_code == 409
    assert refused.json()["error"]["details"] == {
        "used_by": [{"kind": "job", "id": "j1", "name": "number 1"}]
    }
    users[:] = [Reference("job", "j1", "number 1", live=False)]
    assert (await made.call("DELETE")).status_code == 204


async def test_who_uses_a_person(made: Made) -> None:
    await made.house.sign_in("bob")
    added = await made.call("POST", "/members", json={"person": "bob", "role": "consumer"})
    db, references = made.house.context.db, made.house.context.get(References)
    owner = db.read_now(references.to, "person", made.project["owner"]["id"])
    assert [(one.kind, one.id, one.live) for one in owner] == [("project", made.id, True)]
    member = db.read_now(references.to, "person", added.json()["person"]["id"])
    assert [(one.kind, one.live) for one in member] == [("membership", False)]


async def test_every_change_is_in_the_trail(made: Made) -> None:
    await made.house.sign_in("bob")
    added = await made.call("POST", "/members", json={"person": "bob", "role": "consumer"})
    await made.call("PATCH", json={"description": "x"})
    await made.call("DELETE", f"/members/{added.json()['person']['id']}")
    await made.put("a.txt", b"1")
    await made.call("DELETE")
    of_project = audit_events.c.project_id == made.id
    rows = made.house.context.db.read_now(
        lambda tx: tx.all(select(audit_events).where(of_project).order_by(audit_events.c.position))
    )
    assert [row.action for row in rows] == [
        "project.create",
        "member.set",
        "project.change",
        "member.remove",
        "file.write",
        "project.delete",
    ]
    assert (rows[2].before, rows[2].after) == ({"description": ""}, {"description": "x"})


async def test_another_persons_former_name_is_kept(made: Made) -> None:
    house = made.house
    house.context.db.write_now(
        lambda tx: tx.execute(update(project_names).values(owner_name="bob", owner_id="other"))
    )
    bob = await house.sign_in("bob")
    answer = await house.call("POST", "/projects", as_=bob, json={"name": "wine"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "name_kept"

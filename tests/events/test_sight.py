"""Who hears what: members of a project, a person, everybody; and no longer than they may."""

from __future__ import annotations

from typing import Any

import pytest

from services.core.actor import Actor
from services.core.ids import new_id
from services.core.rights import Permission, PlatformRole, Principal
from services.events import sight
from tests.events.ears import Ear, listening, make_project, tell
from tests.house import House


async def add(house: House, token: str, project_id: str, person: str, role: str) -> str:
    body = {"person": person, "role": role}
    answer = await house.call("POST", f"/projects/{project_id}/members", as_=token, json=body)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["person"]["id"])


async def until(house: House, ear: Ear) -> list[str]:
    """What is heard before a mark that everybody hears; marks for other ears left out."""
    mark = f"mark-{new_id()}"
    await tell(house, "plane.changed", mark)
    heard: list[str] = []
    while (message := await ear.next()).data["subject_id"] != mark:
        if not message.data["subject_id"].startswith("mark-"):
            heard.append(f"{message.kind} {message.data['subject_id']}")
    return heard


async def test_members_hear_of_their_projects_only(house_on_both: House) -> None:
    house = house_on_both
    ada, bob = await house.sign_in("ada"), await house.sign_in("bob")
    hers, his = await make_project(house, ada, "hers"), await make_project(house, bob, "his")
    async with listening(house, ada) as ada_hears, listening(house, bob) as bob_hears:
        await tell(house, "job.created", "of-ada", project_id=hers)
        await tell(house, "job.created", "of-bob", project_id=his)
        assert await until(house, ada_hears) == ["job.created of-ada"]
        assert await until(house, bob_hears) == ["job.created of-bob"]


async def test_a_project_made_while_listening_is_heard_at_once(house: House) -> None:
    ada, bob = await house.sign_in("ada"), await house.sign_in("bob")
    async with listening(house, ada) as ada_hears, listening(house, bob) as bob_hears:
        project_id = await make_project(house, ada, "wine")
        await tell(house, "job.created", "job", project_id=project_id)
        heard = [one for one in await until(house, ada_hears) if "pushed" not in one]
        assert heard == [f"project.created {project_id}", "job.created job"]
        assert await until(house, bob_hears) == []


async def test_membership_counts_from_the_moment_it_changes(house: House) -> None:
    ada, bob = await house.sign_in("ada"), await house.sign_in("bob")
    project_id = await make_project(house, ada, "wine")
    async with listening(house, bob, "topics=jobs,projects,planes") as hears:
        await tell(house, "job.created", "before", project_id=project_id)
        assert await until(house, hears) == []
        bob_id = await add(house, ada, project_id, "bob", "contributor")
        await tell(house, "job.created", "while", project_id=project_id)
        assert await until(house, hears) == [f"project.changed {project_id}", "job.created while"]
        removed = await house.call("DELETE", f"/projects/{project_id}/members/{bob_id}", as_=ada)
        assert removed.status_code == 204
        await tell(house, "job.created", "after", project_id=project_id)
        assert await until(house, hears) == []


async def test_membership_counts_for_one_who_listens_to_jobs_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "BELIEVED", 0.0)  # instead of waiting 7 s
    ada, bob = await house.sign_in("ada"), await house.sign_in("bob")
    project_id = await make_project(house, ada, "wine")
    bob_id = await add(house, ada, project_id, "bob", "consumer")
    async with listening(house, bob, "topics=jobs,planes") as hears:
        await tell(house, "job.created", "before", project_id=project_id)
        assert await until(house, hears) == ["job.created before"]
        await house.call("DELETE", f"/projects/{project_id}/members/{bob_id}", as_=ada)
        await tell(house, "job.created", "after", project_id=project_id)
        assert await until(house, hears) == []


async def test_a_launcher_and_everybody_else_hear_what_their_role_may_read(house: House) -> None:
    ada, bob, eve = [await house.sign_in(name) for name in ("ada", "bob", "eve")]
    project_id = await make_project(house, ada, "wine", visibility="internal")
    await add(house, ada, project_id, "bob", "launcher")
    async with listening(house, bob) as bob_hears, listening(house, eve) as eve_hears:
        await tell(house, "job.created", "job", project_id=project_id)
        await tell(house, "project.pushed", "push", project_id=project_id)
        assert await until(house, bob_hears) == ["project.pushed push"]
        assert await until(house, eve_hears) == ["project.pushed push"]


async def test_admins_and_support_hear_of_every_project(house: House) -> None:
    ada = await house.sign_in("ada")
    project_id = await make_project(house, ada, "wine")
    for role in (PlatformRole.ADMIN, PlatformRole.SUPPORT):
        token = await house.sign_in(f"the-{role.value}", role)
        async with listening(house, token) as hears:
            await tell(house, "job.created", "job", project_id=project_id)
            assert await until(house, hears) == ["job.created job"]


async def test_what_is_a_persons_own_is_theirs_alone(house: House) -> None:
    ada = await house.sign_in("ada")
    root = await house.sign_in("root", PlatformRole.ADMIN)
    ada_id = house.tokens.actors[ada].id
    async with listening(house, ada) as ada_hears, listening(house, root) as root_hears:
        await tell(house, "person.changed", "own", person_id=ada_id)
        await tell(house, "person.changed", "of-all")
        assert await until(house, ada_hears) == ["person.changed own", "person.changed of-all"]
        assert await until(house, root_hears) == ["person.changed of-all"]


def narrowed(house: House, token: str, **values: Any) -> str:
    """A credential that acts for the same person within narrower bounds."""
    actor = house.tokens.actors[token]
    house.tokens.actors[f"{token}-run"] = Actor(
        Principal.RUN, "run-1", "run", person_id=actor.person_id, roles=actor.roles, **values
    )
    return f"{token}-run"


async def test_a_run_hears_of_its_project_and_not_of_its_persons_others(house: House) -> None:
    root = await house.sign_in("root", PlatformRole.ADMIN)
    own = await make_project(house, root, "own")
    other = await make_project(house, root, "other")
    run = narrowed(house, root, project_id=own)
    root_id = house.tokens.actors[root].id
    async with listening(house, run) as hears:
        await tell(house, "job.created", "here", project_id=own)
        await tell(house, "job.created", "there", project_id=other)
        await tell(house, "person.changed", "own", person_id=root_id)
        assert await until(house, hears) == ["job.created here"]


async def test_rights_that_a_token_lacks_are_not_heard(house: House) -> None:
    ada = await house.sign_in("ada")
    project_id = await make_project(house, ada, "wine")
    rights = frozenset({Permission.EVENTS_READ, Permission.PLANES_READ})
    async with listening(house, narrowed(house, ada, rights=rights)) as hears:
        await tell(house, "job.created", "job", project_id=project_id)
        await tell(house, "person.changed", "somebody")
        assert await until(house, hears) == []


async def test_who_saw_a_project_hears_that_it_is_gone(house: House) -> None:
    ada, bob = await house.sign_in("ada"), await house.sign_in("bob")
    project_id = await make_project(house, ada, "wine")
    async with listening(house, ada) as ada_hears, listening(house, bob) as bob_hears:
        assert (await house.call("DELETE", f"/projects/{project_id}", as_=ada)).status_code < 300
        assert await until(house, ada_hears) == [f"project.deleted {project_id}"]
        assert await until(house, bob_hears) == []

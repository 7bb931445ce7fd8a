"""Hardware tiers and planes over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from services.core.rights import PlatformRole
from tests.house import House
from tests.workloads.agent import ScriptedAgent

TIER = {"name": "tiny", "cpu": 0.5, "memory": 1 << 28}


@pytest.fixture
async def root(house: House) -> str:
    """An admin's token."""
    return await house.sign_in("root", PlatformRole.ADMIN)


async def test_a_tier_is_made_changed_and_taken_away(house: House, root: str) -> None:
    made = await house.call("POST", "/hardware-tiers", as_=root, json=TIER)
    assert made.status_code == 201
    path = f"/hardware-tiers/{made.json()['id']}"
    shown = await house.call("GET", path, as_=root)
    assert (shown.json()["plane"], shown.json()["default"]) == ("local", False)
    headers = {"If-Match": shown.headers["ETag"]}
    body = {"cpu": 1.5, "max_running": 3}
    changed = await house.call("PATCH", path, as_=root, json=body, headers=headers)
    assert (changed.json()["cpu"], changed.json()["max_running"]) == (1.5, 3)
    late = await house.call("PATCH", path, as_=root, json={"cpu": 2}, headers=headers)
    assert late.status_code == 412
    assert (await house.call("DELETE", path, as_=root)).status_code == 204
    assert (await house.call("GET", path, as_=root)).status_code == 404


async def test_exactly_one_tier_is_the_default(house: House, root: str) -> None:
    made = await house.call("POST", "/hardware-tiers", as_=root, json={**TIER, "default": True})
    items = (await house.call("GET", "/hardware-tiers", as_=root)).json()["items"]
    assert [one["name"] for one in items if one["default"]] == ["tiny"]
    path = f"/hardware-tiers/{made.json()['id']}"
    assert (await house.call("DELETE", path, as_=root)).status_code == 409
    refused = await house.call("PATCH", path, as_=root, json={"default": False})
    assert refused.status_code == 422


async def test_where_on_a_cluster_runs_of_a_tier_may_be_put(house: House, root: str) -> None:
    placed = {
        "node_selector": {"pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
        "shared_memory": 1 << 30,
    }
    made = await house.call("POST", "/hardware-tiers", as_=root, json={**TIER, **placed})
    path = f"/hardware-tiers/{made.json()['id']}"
    shown = (await house.call("GET", path, as_=root)).json()
    assert (shown["node_selector"], shown["shared_memory"]) == ({"pool": "gpu"}, 1 << 30)
    assert shown["gpu_resource"] == "nvidia.com/gpu"
    [bears] = shown["tolerations"]
    assert (bears["operator"], bears["effect"], bears["value"]) == ("Exists", "NoSchedule", None)
    body = {"tolerations": [], "gpu_resource": "amd.com/gpu"}
    changed = (await house.call("PATCH", path, as_=root, json=body)).json()
    assert (changed["tolerations"], changed["gpu_resource"]) == ([], "amd.com/gpu")
    assert changed["node_selector"] == {"pool": "gpu"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "A b"},
        {"name": "x" * 64},
        {"cpu": 0},
        {"cpu": 1e9},
        {"memory": 5},
        {"gpu": -1},
        {"price_per_hour": -1},
        {"plane": "nowhere"},
        {"max_running": 0},
        {"node_selector": {"a b": "c"}},
        {"node_selector": {"a": "c" * 64}},
        {"tolerations": [{"key": "a", "effect": "Never"}]},
        {"shared_memory": -1},
        {"more": 1},
    ],
)
async def test_what_cannot_be_a_tier_is_refused(
    house: House, root: str, wrong: dict[str, Any]
) -> None:
    answer = await house.call("POST", "/hardware-tiers", as_=root, json={**TIER, **wrong})
    assert answer.status_code == 422


async def test_a_name_is_taken_once(house: House, root: str) -> None:
    for status in (201, 409):
        answer = await house.call("POST", "/hardware-tiers", as_=root, json=TIER)
        assert answer.status_code == status


async def test_people_read_tiers_and_change_none(house: House) -> None:
    ada = await house.sign_in("ada")
    assert (await house.call("GET", "/hardware-tiers", as_=ada)).status_code == 200
    assert (await house.call("POST", "/hardware-tiers", as_=ada, json=TIER)).status_code == 403


async def test_a_plane_is_away_until_its_agent_says_hello(house: House, root: str) -> None:
    before = (await house.call("GET", "/planes", as_=root)).json()["items"][0]
    assert (before["name"], before["status"]) == ("local", "away")
    await ScriptedAgent(house, cpu=3.0).hello()
    path = f"/planes/{before['id']}"
    after = (await house.call("GET", path, as_=root)).json()
    assert (after["status"], after["isolation"], after["capacity"]["cpu"]) == (
        "connected", "full", 3.0,
    )  # fmt: skip


async def test_the_local_plane_is_not_enrolled_by_hand(house: House, root: str) -> None:
    local = (await house.call("GET", "/planes", as_=root)).json()["items"][0]
    path = f"/planes/{local['id']}/enrolments"
    assert (await house.call("POST", path, as_=root)).status_code == 422


async def test_a_new_enrolment_ends_the_agent_that_was_there(house: House, root: str) -> None:
    plane = (await house.call("POST", "/planes", as_=root, json={"name": "far"})).json()
    credentials = []
    for _ in range(2):
        path = f"/planes/{plane['id']}/enrolments"
        token = (await house.call("POST", path, as_=root)).json()["token"]
        body = {"token": token, "version": "1"}
        enrolled = await house.call("POST", "/agents/enrol", json=body)
        credentials.append(enrolled.json()["credential"])
    answers = [
        (await house.call("GET", "/agent/commands", as_=one)).status_code for one in credentials
    ]
    assert answers == [401, 200]

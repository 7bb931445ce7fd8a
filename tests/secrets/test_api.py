"""Secrets through the API: written, listed, changed, deleted, and never read."""

from __future__ import annotations

import pytest

from services.planes.agent.masking import forms
from services.secrets import rules
from tests.secrets.conftest import CANARY, Safe
from tests.workloads.test_private import everything


async def test_a_secret_is_written_and_its_value_never_comes_back(safe_on_both: Safe) -> None:
    safe = safe_on_both
    made = await safe.put("owner", "API_KEY")
    assert made.status_code == 201, made.text
    view = made.json()
    assert (view["scope"], view["project_id"], view["name"]) == ("person", None, "API_KEY")
    path = f"/secrets/{view['id']}"
    changed = await safe.call("owner", "PUT", path, json={"value": f"{CANARY}-2"})
    assert changed.status_code == 200
    answers = [made, changed, await safe.call("owner", "GET", path)]
    answers.append(await safe.call("owner", "GET", "/secrets"))
    for answer in answers:
        assert CANARY not in answer.text
    assert [one["name"] for one in answers[-1].json()["items"]] == ["API_KEY"]
    assert CANARY not in everything(safe.house.context.db)
    assert await safe.told(await safe.job("owner")) == {"API_KEY": f"{CANARY}-2"}
    assert (await safe.call("owner", "DELETE", path)).status_code == 204
    assert (await safe.call("owner", "GET", path)).status_code == 404
    assert await safe.told(await safe.job("owner")) == {}


async def test_a_name_is_there_once_and_the_refusal_names_its_id(safe: Safe) -> None:
    first = (await safe.put("owner", "API_KEY")).json()["id"]
    again = await safe.put("owner", "API_KEY")
    assert again.status_code == 409
    assert again.json()["error"]["details"] == {"id": first}
    assert (await safe.put("owner", "API_KEY", project=True)).status_code == 201
    assert (await safe.put("contributor", "API_KEY")).status_code == 201


ROLES = {
    "owner": (201, 200),
    "contributor": (403, 200),
    "consumer": (403, 403),
    "launcher": (403, 403),
    "stranger": (404, 404),
}


@pytest.mark.parametrize("who", ROLES)
async def test_rights_to_a_projects_secrets(safe: Safe, who: str) -> None:
    there = (await safe.put("owner", "THERE", project=True)).json()["id"]
    writes, lists = ROLES[who]
    assert (await safe.put(who, "MINE", project=True)).status_code == writes
    listing = await safe.call(who, "GET", f"/secrets?project_id={safe.project_id}")
    assert listing.status_code == lists
    shown = await safe.call(who, "GET", f"/secrets/{there}")
    assert shown.status_code == (200 if lists == 200 else 404)
    value = {"value": "another"}
    put = await safe.call(who, "PUT", f"/secrets/{there}", json=value)
    deleted = await safe.call(who, "DELETE", f"/secrets/{there}")
    if who == "owner":
        assert (put.status_code, deleted.status_code) == (200, 204)
    else:
        expected = 403 if lists == 200 else 404
        assert (put.status_code, deleted.status_code) == (expected, expected)


async def test_nobody_sees_anothers_own_secrets(safe: Safe) -> None:
    mine = (await safe.put("owner", "MINE")).json()["id"]
    from services.core.rights import PlatformRole

    admin = await safe.house.sign_in("root", PlatformRole.ADMIN)
    for who in ("contributor", "stranger", admin):
        for method, body in (("GET", None), ("PUT", {"value": "x"}), ("DELETE", None)):
            more = {"json": body} if body else {}
            answer = await safe.call(who, method, f"/secrets/{mine}", **more)
            assert answer.status_code == 404, (who, method)
        assert (await safe.call(who, "GET", "/secrets")).json()["items"] == []


@pytest.mark.parametrize(
    "name",
    [
        *["", "1A", "A-B", "A B", "A=B", "ÄPFEL", "A" * 129, "A\n", "../A", "PATH", "path", "Home"],
        *["SMALTI_TOKEN", "smalti_x", "MLFLOW_TRACKING_URI", "JUPYTERHUB_API_TOKEN", "LD_PRELOAD"],
        *["PYTHONPATH", "PYTHONSTARTUP", "BASH_ENV", "LC_ALL", "GIT_SSH_COMMAND", "VIRTUAL_ENV"],
    ],
)
async def test_names_that_are_refused(safe: Safe, name: str) -> None:
    answer = await safe.put("owner", name)
    assert answer.status_code == 422
    assert CANARY not in answer.text


@pytest.mark.parametrize("name", ["A", "_a1", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "HOMEPAGE"])
def test_names_that_are_taken(name: str) -> None:
    assert rules.refusal_of_name(name) is None


@pytest.mark.parametrize("value", ["", "a\0b", "x" * (64 * 1024 + 1), "\ud800"])
async def test_values_that_are_refused(safe: Safe, value: str) -> None:
    import json

    body = json.dumps({"name": "A", "value": value})
    headers = {"Content-Type": "application/json"}
    answer = await safe.call("owner", "POST", "/secrets", content=body, headers=headers)
    assert answer.status_code == 422
    assert "xxxx" not in answer.text


async def test_there_are_limits(safe: Safe) -> None:
    safe.house.settings.secrets_max = 3
    safe.house.settings.secrets_total_max = 20
    assert (await safe.put("owner", "A", "x" * 21)).status_code == 413
    for name in "ABC":
        assert (await safe.put("owner", name, "12345")).status_code == 201
    assert (await safe.put("owner", "D", "1")).status_code == 429
    listed = (await safe.call("owner", "GET", "/secrets")).json()["items"]
    path = f"/secrets/{listed[0]['id']}"
    assert (await safe.call("owner", "PUT", path, json={"value": "x" * 11})).status_code == 413
    assert (await safe.call("owner", "PUT", path, json={"value": "x" * 10})).status_code == 200
    assert (await safe.put("contributor", "A", "12345")).status_code == 201


async def test_a_value_of_several_lines_arrives_as_it_is(safe: Safe) -> None:
    value = '-----BEGIN KEY-----\nab"c\\d\n\tü\r\n-----END KEY-----\n'
    assert (await safe.put("owner", "KEY_FILE", value)).status_code == 201
    assert await safe.told(await safe.job("owner")) == {"KEY_FILE": value}


async def test_changes_are_audited_without_values(safe: Safe) -> None:
    made = (await safe.put("owner", "A", project=True)).json()
    await safe.call("owner", "PUT", f"/secrets/{made['id']}", json={"value": f"{CANARY}x"})
    job = await safe.job("contributor")
    await safe.told(job)
    await safe.told(job)
    await safe.call("owner", "DELETE", f"/secrets/{made['id']}")
    from services.core.rights import PlatformRole

    admin = await safe.house.sign_in("root", PlatformRole.ADMIN)
    text = (await safe.call(admin, "GET", "/audit-events?limit=200")).text
    for action in ("create", "change", "deliver", "delete"):
        assert text.count(f'"secret.{action}"') == 1
    assert text.count('"secrets.repeat"') == 1
    assert CANARY not in text


def test_what_is_called_hidden_is_what_agents_hide() -> None:
    assert forms("x" * (rules.SHORTEST_HIDDEN - 1)) == set()
    assert forms("x" * rules.SHORTEST_HIDDEN)

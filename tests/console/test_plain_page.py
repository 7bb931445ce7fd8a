"""The plain page that stands in for the console: what it shows to whom, and that nothing runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.console.overview import command_of, length, line
from services.jobs import JobView
from services.projects import Visibility
from tests.house import House

PAGE = "/services/smalti/"
NASTY = "<script>alert('x')</script><img src=x onerror=alert(1)>"


async def page(house: House, token: str) -> str:
    """Give the page's text as a person sees it."""
    answer = await house.call("GET", PAGE, as_=token)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


async def project(house: House, token: str, name: str, **more: Any) -> dict[str, Any]:
    """Make a project."""
    body = {"name": name, **more}
    view: dict[str, Any] = (await house.call("POST", "/projects", as_=token, json=body)).json()
    return view


async def test_a_newcomer_is_told_how_to_begin(house: House) -> None:
    text = await page(house, await house.sign_in("alice"))
    assert "Nothing yet." in text
    assert "smalti jobs run wine" in text
    assert "alice" in text
    assert "local" in text


async def test_it_shows_what_is_mine_and_nothing_of_others(house: House) -> None:
    alice, bob = await house.sign_in("alice"), await house.sign_in("bob")
    made = await project(house, alice, "wine", example="wine-quality")
    body = {"project_id": made["id"], "command": ["python", "train.py"]}
    assert (await house.call("POST", "/jobs", as_=alice, json=body)).status_code == 201
    text = await page(house, alice)
    assert "alice/wine #1" in text
    assert "python train.py" in text
    assert f"git clone {made['clone_url']}" in text
    theirs = await page(house, bob)
    assert "wine #1" not in theirs
    assert made["clone_url"] not in theirs


async def test_what_people_write_is_text(house: House) -> None:
    alice = await house.sign_in("alice")
    made = await project(house, alice, "wine", example="wine-quality", description=NASTY)
    for more in ({"command": NASTY}, {"command": ["true"], "title": NASTY}):
        body = {"project_id": made["id"], **more}
        assert (await house.call("POST", "/jobs", as_=alice, json=body)).status_code == 201
    text = await page(house, alice)
    assert NASTY not in text
    assert "&lt;script&gt;alert" in text
    assert len(re.findall("<script", text)) == 1


async def test_it_says_why_it_is_plain(house: House, tmp_path: Path) -> None:
    alice = await house.sign_in("alice")
    assert "make console" in await page(house, alice)
    (tmp_path / "console.json").write_text('{"message": "npm was <not> reached", "soon": false}')
    text = await page(house, alice)
    assert "npm was &lt;not&gt; reached" in text
    assert "data-soon" not in text
    (tmp_path / "console.json").write_text('{"message": "it is being built", "soon": true}')
    assert " data-soon>" in await page(house, alice)
    (tmp_path / "console.json").write_text("{")
    assert "make console" in await page(house, alice)


async def test_other_pages_lead_to_it(house: House) -> None:
    alice = await house.sign_in("alice")
    answer = await house.call("GET", f"{PAGE}projects/1/files/a", as_=alice)
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)


async def test_nothing_on_it_is_inline(house: House) -> None:
    token = await house.sign_in("alice")
    answer = await house.call("GET", PAGE, as_=token)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", answer.text)
    for address in re.findall(r'(?:src|href)="(/services/smalti/static/[^"]+)"', answer.text):
        file = await house.call("GET", address)
        assert file.status_code == 200
        assert file.headers["X-Content-Type-Options"] == "nosniff"
    for address in ("home.html", "..%2fhandlers.py", "console.css%00", "."):
        assert (await house.call("GET", f"{PAGE}static/{address}")).status_code in (400, 404)


async def test_a_narrow_token_sees_no_more_here_than_elsewhere(house: House) -> None:
    alice = await house.sign_in("alice")
    made = await project(house, alice, "wine")
    body = {"name": "robot", "rights": ["me:read"]}
    robot = (await house.call("POST", "/tokens", as_=alice, json=body)).json()["token"]
    text = await page(house, robot)
    assert made["clone_url"] not in text
    assert "None is connected" in text
    assert "Log out" not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"),
     (172_800, "2 d")],
)  # fmt: skip
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert length(seconds) == text


def job(**more: Any) -> JobView:
    """A job's view with what a line needs."""
    empty: dict[str, Any] = dict.fromkeys(JobView.model_fields)
    now = datetime(2030, 1, 1, tzinfo=UTC)
    values = {"number": 3, "title": "", "args": [], "status": "Failed", "queued_at": now}
    owner = {"id": "1", "name": "alice"}
    return JobView.model_construct(
        **{**empty, **values, "owner": type("Owner", (), owner)(), **more}
    )


def test_a_command_is_shown_as_it_would_be_typed() -> None:
    assert command_of(job(command=["echo", "a b"])) == "echo 'a b'"
    assert command_of(job(command="exit 3")) == "exit 3"
    assert command_of(job(file="train.py", args=["--name", "x y"])) == "train.py --name 'x y'"
    shown = line(job(command="exit 3", reason="exit code 3"), "a/b", datetime.now(UTC))
    assert (shown.name, shown.tone, shown.reason) == ("a/b #3", "bad", "exit code 3")


def test_visibility_is_a_word_for_the_page() -> None:
    assert Visibility.PRIVATE.value == "private"

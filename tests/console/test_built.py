"""The console's page and files as the platform gives them: policy, caching, coding, addresses."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from services.console import built
from services.console.handlers import PAGES
from tests.house import House

PAGE = "/services/smalti/"
ROUTER = Path(__file__).parents[2] / "extensions" / "console" / "src" / "router.tsx"
SCRIPT = "console.log('tiles')\n" * 100


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build, small and known."""
    made = tmp_path / "console"
    made.mkdir()
    (made / "index.html").write_text('<!doctype html><meta nonce="{{nonce}}"><div id="root">')
    (made / "index-abc.js").write_text(SCRIPT)
    (made / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (made / "stamp.json").write_text("{}")
    monkeypatch.setattr(built, "LOOK_SECONDS", 0.0)
    return made


async def test_every_address_of_the_console_gives_its_page(house: House) -> None:
    alice = await house.sign_in("alice")
    for address in ("", "projects", "projects/1/files/a%2Fb/c.py", "jobs/compare", "admin/audit"):
        answer = await house.call("GET", f"{PAGE}{address}", as_=alice)
        assert answer.status_code == 200, address
        assert '<div id="root">' in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


async def test_what_is_no_page_is_not_found(house: House) -> None:
    alice = await house.sign_in("alice")
    for address in ("nonsense", "api/v1/nonsense", "static/built/index.html", "static/built/no.js",
                    "static/built/stamp.json", "static/built/..%2Fhandlers.py"):  # fmt: skip
        answer = await house.call("GET", f"{PAGE}{address}", as_=alice)
        assert answer.status_code == 404, address


async def test_without_a_session_it_leads_to_the_login_and_back(house: House) -> None:
    answer = await house.call("GET", f"{PAGE}projects/1/jobs")
    assert answer.status_code == 302
    login = "/services/smalti/login?next=%2Fservices%2Fsmalti%2Fprojects%2F1%2Fjobs"
    assert answer.headers["Location"] == login


async def test_its_policy_lets_only_its_own_scripts_run(house: House) -> None:
    alice = await house.sign_in("alice")
    first, second = [await house.call("GET", PAGE, as_=alice) for _ in range(2)]
    policy = first.headers["Content-Security-Policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == "'self'"
    assert parts["connect-src"] == "'self'"
    assert parts["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy
    nonce = re.findall(r"'nonce-([^']+)'", policy)
    assert nonce == re.findall('nonce="([^"]+)"', first.text)
    assert second.text != first.text, "a nonce is used once"


async def test_files_are_kept_for_ever_and_sent_compressed(house: House) -> None:
    address = f"{PAGE}static/built/index-abc.js"
    answer = await house.call("GET", address, headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.text == SCRIPT
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Vary"] == "Accept-Encoding"
    plain = await house.call("GET", address, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.text == SCRIPT


async def test_a_new_build_shows_at_once_and_open_pages_find_their_files(
    house: House, folder: Path
) -> None:
    alice = await house.sign_in("alice")
    await house.call("GET", PAGE, as_=alice)
    (folder / "index-abc.js").rename(folder / "index-def.js")
    (folder / "index.html").write_text("<!doctype html>new")
    assert "new" in (await house.call("GET", PAGE, as_=alice)).text
    for name in ("index-abc.js", "index-def.js"):
        answer = await house.call("GET", f"{PAGE}static/built/{name}")
        assert answer.text == SCRIPT, name


def test_the_console_knows_the_same_addresses() -> None:
    paths = re.findall(r'path: "([a-z]+)', ROUTER.read_text("utf-8"))
    inside = {"files", "history", "experiments", "models", "members", "settings"}  # of a project
    assert set(paths) - inside == set(PAGES)

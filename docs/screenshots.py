"""Makes the pictures of the console in `docs/screenshots`: each page in its states.

    make screenshots                  # all of them, light and dark, 1280 and 390 wide
    make screenshots ARGS="jobs job"  # those whose names begin so
    .venv/bin/python docs/screenshots.py --to FOLDER

It starts an instance of its own with people, projects and runs in it (`tests/browser/world.py`),
looks at it with Chromium as the tests do, and ends it. Called by the Makefile.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent)]

from tests.browser.bent import answer_all  # noqa: E402 - found by the line above
from tests.browser.conftest import chromium  # noqa: E402
from tests.browser.look import FLAGS, PREFIX, Look  # noqa: E402
from tests.browser.world import World, furnish  # noqa: E402
from tests.instance import EVERY_PROCESS, Instance  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {1280: 860, 390: 844}
SCHEMES = ("light", "dark")
QUALITY = 36
# Nothing slides or fades in any more; what turns for ever may turn.
MOVED = """() => document.getAnimations().every((one) => one.playState !== "running"
  || one.effect.getComputedTiming().iterations === Infinity)"""
STILL = "* { animation: none !important; transition: none !important; caret-color: transparent }"


def _nothing(_: Page) -> None:
    """Leave the page as it is."""


@dataclass(frozen=True)
class Picture:
    """One page in one state."""

    name: str
    address: str
    person: str = "admin"
    before: Callable[[Page], None] = _nothing  # what makes the state, before the page is gone to
    after: Callable[[Page], None] = _nothing  # and what is done on it


def pictures(world: World) -> list[Picture]:
    """List every page and state."""
    wine = f"/projects/{world.projects['wine']}"
    nasty = f"/projects/{world.projects['nasty']}"
    trained, failed = world.jobs["trained"], world.jobs["failed"]
    return [
        Picture("overview", "/"),
        Picture("overview-new", "/", "sam"),
        Picture("projects", "/projects"),
        Picture("projects-new", "/projects?new=wine-quality", after=_dialog),
        Picture("project", wine),
        Picture("project-files", f"{wine}/files"),
        Picture("project-file", f"{wine}/files/train.py"),
        Picture("project-table", f"{nasty}/files/data/table.csv"),
        Picture("project-notebook", f"{nasty}/files/notes.ipynb"),
        Picture("project-editor", f"{wine}/files/train.py?edit="),
        Picture("project-history", f"{wine}/history"),
        Picture("project-jobs", f"{wine}/jobs"),
        Picture("project-run", f"{wine}/jobs", after=_launcher),
        Picture("project-experiments", f"{wine}/experiments"),
        Picture("project-parallel", f"{wine}/experiments?view=parallel"),
        Picture("run", f"{wine}/experiments/runs/{world.runs[0]}"),
        Picture("runs-compare", f"{wine}/experiments/compare?runs={','.join(world.runs)}"),
        Picture("project-models", f"{wine}/models"),
        Picture("project-model", f"{wine}/models/wine-quality"),
        Picture("project-workspaces", f"{wine}/workspaces"),
        Picture("project-workspace-new", f"{wine}/workspaces?new", after=_dialog),
        Picture("project-secrets", f"{wine}/secrets"),
        Picture("project-members", f"{wine}/members"),
        Picture("project-settings", f"{wine}/settings"),
        Picture("project-empty", f"/projects/{world.projects['empty']}/jobs"),
        Picture("jobs", "/jobs"),
        Picture("job", f"/jobs/{trained}"),
        Picture("job-running", f"/jobs/{world.jobs['running']}"),
        Picture("job-failed", f"/jobs/{failed}"),
        Picture("job-outputs", f"/jobs/{trained}?tab=outputs"),
        Picture("job-resources", f"/jobs/{trained}?tab=resources"),
        Picture("job-compare", f"/jobs/compare?left={trained}&right={failed}"),
        Picture("workspaces", "/workspaces"),
        Picture("workspace", f"/workspaces/{world.workspaces['Looking at wines']}"),
        Picture("workspaces-none", "/workspaces", "sam"),
        Picture("secrets", "/secrets"),
        Picture("secrets-new", "/secrets", after=_new_secret),
        Picture("environments", "/environments"),
        Picture("tokens", "/tokens"),
        Picture("profile", "/profile"),
        Picture("palette", "/", after=_palette),
        Picture("admin-people", "/admin/people"),
        Picture("admin-people-new", "/admin/people", after=_new_person),
        Picture("admin-executions", "/admin/executions"),
        Picture("admin-tiers", "/admin/tiers"),
        Picture("admin-planes", "/admin/planes"),
        Picture("admin-audit", "/admin/audit"),
        Picture("admin-health", "/admin/health"),
        Picture("hub-accounts", "/hub/admin", after=_accounts),
        Picture("hub-password", "/hub/change-password"),
        Picture("hub-tokens", "/hub/token"),
        Picture("state-loading", "/jobs", before=_slow),
        Picture("state-support", f"{wine}/workspaces", "vera"),
        Picture("state-no-rights", "/admin/audit", "alice"),
        Picture("state-no-rights-in-project", f"{wine}/settings", "alice"),
        Picture("state-not-there", f"{wine}/jobs", "sam"),
        Picture("state-failing", "/jobs", before=_failing),
        Picture("state-away", "/jobs", after=_away),
    ]


def _dialog(page: Page) -> None:
    page.get_by_role("dialog").wait_for()


def _launcher(page: Page) -> None:
    page.get_by_role("button", name="Run a job").click()
    page.get_by_role("textbox", name="Command").fill("python train.py --trees 200")
    page.get_by_text("it starts at once").or_(page.get_by_text("It will wait")).first.wait_for()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for()


def _new_secret(page: Page) -> None:
    page.get_by_role("button", name="New secret").click()
    page.get_by_role("textbox", name="Name").fill("DB_PASSWORD")


def _new_person(page: Page) -> None:
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("textbox", name="Name").last.fill("nora")


def _accounts(page: Page) -> None:
    page.get_by_role("button", name="More about alice").wait_for()


def _slow(page: Page) -> None:
    page.route("**/api/v1/jobs*", lambda route: None)  # no answer comes


def _failing(page: Page) -> None:
    words = (
        '{"error": {"code": "internal", "message": "something failed here", "request_id": "4f"}}'
    )
    answer_all(page, 500, words)


def _away(page: Page) -> None:
    page.context.set_offline(True)
    page.get_by_label("Tag").fill("first")
    page.get_by_text("Smalti does not answer").first.wait_for()


def take(smalti: Instance, world: World, browser: Browser, folder: Path, wanted: list[str]) -> None:
    """Take the pictures whose names begin as wanted, in every size and scheme."""
    chosen = [one for one in pictures(world) if not wanted or one.name.startswith(tuple(wanted))]
    for look, kind in _looks(smalti, browser):
        if not wanted or "login" in wanted:
            look.page.goto(f"{smalti.origin}/hub/login")
            save(look.page, folder / f"login-{kind}.webp")
        for person in dict.fromkeys(one.person for one in chosen):
            look.context.clear_cookies()
            look.log_in(person, world.people[person])
            for one in (picture for picture in chosen if picture.person == person):
                one.before(look.page)
                page = _go(look, one)
                one.after(page)
                save(page, folder / f"{one.name}-{kind}.webp")
                page.unroute_all(behavior="ignoreErrors")
                look.context.set_offline(False)
        look.context.close()


def _go(look: Look, one: Picture) -> Page:
    if one.before is not _slow and not one.address.startswith("/hub/"):
        return look.go(one.address)
    prefix = "" if one.address.startswith("/hub/") else PREFIX
    look.page.goto(f"{look.smalti.origin}{prefix}{one.address}")
    look.page.locator("h1, h2").first.wait_for()
    return look.page


def _looks(smalti: Instance, browser: Browser) -> Iterator[tuple[Look, str]]:
    for width, height in SIZES.items():
        for scheme in SCHEMES:
            size = {"width": width, "height": height}
            context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
            yield Look(smalti, context), f"{scheme}-{width}"


def save(page: Page, path: Path) -> None:
    """Write what is in the window, as WebP."""
    from PIL import Image

    page.mouse.move(0, 0)
    page.wait_for_function(MOVED)
    png = page.screenshot(style=STILL)
    Image.open(io.BytesIO(png)).convert("RGB").save(path, "WEBP", quality=QUALITY, method=6)
    sys.stderr.write(f"{path.name} {path.stat().st_size // 1024} KiB\n")


def main(arguments: list[str]) -> None:
    """Start an instance, take the pictures, end it."""
    parser = argparse.ArgumentParser(description="Make the console's pictures.")
    parser.add_argument("wanted", nargs="*", help="beginnings of names; none for all")
    parser.add_argument("--to", type=Path, default=DOCS / "screenshots")
    chosen = parser.parse_args(arguments)
    chosen.to.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as folder,
        Instance(Path(folder), processes=EVERY_PROCESS) as smalti,
    ):
        world = furnish(smalti)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            take(smalti, world, browser, chosen.to, chosen.wanted)
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])

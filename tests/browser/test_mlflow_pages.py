"""MLflow's own pages in a real browser: behind the login, per project, and held in by a policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_first_page import FLAGS, PICTURES, chromium
from tests.experiments.lab import MLFLOW, Lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EVIL = """<html><body><script>
document.title = 'ran'; try { parent.document.title = 'owned' } catch (e) {}
</script></body></html>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser, experiments: Lab) -> Iterator[Page]:
    """A browser that went to MLflow's address, was asked to log in, and did."""
    smalti = experiments.smalti
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{smalti.origin}{MLFLOW}/")
    page.fill("input[name=username]", smalti.admin)
    page.fill("input[name=password]", smalti.password or "")
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"**{MLFLOW}/**")
    yield page
    context.close()


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_projects_are_its_workspaces_and_their_runs_are_shown(page: Page, experiments: Lab) -> None:
    run_id, experiment = experiments.new_run("ada", experiments.mine, run_name="seen-by-browser")
    experiments.new_run("bob", experiments.theirs, run_name="of-the-other-project")
    page.get_by_text("ada/wine").wait_for()
    page.get_by_text("bob/secret").wait_for()
    picture(page, "mlflow-workspaces")
    assert page.get_by_text("Create new workspace").count() in (0, 1)
    assert not page.get_by_text("Create new workspace").is_visible()
    assert not page.get_by_text("MLflow Assistant").first.is_visible()
    page.get_by_role("link", name=experiments.mine).click()
    page.goto(
        f"{experiments.smalti.origin}{MLFLOW}/#/experiments/{experiment}/runs"
        f"?workspace={experiments.mine}"
    )
    page.get_by_text("seen-by-browser").first.wait_for()
    picture(page, "mlflow-runs")
    assert page.get_by_text("of-the-other-project").count() == 0
    page.goto(
        f"{experiments.smalti.origin}{MLFLOW}/#/experiments/{experiment}/runs/{run_id}"
        f"?workspace={experiments.mine}"
    )
    page.get_by_text("smalti.person").first.wait_for()
    picture(page, "mlflow-run")


def test_a_hostile_artifact_never_runs_on_our_origin(page: Page, experiments: Lab) -> None:
    run_id, experiment = experiments.new_run("ada", experiments.mine)
    with experiments.as_("ada", experiments.mine) as ada:
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/evil.html"
        assert ada.put(path, content=EVIL.encode()).status_code == 200
    origin = experiments.smalti.origin
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url))
    page.goto(
        f"{origin}{MLFLOW}/#/experiments/{experiment}/runs/{run_id}/artifacts/evil.html"
        f"?workspace={experiments.mine}"
    )
    page.get_by_text("evil.html").first.wait_for()
    with page.expect_response(lambda answer: "get-artifact" in answer.url, timeout=20_000):
        page.get_by_text("evil.html").first.click()
    picture(page, "mlflow-hostile-artifact")
    assert page.title() != "owned"
    token = "document.cookie + localStorage.length"
    assert "smalti-experiments" not in page.evaluate(token)

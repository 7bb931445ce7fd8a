"""MLflow's own pages in a real browser: behind the login, per project, and held in by a policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_plain_page import PICTURES
from tests.experiments.lab import MLFLOW, Lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]  # `make test-browser` runs them

EVIL = """<html><body><script>
document.title = 'ran'; try { parent.document.title = 'owned' } catch (e) {}
</script></body></html>"""

LOGS = r"""
import json, mlflow
from mlflow import MlflowClient
from mlflow.store.artifact.runs_artifact_repo import RunsArtifactRepository
with mlflow.start_run(run_name="with-a-curve") as run:
    mlflow.log_param("trees", 20)
    for step in range(10):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("seen in the browser", "notes/words.txt")
    mlflow.log_text("artifact_path: notes\nflavors: {}\n", "notes/MLmodel")
client = MlflowClient()
client.create_registered_model("curve")
# As MLflow's own documents do: its server, also a bare one, reads no file of a source `runs:/...`.
source = RunsArtifactRepository.get_underlying_uri(f"runs:/{run.info.run_id}/notes")
client.create_model_version("curve", source, run_id=run.info.run_id)
print(json.dumps([run.info.run_id, run.info.experiment_id]))
"""


@pytest.fixture
def complaints() -> list[str]:
    """What went wrong in the browser's eyes."""
    return []


@pytest.fixture
def page(browser: Browser, experiments: Lab, complaints: list[str]) -> Iterator[Page]:
    """A browser that went to MLflow's address, was asked to log in, and did."""
    smalti = experiments.smalti
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{smalti.origin}{MLFLOW}/")
    page.fill("input[name=username]", smalti.admin)
    page.fill("input[name=password]", smalti.password or "")

    def console(message: Any) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda got: got.status >= 400 and complaints.append(got.url))
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"**{MLFLOW}/**")
    yield page
    context.close()


def picture(page: Page, name: str) -> None:
    """Keep what is seen, when asked to."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_projects_are_its_workspaces_and_their_runs_are_shown(
    page: Page, experiments: Lab, complaints: list[str]
) -> None:
    run_id, experiment = experiments.new_run("ada", experiments.mine, run_name="seen-by-browser")
    experiments.new_run("bob", experiments.theirs, run_name="of-the-other-project")
    page.get_by_text("ada/wine").wait_for()
    page.get_by_text("bob/secret").wait_for()
    picture(page, "mlflow-workspaces")
    # What cannot work here is not offered.
    assert not page.get_by_text("Create new workspace").is_visible()
    assert not page.locator("[data-assistant-ui]").first.is_visible()
    assert page.get_by_text("Information about UI telemetry").count() == 0
    page.get_by_role("link", name=experiments.mine).click()
    page.get_by_role("link", name="Experiments").first.click()
    page.get_by_role("link", name="wine", exact=True).first.click()
    page.get_by_text("seen-by-browser").first.wait_for()
    picture(page, "mlflow-runs")
    assert page.get_by_text("of-the-other-project").count() == 0
    page.get_by_text("seen-by-browser").first.click()
    page.get_by_text("smalti.person").first.wait_for()
    assert f"/experiments/{experiment}/runs/{run_id}" in page.url
    picture(page, "mlflow-run")
    assert complaints == []


def test_a_run_shows_its_curve_its_files_and_its_model(
    page: Page, experiments: Lab, complaints: list[str], tmp_path: Path
) -> None:
    told = experiments.variables(experiments.tokens["ada"], experiments.mine)
    run_id, experiment = experiments.run_client(LOGS, told, tmp_path)
    base = f"{experiments.smalti.origin}{MLFLOW}/#"
    workspace = f"?workspace={experiments.mine}"
    run = f"{base}/experiments/{experiment}/runs/{run_id}"
    page.goto(f"{run}/model-metrics{workspace}")
    page.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for()
    picture(page, "mlflow-curve")
    page.goto(f"{run}/artifacts{workspace}")
    page.get_by_text("notes").first.click()
    page.get_by_text("words.txt").first.click()
    page.get_by_text("seen in the browser").first.wait_for()
    picture(page, "mlflow-artifact")
    page.goto(f"{base}/models{workspace}")
    page.get_by_role("link", name="curve", exact=True).first.click()
    page.get_by_text("Version 1").first.wait_for()
    page.goto(f"{base}/models/curve/versions/1{workspace}")
    page.get_by_text("smalti.person").first.wait_for()
    picture(page, "mlflow-version")
    assert complaints == []


def test_a_hostile_artifact_never_runs_on_our_origin(page: Page, experiments: Lab) -> None:
    run_id, experiment = experiments.new_run("ada", experiments.mine)
    with experiments.as_("ada", experiments.mine) as ada:
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/evil.html"
        assert ada.put(path, content=EVIL.encode()).status_code == 200
    page.goto(
        f"{experiments.smalti.origin}{MLFLOW}/#/experiments/{experiment}/runs/{run_id}/artifacts"
        f"?workspace={experiments.mine}"
    )
    with page.expect_response(lambda answer: "get-artifact" in answer.url, timeout=20_000):
        page.get_by_text("evil.html").first.click()
    page.get_by_text("evil.html").first.wait_for()
    picture(page, "mlflow-hostile-artifact")
    assert page.title() not in ("owned", "ran")
    assert "smalti-experiments" not in page.evaluate("document.cookie")

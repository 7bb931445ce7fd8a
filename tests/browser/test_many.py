"""Many runs and many metrics: what is behind a page does not make it slow, nor fill it.

The rows are put into MLflow's database as its own client would have, in one go.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser.look import Look
from tests.browser.world import World
from tests.experiments.lab import MLFLOW

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]  # `make test-browser` runs them

RUNS = 100_000
METRICS = 3_000
DRAWN = 250  # rows that may be in the page at once, of however many
LONG = 180_000  # milliseconds in which another page has come, however busy the machine is
SECONDS = 3.0  # for a list to show, on a quiet machine


class Many:
    """A project with very many runs, and two runs with very many metrics."""

    def __init__(self, world: World) -> None:
        self.smalti = world.smalti
        with self.smalti.client() as client:
            made = client.post("/projects", json={"name": "many"})
            assert made.status_code == 201, made.text
            self.project = made.json()["id"]
        first = self._ask("experiments/create", name="very many runs")["experiment_id"]
        wide = self._ask("experiments/create", name="wide runs")["experiment_id"]
        pattern = self._ask("runs/create", experiment_id=first, run_name="run 0")
        self.wide = [
            self._ask("runs/create", experiment_id=wide, run_name=f"wide {n}") for n in range(2)
        ]
        self._fill(pattern)

    def _ask(self, path: str, **body: Any) -> Any:
        headers = {**self.smalti.bearer(), "X-MLFLOW-WORKSPACE": self.project}
        url = f"{self.smalti.url}{MLFLOW}/api/2.0/mlflow/{path}"
        answer = httpx.post(url, headers=headers, json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        return told["run"]["info"]["run_id"] if "run" in told else told

    def _fill(self, pattern: str) -> None:
        file = self.smalti.home / "experiments" / "mlflow.sqlite"
        with closing(sqlite3.connect(file, timeout=60)) as database, database:
            database.row_factory = sqlite3.Row
            row = dict(
                database.execute("select * from runs where run_uuid=?", [pattern]).fetchone()
            )
            ids = [f"{n:032x}" for n in range(1, RUNS)]
            rows = [
                {**row, "run_uuid": one, "name": f"run {n}", "status": "FINISHED",
                 "start_time": row["start_time"] + n, "end_time": row["start_time"] + n + 5000}
                for n, one in enumerate(ids, 1)
            ]  # fmt: skip
            names = ",".join(row)
            values = ",".join(f":{name}" for name in row)
            database.executemany(f"insert into runs ({names}) values ({values})", rows)
            self._metrics(database, [(one, "accuracy", n / RUNS) for n, one in enumerate(ids)])
            database.executemany(
                "insert into params (key, value, run_uuid) values ('depth', ?, ?)",
                [(str(n % 7), one) for n, one in enumerate(ids)],
            )
            for run in self.wide:
                many = [(run, f"metric_{n:04}", n * 0.5) for n in range(METRICS)]
                self._metrics(database, many)

    def _metrics(self, database: sqlite3.Connection, rows: list[tuple[str, str, float]]) -> None:
        database.executemany(
            "insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan) "
            "values (?, ?, ?, 1, 0, 0)",
            rows,
        )


@pytest.fixture(scope="module")
def many(world: World) -> Many:
    """Made once."""
    return Many(world)


def drawn(page: Page) -> int:
    """Count the rows that are in the page."""
    return page.locator("main tbody tr").count()


def in_time(began: float, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Hold what was waited for to its time; a machine that has more to do is as much slower."""
    took, load = time.monotonic() - began, os.getloadavg()[0]
    with capsys.disabled():
        print(f"\n{what}: {took:.2f} s (load {load:.1f})", end=" ")
    assert took < SECONDS * max(1.0, load / (os.cpu_count() or 1)), what


def test_a_list_with_very_many_runs_behind_it(
    look: Look, many: Many, capsys: pytest.CaptureFixture[str]
) -> None:
    page = look.log_in()
    began = time.monotonic()
    look.go(f"/projects/{many.project}/experiments")
    page.get_by_role("link", name=f"run {RUNS - 1}", exact=True).wait_for()
    in_time(began, f"the newest of {RUNS:,} runs", capsys)
    began = time.monotonic()
    page.get_by_role("textbox", name="Filter").fill("accuracy > 0.5 and depth = 3")
    page.get_by_role("link", name=f"run {RUNS - 1}", exact=True).wait_for(state="hidden")
    page.locator("main tbody a").first.wait_for()
    in_time(began, "a filter on values", capsys)
    look.go(f"/projects/{many.project}/experiments")
    for loaded in (200, 300, 400):
        page.get_by_role("button", name="Show more").click()
        page.get_by_text(f"{loaded} runs, and more").wait_for(timeout=LONG)
        assert drawn(page) < DRAWN
    page.keyboard.press("End")
    page.get_by_role("link", name=f"run {RUNS - 400}", exact=True).wait_for()
    assert drawn(page) < DRAWN
    page.keyboard.press("Home")
    page.get_by_role("link", name=f"run {RUNS - 1}", exact=True).wait_for()


def test_very_many_metrics_side_by_side(
    look: Look, many: Many, capsys: pytest.CaptureFixture[str]
) -> None:
    page = look.log_in()
    began = time.monotonic()
    look.go(f"/projects/{many.project}/experiments/compare?runs={','.join(many.wide)}")
    page.get_by_role("rowheader", name="metric_0000").wait_for()
    in_time(began, f"{METRICS:,} metrics of two runs", capsys)
    table = page.get_by_role("table").filter(has_text="metric_0000")
    assert table.get_attribute("aria-rowcount") == str(METRICS + 1)
    assert drawn(page) < DRAWN
    assert look.fits()
    page.get_by_role("textbox", name="Find a parameter or metric").fill("metric_2999")
    page.get_by_role("rowheader", name="metric_2999").wait_for()
    page.get_by_role("tab", name="Curves").click()
    page.get_by_role("textbox", name="Find a metric").fill("metric_1234")
    page.locator("figure", has_text="metric_1234").wait_for()
    page = look.go(f"/projects/{many.project}/experiments/runs/{many.wide[0]}")
    page.get_by_role("button", name=f"Show more of {METRICS}", exact=True).wait_for()
    assert look.violations() == []

"""Addresses of the console's pages, and a walk along them. Used by the tests of this folder."""

from __future__ import annotations

from tests.browser.look import Look
from tests.browser.world import World

EVERYBODY = ["/", "/projects", "/jobs", "/environments", "/tokens", "/profile", "/workspaces",
             "/secrets"]  # fmt: skip
ADMIN = ["/admin/people", "/admin/executions", "/admin/executions?kind=workspaces",
         "/admin/tiers", "/admin/planes", "/admin/audit", "/admin/health"]  # fmt: skip
PARTS = ["", "/files", "/history", "/jobs", "/workspaces", "/experiments", "/models", "/secrets",
         "/members", "/settings"]  # fmt: skip


def of_project(world: World, name: str) -> list[str]:
    """Addresses of a project's pages."""
    return [f"/projects/{world.projects[name]}{part}" for part in PARTS]


def of_workspaces(world: World) -> list[str]:
    """Addresses of workspaces' pages."""
    return [f"/workspaces/{one}" for one in world.workspaces.values()]


def of_experiments(world: World) -> list[str]:
    """Addresses of what is in MLflow: runs as plots, one run, several, a model."""
    base = f"/projects/{world.projects['wine']}"
    views = [f"{base}/experiments?view={view}" for view in ("parallel", "scatter")]
    compare = f"{base}/experiments/compare?runs={','.join(world.runs)}"
    return [*views, f"{base}/experiments/runs/{world.runs[0]}", compare,
            f"{base}/models/wine-quality"]  # fmt: skip


def of_jobs(world: World) -> list[str]:
    """Addresses of jobs' pages."""
    tabs = [f"/jobs/{world.jobs['trained']}?tab={tab}" for tab in ("outputs", "resources")]
    pages = [f"/jobs/{world.jobs[key]}" for key in ("trained", "failed", "running", "nasty")]
    compare = f"/jobs/compare?left={world.jobs['trained']}&right={world.jobs['failed']}"
    return [*pages, *tabs, compare]


def of_files(world: World) -> list[str]:
    """Addresses of files that tend to break pages."""
    base = f"/projects/{world.projects['nasty']}/files/"
    names = ["README.md", "page.html", "notes.ipynb", "data/table.csv", "data/noise.txt",
             "picture.png", "bomb.png", "page.html?edit=", "?new="]  # fmt: skip
    return [base + name for name in names]


def walk(look: Look, addresses: list[str]) -> None:
    """Go to each page; fail with everything that is wrong there."""
    wrong = []
    for address in addresses:
        page = look.go(address)
        wrong += [f"{address}: {one}" for one in look.violations()]
        if not look.fits():
            wrong.append(f"{address}: wider than the window")
        if page.title() == "owned":
            wrong.append(f"{address}: a script of somebody's ran")
    assert not wrong, "\n".join(wrong)

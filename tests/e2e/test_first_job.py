"""The README's five minutes: a person, a project, a job on real data, its log and outputs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import Person


def test_who_logs_in_is_known(admin: Person) -> None:
    me = admin.json("whoami")
    assert (me["name"], me["admin"]) == ("admin", True)


def test_a_wrong_password_is_refused_in_one_line(admin: Person, tmp_path: Path) -> None:
    stranger = Person(admin.smalti, tmp_path, "stranger")
    arguments = ["login", admin.smalti.url, "--user", "admin", "--password-stdin"]
    done = stranger.run(*arguments, stdin="wrong\n", expect=None)
    assert done.returncode not in (0, 130)
    assert len(done.stderr.strip().splitlines()) == 1
    assert stranger.run("whoami", expect=None).returncode != 0


def test_a_job_on_real_data_leaves_its_metrics_picture_and_model(
    admin: Person, wine: str, tmp_path: Path
) -> None:
    done = admin.run("jobs", "run", wine, "--follow", "--", "python", "train.py", "--trees", "200")
    assert "accuracy" in done.stdout
    [job, *_] = admin.json("jobs", "list", wine)
    assert (job["status"], job["exit_code"], job["number"]) == ("Succeeded", 0, 1)
    assert job["usage"]["cpu_seconds"] > 0
    assert job["isolation"] in ("full", "namespaces", "none")
    text = admin.run("jobs", "logs", "wine#1").stdout
    assert text
    outputs = {one["path"]: one for one in admin.json("jobs", "outputs", "wine#1")}
    assert {"metrics.json", "confusion.png"} <= set(outputs)
    admin.run("jobs", "outputs", "wine#1", "--download", str(tmp_path))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert 0.8 < metrics["accuracy"] <= 1
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_a_notebook_runs_as_a_job_and_leaves_itself_executed(admin: Person, tmp_path: Path) -> None:
    admin.run("projects", "create", "digits", "--example", "digits-notebook")
    listed = admin.json("files", "list", "digits")
    notebook = next(one["path"] for one in listed if one["path"].endswith(".ipynb"))
    admin.run("jobs", "run", "digits", "--file", notebook, "--follow", seconds=240)
    admin.run("jobs", "outputs", "digits#1", "--download", str(tmp_path))
    executed = json.loads(next(tmp_path.glob("**/*.ipynb")).read_text())
    counts = [cell.get("execution_count") for cell in executed["cells"]]
    assert any(counts)
    assert "<html" in next(tmp_path.glob("**/*.html")).read_text()[:1000].lower()


def test_stop_rerun_and_compare(admin: Person, wine: str) -> None:
    long = admin.json("jobs", "run", wine, "--", "sleep", "600")
    admin.run("jobs", "stop", long["id"])
    stopped = admin.json("jobs", "show", long["id"])
    assert stopped["status"] in ("Stopping", "Stopped")
    again = admin.json("jobs", "rerun", "wine#1")
    assert again["command"] == ["python", "train.py", "--trees", "200"]
    done = admin.run("jobs", "logs", "-f", again["id"])
    assert "accuracy" in done.stdout
    compared = admin.json("jobs", "compare", "wine#1", again["id"])
    assert compared["code"]["files"] == []
    assert all(
        one["left"] == one["right"] for one in compared["metrics"] if "sec" not in one["name"]
    )


def test_a_job_that_fails_says_so_by_its_exit_code(admin: Person, wine: str) -> None:
    arguments = ["jobs", "run", wine, "--wait", "--", "python", "-c", "raise SystemExit(7)"]
    done = admin.run(*arguments, expect=None)
    assert done.returncode == 1
    [job, *_] = admin.json("jobs", "list", wine)
    assert (job["status"], job["exit_code"]) == ("Failed", 7)
    assert "7" in job["reason"]


def test_a_command_that_does_not_exist_has_a_reason(admin: Person, wine: str) -> None:
    admin.run("jobs", "run", wine, "--wait", "--", "no-such-program", expect=None)
    [job, *_] = admin.json("jobs", "list", wine)
    assert job["status"] == "Failed"
    assert "no-such-program" in job["reason"]


def test_what_does_not_exist_is_said_in_words(admin: Person, wine: str) -> None:
    for arguments in (
        ("projects", "show", "nothing"),
        ("jobs", "show", "wine#999"),
        ("jobs", "run", wine, "--ref", "nowhere", "--", "true"),
        ("jobs", "run", wine, "--tier", "enormous", "--", "true"),
        ("projects", "create", "../evil"),
        ("projects", "create", "x" * 10_000),
        ("projects", "create", "wine"),
        ("projects", "create", "a", "--example", "nothing"),
    ):
        done = admin.run(*arguments, expect=None)
        assert done.returncode not in (0, 1), arguments
        assert done.stderr.strip(), arguments

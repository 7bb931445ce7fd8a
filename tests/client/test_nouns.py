"""Projects, files, jobs and the rest through the SDK."""

from __future__ import annotations

from pathlib import Path

import pytest
import smalti
from smalti.files import Change
from smalti.jobs import JobFilter

from tests.client.server import Fault, Platform


def test_projects_are_found_by_name_owner_and_id(platform: Platform, client: smalti.Client) -> None:
    wine = client.projects["wine"]
    assert wine.full_name == "ada/wine"
    assert client.projects["ada/wine"].id == wine.id
    assert client.projects[wine.id].id == wine.id
    with pytest.raises(smalti.NotFound):
        client.projects["bob/wine"]
    with pytest.raises(smalti.BadRequest):
        client.projects["no such/name/"]


def test_name_of_several_projects_means_ones_own_or_is_refused(
    platform: Platform, client: smalti.Client
) -> None:
    platform.add_project("wine", "bob")
    assert client.projects["wine"].full_name == "ada/wine"
    platform.add_project("beer", "bob")
    platform.people["eve"] = platform.people["bob"]
    platform.add_project("beer", "eve")
    with pytest.raises(smalti.BadRequest, match="bob/beer, eve/beer"):
        client.projects["beer"]


def test_lists_go_over_pages_and_stop_where_asked(
    platform: Platform, client: smalti.Client
) -> None:
    for number in range(7):
        platform.add_project(f"p{number}")
    assert len(list(client.projects)) == 8
    assert [one.name for one in client.projects.list(limit=3)] == ["wine", "p0", "p1"]


def test_project_is_made_changed_and_deleted(platform: Platform, client: smalti.Client) -> None:
    made = client.projects.create("beer", description="d", example="wine-quality")
    call = platform.calls_of("POST", "/projects")[0]
    assert call.json == {"name": "beer", "description": "d", "example": "wine-quality"}
    assert made.update(description="e").refresh().view.description == "e"
    with pytest.raises(smalti.Conflict, match="project of that name"):
        client.projects.create("beer")
    client.projects.delete("beer")
    with pytest.raises(smalti.NotFound):
        made.refresh()


def test_members_are_added_changed_and_removed_by_name(
    platform: Platform, client: smalti.Client
) -> None:
    members = client.projects["wine"].members
    assert members.add("bob", "consumer").role == "consumer"
    assert members.set("bob", "contributor").role == "contributor"
    assert [(one.person.name, one.role) for one in members] == [
        ("ada", "owner"),
        ("bob", "contributor"),
    ]
    members.remove("bob")
    assert len(list(members)) == 1


def test_files_are_listed_read_written_and_removed(
    platform: Platform, client: smalti.Client, tmp_path: Path
) -> None:
    files = client.projects["wine"].files
    assert [one.path for one in files.list()] == ["README.md"]
    assert files.read("README.md", ref="main") == b"# hello\n"
    local = tmp_path / "data.bin"
    local.write_bytes(b"\0" * 1_000_000)
    platform.faults.append(Fault("PUT", "/content/", status=503))
    commit = files.write("deep/ü #.bin", local, Change("main", "add data"))
    assert platform.files["deep/ü #.bin"] == local.read_bytes()
    assert commit.message == "add data"
    assert files.download("deep/ü #.bin", tmp_path / "back").read_bytes() == local.read_bytes()
    assert files.remove("deep/ü #.bin") is not None
    with pytest.raises(smalti.NotFound):
        files.read("deep/ü #.bin")
    for path in ("../x", "a//b", "", "/a"):
        with pytest.raises(smalti.BadRequest):
            files.read(path)


def test_file_changed_meanwhile_is_not_overwritten(
    platform: Platform, client: smalti.Client
) -> None:
    files = client.projects["wine"].files
    _, version = files.read_version("README.md")
    files.write("README.md", "mine", Change(if_match=version))
    with pytest.raises(smalti.PreconditionFailed):
        files.write("README.md", "theirs", Change(if_match=version))
    assert platform.files["README.md"] == b"mine"


def test_history_is_listed(client: smalti.Client) -> None:
    wine = client.projects["wine"]
    assert [one.name for one in wine.branches()] == ["main"]
    assert len(wine.tags()) == 1
    commit = next(wine.commits(ref="main", path="README.md"))
    assert (commit.author.name, len(commit.id)) == ("ada", 40)


def test_job_is_started_with_what_was_said_only(platform: Platform, client: smalti.Client) -> None:
    client.jobs.start("wine", ["python", "a b.py"], ref=None, tags=("x",), environment="default")
    client.jobs.start(
        client.projects["wine"], file="n.ipynb", args=["1"], timeout=60, env={"A": "b"}
    )
    first, second = (call.json for call in platform.calls_of("POST", "/jobs"))
    project_id = client.projects["wine"].id
    assert first == {
        "project_id": project_id,
        "command": ["python", "a b.py"],
        "tags": ["x"],
        "environment_id": "e1",
    }
    assert second == {
        "project_id": project_id,
        "file": "n.ipynb",
        "args": ["1"],
        "timeout": 60,
        "env": {"A": "b"},
    }
    for wrong in ({}, {"command": "x", "file": "y.py"}):
        with pytest.raises(smalti.BadRequest, match="either a command or a file"):
            client.jobs.start("wine", **wrong)  # type: ignore[arg-type]
    with pytest.raises(smalti.BadRequest, match="larger than any plane"):
        client.jobs.start("wine", "x", tier="huge")
    with pytest.raises(smalti.NotFound, match="no-such"):
        client.jobs.start("wine", "x", environment="no-such")


def test_jobs_are_found_by_number_and_listed(platform: Platform, client: smalti.Client) -> None:
    for _ in range(5):
        client.jobs.start("wine", "x")
    job = client.jobs["ada/wine#2"]
    assert (job.number, client.jobs[job.id].id) == (2, job.id)
    assert [one.number for one in client.jobs.list(JobFilter("wine"), limit=3)] == [5, 4, 3]
    assert len(list(client.jobs.list(JobFilter(owner="me")))) == 5
    assert list(client.jobs.list(JobFilter(owner="bob", status="Running"))) == []
    with pytest.raises(smalti.NotFound):
        list(client.jobs.list(JobFilter(owner="nobody")))
    with pytest.raises(smalti.NotFound, match="wine#9"):
        client.jobs["wine#9"]
    with pytest.raises(smalti.BadRequest, match="of which project"):
        client.jobs["9"]


def test_job_is_waited_for(platform: Platform, client: smalti.Client) -> None:
    platform.next_script = [
        ("Queued", "waiting for 2 of 4 CPUs in tier small"),
        ("Running", None),
        ("Running", None),
        ("Failed", "exit code 3"),
    ]
    seen: list[str] = []
    job = client.jobs.start("wine", "x")
    platform.faults.append(Fault("GET", f"/jobs/{job.id}$", times=2, status=502))
    assert job.wait(changed=lambda view: seen.append(view.status)).is_final
    assert seen == ["Queued", "Running", "Failed"]
    with pytest.raises(smalti.JobNotSuccessful, match="exit code 3") as caught:
        job.wait(check=True)
    assert caught.value.job.status == "Failed"


def test_waiting_ends_in_time(platform: Platform, client: smalti.Client) -> None:
    platform.next_script = []
    with pytest.raises(smalti.WaitedTooLong, match="Queued"):
        client.jobs.start("wine", "x").wait(timeout=0.2)


def test_job_is_stopped_repeated_compared_and_measured(client: smalti.Client) -> None:
    job = client.jobs.start("wine", "x")
    assert job.stop().status == "Stopping"
    assert job.wait().status == "Stopped"
    again = job.rerun(newest=True)
    assert (again.view.rerun_of, again.number, job.number) == (job.id, 2, 1)
    assert again.view.title == "newest"
    found = client.jobs.compare(job, "wine#2")
    assert found.metrics[0].right == 0.75
    assert dict(job.metrics().values or {}) == {"accuracy": 0.975}


def test_catalogs_and_tokens(platform: Platform, client: smalti.Client) -> None:
    assert client.environments["default"].revision == 1
    assert client.tiers["small"].memory == 1 << 30
    assert next(iter(client.planes)).capacity.cpu == 2
    with pytest.raises(smalti.NotFound):
        client.tiers["none"]
    made = client.tokens.create("ci", rights=["jobs"], expires_in_days=3)
    assert made.token == "sml_secret"
    assert "sml_secret" not in repr(made)
    assert platform.calls[-1].json == {"name": "ci", "rights": ["jobs"], "expires_in_days": 3}
    client.tokens.revoke(made.id)
    assert list(client.tokens.list()) == []


def test_what_has_no_method_yet_can_be_called(client: smalti.Client) -> None:
    assert client.request("GET", "/environments")["items"][0]["name"] == "default"

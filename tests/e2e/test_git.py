"""Code by git: clone with a token, push, and run at a branch, a tag and a commit."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Person


def test_clone_edit_push_and_run_what_was_pushed(admin: Person, wine: str, tmp_path: Path) -> None:
    smalti = admin.smalti
    token = smalti.token()
    address = f"http://admin:{token}@127.0.0.1:{smalti.port}/services/smalti/git/admin/wine.git"
    admin.git("clone", address, str(tmp_path / "wine"))
    here = tmp_path / "wine"
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    (here / "hello.py").write_text("print('from the branch')\n")
    admin.git("checkout", "-b", "experiment", where=here)
    admin.git("add", "hello.py", where=here)
    admin.git(*identity, "commit", "-m", "Say hello", where=here)
    admin.git("tag", "v1", where=here)
    admin.git("push", "origin", "experiment", "v1", where=here)
    commit = admin.git("rev-parse", "HEAD", where=here).strip()
    for ref in ("experiment", "v1", commit):
        done = admin.run("jobs", "run", wine, "--follow", "--ref", ref, "--", "python", "hello.py")
        assert "from the branch" in done.stdout, ref
    done = admin.run("jobs", "run", wine, "--wait", "--", "python", "hello.py", expect=None)
    assert done.returncode == 1, "the default branch has no such file"


def test_a_file_edited_by_the_api_is_a_commit_by_that_person(admin: Person, wine: str) -> None:
    admin.run("files", "put", wine, "-", "note.txt", stdin="edited\n")
    assert admin.run("files", "get", wine, "note.txt", "-o", "-").stdout == "edited\n"
    with admin.smalti.client() as client:
        [project] = client.get("/projects?owner=admin&name=wine").json()["items"]
        [newest, *_] = client.get(f"/projects/{project['id']}/commits").json()["items"]
    assert newest["author"]["name"] == "admin"


def test_a_wrong_token_clones_nothing(admin: Person, wine: str, tmp_path: Path) -> None:
    address = (
        f"http://admin:wrong@127.0.0.1:{admin.smalti.port}/services/smalti/git/admin/{wine}.git"
    )
    admin.git("clone", address, str(tmp_path / "stolen"), expect=128)
    assert not (tmp_path / "stolen").exists()

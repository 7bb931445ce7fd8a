"""The console's build in the set-up: made once, never in the way of a start, said in a sentence."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "setup"))

import find_uv  # noqa: E402 - scripts' modules, found by the line above
import make_console  # noqa: E402

NODE = "#!/bin/sh\necho v99.0.0\n"
UNREACHED = "#!/bin/sh\necho 'npm error code ENOTFOUND'; echo 'npm error network no way'; exit 1\n"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources and places of the test's own."""
    source = tmp_path / "console"
    (source / "src").mkdir(parents=True)
    (source / "src" / "main.tsx").write_text("tiles")
    (source / "package-lock.json").write_text("{}")
    monkeypatch.setattr(make_console, "SOURCE", source)
    monkeypatch.setattr(make_console, "BUILT", tmp_path / "built")
    monkeypatch.setattr(make_console, "TOLD", tmp_path / "built.json")
    monkeypatch.setattr(make_console, "WORK", tmp_path / "build")
    monkeypatch.setattr(make_console, "NODE", tmp_path / "build" / "node")
    monkeypatch.setattr(make_console, "LOG", tmp_path / "build" / "console.log")
    return tmp_path


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    """Put programs, and no others, on PATH."""
    made = folder / "bin"
    made.mkdir()
    for name, text in texts.items():
        (made / name).write_text(text)
        (made / name).chmod(0o755)
    (made / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(made))


def told(places: Path) -> str:
    """Give what the plain page will say."""
    return str(json.loads((places / "built.json").read_text())["message"])


def built(places: Path, digest: str) -> None:
    """Put a build in place."""
    (places / "built").mkdir()
    (places / "built" / "stamp.json").write_text(json.dumps({"digest": digest}))


def test_a_registry_out_of_reach_is_one_sentence(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs(places, monkeypatch, node=NODE, npm=UNREACHED)
    make_console.main(["--beside"])
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "npm did not reach its registry" in said[1]
    assert "a plain page stands in for it" in said[1]
    assert "npm did not reach its registry" in told(places)
    with pytest.raises(SystemExit, match="npm did not reach its registry"):
        make_console.main([])


def test_no_node_and_no_way_to_fetch_it_is_one_sentence(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> Path:
        raise find_uv.FetchError("uv could not be fetched")

    programs(places, monkeypatch)
    monkeypatch.setattr(make_console, "find_uv", refuse)
    make_console.main(["--beside"])
    assert "node.js is not installed, and uv could not be fetched" in capsys.readouterr().err
    assert "node.js is not installed" in told(places)


def test_an_old_node_is_not_taken(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(places, monkeypatch, node="#!/bin/sh\necho v18.20.0\n", npm=UNREACHED)
    assert not make_console._new_enough(dict(os.environ))


def test_a_failed_build_leaves_the_former_one(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(places, monkeypatch, node=NODE, npm=UNREACHED)
    built(places, "of other sources")
    make_console.main(["--beside"])
    assert make_console.made() == "of other sources"


def test_what_is_built_is_not_built_again(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(make_console.subprocess, "Popen", fail)
    built(places, make_console.digest())
    with make_console.beside(1.0):
        pass
    make_console.main([])


@pytest.mark.parametrize(
    ("name", "counts"),
    [("src/page.tsx", True), ("src/page.test.tsx", False), ("src/api/schema.ts", False),
     ("node_modules/a/b.js", False), ("package.json", True)],
)  # fmt: skip
def test_only_what_a_build_is_made_of_counts(places: Path, name: str, counts: bool) -> None:
    before = make_console.digest()
    file = places / "console" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("new")
    assert (make_console.digest() != before) is counts


def slow(monkeypatch: pytest.MonkeyPatch, places: Path) -> Path:
    """Let the build beside be a program that runs until it is ended; give where it says its pid."""
    pid = places / "pid"
    script = places / "slow.py"
    script.write_text(
        "import os, pathlib, signal\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        "signal.pause()\n"
    )
    monkeypatch.setattr(make_console, "__file__", str(script))
    return pid


def test_a_start_waits_a_while_and_goes_on(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = slow(monkeypatch, places)
    with make_console.beside(5.0):
        pass
    os.kill(int(pid.read_text()), 15)
    assert "still being built" in capsys.readouterr().err


def test_it_ends_with_a_set_up_that_fails(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    popen = make_console.subprocess.Popen

    def keep(*arguments: object, **more: object) -> object:
        started.append(popen(*arguments, **more))  # type: ignore[call-overload]
        return started[-1]

    slow(monkeypatch, places)
    monkeypatch.setattr(make_console.subprocess, "Popen", keep)
    with pytest.raises(SystemExit), make_console.beside(None):
        sys.exit("no disk")
    assert [one.returncode for one in started] == [-15]  # type: ignore[attr-defined]


def test_the_lock_names_hashes_and_no_host() -> None:
    lock = json.loads((REPOSITORY / "extensions/console/package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert len(packages) > 100
    assert not [name for name, one in packages.items() if "resolved" in one]
    assert not [name for name, one in packages.items() if not one["integrity"].startswith("sha512")]

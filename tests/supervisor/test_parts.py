"""The supervisor's small parts: back-off, log rotation, ports, the default environment."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.supervisor import building, environment, logs, ports
from services.supervisor.backoff import LONGEST, REST, Backoff
from services.supervisor.home import Home, read_json, write_json
from tests.instance import ENVIRONMENTS, free_port


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_backoff_never_waits_longer_than_its_rest(lives: list[float]) -> None:
    backoff, at = Backoff(), 0.0
    for lived in lives:
        at += lived
        wait = backoff.crashed(at, lived)
        assert 0 <= wait <= REST
        assert wait <= LONGEST or backoff.looping
        at += wait


def test_backoff_starts_again_at_once_after_a_long_life() -> None:
    backoff = Backoff()
    assert [backoff.crashed(float(n), 0.1) for n in range(5)] == [0, 0.5, 1, 2, 4]
    assert backoff.crashed(6.0, 0.1) == REST
    assert backoff.crashed(1000.0, 900.0) == 0
    assert not backoff.looping


def test_rotation_works_while_the_writer_holds_the_file(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    script = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
    writer = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=logs.open_log(log),
        text=True,
    )
    assert writer.stdin is not None
    for number in range(8):
        writer.stdin.write(f"line {number} {'x' * 100}\n")
        writer.stdin.flush()
        while f"line {number} " not in log.read_text():
            pass
        assert logs.rotate(log, largest=50, kept=3)
        assert log.stat().st_size == 0
    writer.stdin.close()
    writer.wait()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hub.log",
        "hub.log.1",
        "hub.log.2",
        "hub.log.3",
    ]
    assert (tmp_path / "hub.log.1").read_text().startswith("line 7 ")
    assert (tmp_path / "hub.log.3").read_text().startswith("line 5 ")


def test_last_lines_of_a_log_that_is_not_text(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"\xff\xfe\n\n" + b"a" * 20_000 + b"\nlast\n")
    assert logs.last_lines(log, 1) == ["last"]
    assert logs.last_lines(tmp_path / "none.log") == []


def test_ports_are_kept_and_replaced_when_a_stranger_has_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make_folders()
    first, changed = ports.choose(home, str(free_port()), set())
    assert changed
    assert ports.choose(home, None, set()) == (first, False)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", first["platform"]))
        stranger.listen()
        again, changed = ports.choose(home, None, set())
        assert changed
        assert again["platform"] != first["platform"]
        kept, changed = ports.choose(home, None, {"platform"})
        assert kept == again
    assert read_json(home.path("run", "ports.json")) == kept


def test_default_environment_runs_real_data_science(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make_folders()
    ENVIRONMENTS.mkdir(exist_ok=True)
    assert environment.DEFAULT.state(home) == "missing"
    building.build(home, ENVIRONMENTS)
    assert environment.DEFAULT.state(home) == "ready"
    place = environment.DEFAULT.folder(home)
    script = "import sklearn, pandas, matplotlib, nbconvert, ipykernel, smalti; print('ok')"
    done = subprocess.run(
        [str(place / "bin" / "python"), "-I", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "ok\n", done.stderr
    tool = subprocess.run(
        [str(place / "bin" / "jupyter-nbconvert"), "--version"], capture_output=True, check=False
    )
    assert tool.returncode == 0, "scripts work where the folder was moved to"
    package = next(place.glob("lib/python3*/site-packages/sklearn/__init__.py"))
    assert package.stat().st_mode & 0o222 == 0, "nobody writes into a finished environment"
    assert list(package.parent.glob("__pycache__/__init__*.pyc")), "it is compiled"


def test_an_environment_is_replaced_whole_and_what_it_replaces_stays(tmp_path: Path) -> None:
    """Sandboxes of running work are bound to the old folder."""
    home = Home(tmp_path)
    home.make_folders()
    ENVIRONMENTS.mkdir(exist_ok=True)
    place = environment.DEFAULT.folder(home)
    place.mkdir()
    write_json(place / environment.STAMP, {"digest": "of an earlier release"})
    assert environment.DEFAULT.state(home) == "outdated"
    held = place.stat().st_ino
    building.build(home, ENVIRONMENTS)
    assert environment.DEFAULT.state(home) == "ready"
    (replaced,) = place.parent.glob(".replaced-*")
    assert replaced.stat().st_ino == held


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"pid": 1}'])
def test_a_half_written_record_is_no_record(tmp_path: Path, text: str) -> None:
    from services.supervisor import records

    home = Home(tmp_path)
    home.make_folders()
    home.path("run", "hub.json").write_text(text)
    assert records.load(home, "hub") is None

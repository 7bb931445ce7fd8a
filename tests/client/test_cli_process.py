"""The command line as its own process: signals, pipes, terminals, git."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.client.server import TOKEN, Fault, Platform

SMALTI = [sys.executable, "-m", "smalti"]
HEAVY = {"httpx", "rich", "asyncio", "ssl"}


@pytest.fixture
def environ(platform: Platform) -> dict[str, str]:
    """An environment with server and token."""
    return {
        **os.environ,
        "SMALTI_API_URL": platform.url,
        "SMALTI_TOKEN": TOKEN,
        "PYTHONUNBUFFERED": "1",
    }


def run(environ: dict[str, str], *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [*SMALTI, *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        **more,
    )


def on_terminal(environ: dict[str, str], *words: str) -> tuple[int, str]:
    """Run the command line with a terminal; return its exit code and all that came."""
    ours, theirs = pty.openpty()
    environ = {"COLUMNS": "120", **environ, "TERM": "xterm-256color"}
    child = subprocess.Popen([*SMALTI, *words], env=environ, stdout=theirs, stderr=theirs)
    os.close(theirs)
    got = bytearray()
    while select.select([ours], [], [], 30)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the terminal's other side is closed
            break
        if not piece:
            break
        got += piece
    os.close(ours)
    return child.wait(30), got.decode()


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, smalti.cli; smalti.cli.run(['--help']); print(sorted(sys.modules), "
        "file=sys.stderr)"
    )
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    loaded = set(re.findall(r"'([^']*)'", done.stderr))
    assert "click" in loaded
    assert not HEAVY & loaded


def test_ctrl_c_while_following_leaves_the_job(platform: Platform, environ: dict[str, str]) -> None:
    platform.next_script = []
    platform.next_log = [b"first\n", b"second\n"]
    # The stream never ends: it breaks after the first line, again and again.
    platform.faults.append(Fault("GET", "/logs$", times=10_000, cut_at=160))
    words = ["jobs", "run", "wine", "--follow", "--shell", "sleep"]
    child = subprocess.Popen(
        [*SMALTI, *words], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "first\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "ada/wine#1 goes on. To stop it: smalti jobs stop ada/wine#1" in err
    assert "Traceback" not in err
    assert not platform.calls_of("POST", "/stop")


def test_reader_that_goes_away_ends_it_quietly(platform: Platform, environ: dict[str, str]) -> None:
    platform.next_log = [b"line\n" * 400_000]
    platform.add_job(next(iter(platform.projects)))
    child = subprocess.Popen(
        [*SMALTI, "jobs", "logs", "wine#1"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(30) == 141
    assert child.stderr.read() == b""
    child.stderr.close()


def test_terminal_gets_colours_and_nothing_worse(
    platform: Platform, environ: dict[str, str]
) -> None:
    platform.next_log = [b"\x1b]0;evil\x07\x1b[2Ja\x1b[3", b"2mgreen\r\n"]
    platform.add_job(next(iter(platform.projects)), title="[bold]t\x1b]0;evil\x07")
    code, text = on_terminal(environ, "jobs", "logs", "wine#1")
    assert (code, text) == (0, "a\x1b[32mgreen\r\r\n\x1b[0m")
    assert on_terminal({**environ, "NO_COLOR": "1"}, "jobs", "logs", "wine#1")[1] == (
        "agreen\r\r\n"
    )
    _, listed = on_terminal(environ, "jobs", "list")
    assert "[bold]t\\x1b]0;evil\\x07" in listed
    _, narrow = on_terminal({**environ, "COLUMNS": "50"}, "jobs", "list")
    assert "ada/wine#1" in narrow
    assert "\x1b]" not in listed


def test_terminal_shows_a_live_state(platform: Platform, environ: dict[str, str]) -> None:
    platform.next_script = [("Queued", "waiting for 2 of 4 CPUs in tier small")] * 2
    platform.next_script += [("Failed", "exit code 1")]
    code, text = on_terminal(environ, "jobs", "run", "wine", "--wait", "--shell", "x")
    assert code == 1
    assert "Queued: waiting for 2 of 4 CPUs in tier small" in text
    assert "\x1b[?25h" in text  # the cursor is there again
    assert text.rstrip().endswith("ada/wine#1 Failed: exit code 1")


def test_terminal_download_shows_progress(
    platform: Platform, environ: dict[str, str], tmp_path: Path
) -> None:
    platform.next_outputs = {"big": b"x" * 3_000_000}
    platform.add_job(next(iter(platform.projects)))
    folder = str(tmp_path / "out")
    code, text = on_terminal(environ, "jobs", "outputs", "wine#1", "--download", folder)
    assert code == 0, text
    assert (tmp_path / "out" / "big").stat().st_size == 3_000_000


def test_no_terminal_means_no_colours(platform: Platform, environ: dict[str, str]) -> None:
    platform.add_job(next(iter(platform.projects)))
    for words in (("jobs", "list"), ("projects", "show", "wine")):
        done = run(environ, *words)
        assert "\x1b" not in done.stdout + done.stderr


def test_fault_of_ours_is_one_line_unless_debugged(
    platform: Platform, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import smalti.cli.output as o\ndef f(*a): raise RuntimeError('bang')\no.print_table = f\n"
    )
    broken = {**environ, "PYTHONPATH": str(tmp_path)}
    done = run(broken, "jobs", "list")
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr == "smalti: RuntimeError: bang (a fault; see SMALTI_DEBUG=1)\n"
    assert "Traceback" in run({**broken, "SMALTI_DEBUG": "1"}, "jobs", "list").stderr


def test_clone_keeps_the_token_out_of_gits_files(
    platform: Platform, environ: dict[str, str], tmp_path: Path
) -> None:
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(
        f'#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open("argv", "w"))'
    )
    git.chmod(0o755)
    there = {**environ, "PATH": f"{git.parent}:{environ['PATH']}"}
    done = run(there, "projects", "clone", "wine", "here", "--branch", "dev", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    argv = json.loads((tmp_path / "argv").read_text())
    assert TOKEN not in " ".join(argv)
    key = f"credential.{platform.url}.helper"
    assert argv[:4] == ["clone", "-c", f"{key}=", "-c"]
    assert argv[4].startswith(f"{key}=!")
    assert argv[-3:] == ["--", f"{platform.url}/services/smalti/git/ada/wine.git", "here"]
    platform.add_project("away", clone_url="http://x.org/services/smalti/git/ada/away.git")
    assert run(there, "projects", "clone", "away").returncode == 5


def test_same_program_by_its_command(environ: dict[str, str]) -> None:
    command = Path(sys.executable).with_name("smalti")
    done = subprocess.run(
        [command, "whoami"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "name:" in done.stdout

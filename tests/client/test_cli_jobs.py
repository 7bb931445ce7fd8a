"""`smalti jobs`: what people and programs see, and the exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.client.conftest import Cli
from tests.client.server import Fault, Platform

SLOWLY = [("Queued", "waiting for 2 of 4 CPUs in tier small"), ("Running", None)]


def test_run_returns_at_once_and_names_the_job(platform: Platform, cli: Cli) -> None:
    ran = cli("jobs", "run", "wine", "--", "python", "train.py", "--trees", "200")
    assert (ran.code, ran.out) == (0, "ada/wine#1\n")
    assert "Queued: waiting for 2 of 4 CPUs in tier small" in ran.err
    assert platform.calls_of("POST", "/jobs")[0].json["command"][-2:] == ["--trees", "200"]


def test_run_takes_every_option(platform: Platform, cli: Cli) -> None:
    words = (
        "jobs run wine --file train.py --ref dev --tier small --environment default --revision 1"
        " -e A=1 -e B=x=y --title T --tag a --tag b --timeout 1h30m --retries 2 --json -- --trees 5"
    )
    ran = cli(*words.split())
    assert ran.code == 0, ran.err
    assert ran.json["number"] == 1
    body = platform.calls_of("POST", "/jobs")[0].json
    del body["project_id"]
    assert body == {
        "file": "train.py",
        "args": ["--trees", "5"],
        "ref": "dev",
        "tier": "small",
        "environment_id": "e1",
        "revision": 1,
        "env": {"A": "1", "B": "x=y"},
        "title": "T",
        "tags": ["a", "b"],
        "timeout": 5400,
        "retries": 2,
    }


@pytest.mark.parametrize(
    "words",
    [
        "run wine",
        "run",
        "run wine --file a.py --shell ls",
        "run wine --shell ls -- ls",
        "run wine -e NOVALUE -- x",
        "run wine --timeout soon -- x",
        "run wine --retries 11 -- x",
        "run wine --no-such -- x",
        "show wine#x",
        "show 12",
        "nothing",
        "stop",
    ],
)
def test_wrong_command_line_is_usage_and_sends_no_job(
    platform: Platform, cli: Cli, words: str
) -> None:
    ran = cli("jobs", *words.split())
    assert (ran.code, ran.out) == (2, "")
    assert not platform.calls_of("POST", "/jobs")


@pytest.mark.parametrize(
    ("status", "code"), [("Succeeded", 0), ("Failed", 1), ("Error", 3), ("Stopped", 6)]
)
@pytest.mark.parametrize("how", ["--wait", "--follow"])
def test_exit_code_tells_how_the_job_ended(
    platform: Platform, cli: Cli, status: str, code: int, how: str
) -> None:
    platform.next_script = [(status, "because")]
    ran = cli("jobs", "run", "wine", how, "--shell", "make")
    assert ran.code == code
    assert f"ada/wine#1 {status}: because" in ran.err
    assert ran.out == ("one\ntwo\n" if how == "--follow" else "")


def test_waiting_shows_each_state_once(platform: Platform, cli: Cli) -> None:
    platform.next_script = [*SLOWLY, ("Running", None), ("Succeeded", None)]
    ran = cli("jobs", "run", "wine", "--wait", "--shell", "make")
    assert ran.err.splitlines() == [
        "ada/wine#1 Queued: waiting for 2 of 4 CPUs in tier small",
        "ada/wine#1 Running",
        "ada/wine#1 Succeeded",
    ]


def test_waiting_too_long_has_its_code(platform: Platform, cli: Cli) -> None:
    platform.next_script = []
    cli("jobs", "run", "wine", "--shell", "x")
    assert cli("jobs", "wait", "wine#1", "--timeout", "0s").code == 7


def test_follow_as_json_is_lines(platform: Platform, cli: Cli) -> None:
    ran = cli("jobs", "run", "wine", "--follow", "--json", "--shell", "make")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [line["type"] for line in lines] == ["status", "log", "log", "job"]
    assert lines[1] == {"type": "log", "offset": 4, "text": "one\n"}
    assert lines[-1]["job"]["status"] == "Succeeded"
    assert ran.err == ""


def test_wait_as_json_is_one_document(platform: Platform, cli: Cli) -> None:
    ran = cli("jobs", "run", "wine", "--wait", "--json", "--shell", "make")
    assert (ran.json["status"], ran.err) == ("Succeeded", "")


def test_failed_job_shows_its_last_lines(platform: Platform, cli: Cli) -> None:
    platform.next_script = [("Failed", "exit code 1")]
    cli("jobs", "run", "wine", "--shell", "make")
    for job in platform.jobs.values():
        job["last_lines"] = "Traceback\n\x1b[2JValueError: x"
    for words in (("wait",), ("show",)):
        ran = cli("jobs", *words, "wine#1")
        assert "\\x1b[2JValueError: x" in ran.out + ran.err


def test_log_into_a_pipe_is_exact(platform: Platform, cli: Cli) -> None:
    platform.next_log = [b"\x1b]0;evil\x07a\xff\xfe", b"\r\nb"]
    cli("jobs", "run", "wine", "--shell", "make")
    with cli.runner.isolation() as streams:
        from smalti.cli import run

        assert run(["jobs", "logs", "wine#1"]) == 0
        assert streams[0].getvalue() == b"".join(platform.next_log)
    assert cli("jobs", "logs", "wine#1", "--offset", "12").out == "\r\nb"
    assert cli("jobs", "logs", "wine#1", "--json").json["text"].endswith("a��\r\nb")


def test_job_left_out_means_the_newest(platform: Platform, cli: Cli) -> None:
    assert cli("jobs", "show").code == 4
    for number in (1, 2):
        platform.next_log = [f"log of {number}\n".encode()]
        cli("jobs", "run", "wine", "--shell", "make")
    assert cli("jobs", "logs").out == "log of 2\n"
    assert cli("jobs", "show", "--json").json["number"] == 2
    assert cli("jobs", "logs", "wine#1").out == "log of 1\n"


def test_in_a_clone_the_project_is_known(platform: Platform, cli: Cli, home: Path) -> None:
    cli("jobs", "run", "wine", "--shell", "make")
    subprocess.run(["git", "init", "-q", "."], check=True)
    url = f"http://127.0.0.1:{platform.port}/services/smalti/git/ada/wine.git"
    subprocess.run(["git", "remote", "add", "upstream", url], check=True)
    assert cli("jobs", "show", "1", "--json").json["number"] == 1
    assert cli("jobs", "run", ".", "--shell", "make").out == "ada/wine#2\n"
    assert cli("projects", "show").code == 0


def test_within_a_run_the_project_is_known(
    platform: Platform, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALTI_PROJECT", "ada/wine")
    cli("jobs", "run", ".", "--shell", "make")
    assert cli("jobs", "show", "#1").code == 0


def test_list_shows_and_filters(platform: Platform, cli: Cli) -> None:
    platform.add_job(next(iter(platform.projects)), title="ti\x1b[31mtle [red]x[/red]\nnext")
    ran = cli("jobs", "list")
    assert ran.out.splitlines()[0].split()[:3] == ["JOB", "STATUS", "WHAT"]
    assert "ada/wine#1" in ran.out
    assert "ti\\x1b[31mtle [red]x[/red]\\nnext" in ran.out
    assert len(ran.out.splitlines()) == 2
    assert [one["number"] for one in cli("jobs", "list", "wine", "--json").json] == [1]
    assert cli("jobs", "list", "--status", "running", "--json").json == []
    assert cli("jobs", "list", "--owner", "me", "--limit", "1", "--json").json != []
    assert cli("jobs", "list", "--status", "unknown").code == 2


def test_outputs_are_listed_and_brought(platform: Platform, cli: Cli, home: Path) -> None:
    platform.next_outputs = {"a.png": b"12345", "deep/b.txt": b"x"}
    cli("jobs", "run", "wine", "--shell", "make")
    assert "a.png" in cli("jobs", "outputs", "wine#1").out
    assert len(cli("jobs", "outputs", "--filter", "*.txt", "--json").json) == 1
    ran = cli("jobs", "outputs", "wine#1", "--download", "out", "--filter", "a*")
    assert (ran.code, ran.out) == (0, "out/a.png\n")
    assert (home / "out" / "a.png").read_bytes() == b"12345"
    assert not (home / "out" / "deep").exists()
    platform.faults.append(Fault("GET", "/outputs/a.png$", status=200, body=b"54321"))
    assert cli("jobs", "outputs", "--download", "else").code == 5


def test_stop_rerun_compare_and_metrics(platform: Platform, cli: Cli) -> None:
    platform.next_script = []
    cli("jobs", "run", "wine", "--shell", "make")
    assert "Stopping" in cli("jobs", "stop", "wine#1").err
    assert cli("jobs", "stop", "wine#1", "--wait", "--json").json["status"] == "Stopped"
    platform.next_script = [("Failed", "x")]
    assert cli("jobs", "rerun", "wine#1", "--newest").out == "ada/wine#2\n"
    assert cli("jobs", "rerun", "wine#1", "--wait").code == 1
    shown = cli("jobs", "compare", "wine#1", "wine#2", "--patch").out
    for part in ("tier", "0.75", "train.py", "+2 -1", "+b"):
        assert part in shown
    assert "accuracy  0.975" in cli("jobs", "metrics", "wine#1").out
    assert cli("jobs", "metrics", "wine#1", "--json").json["values"] == {"accuracy": 0.975}


def test_refusal_is_one_line_and_its_code(platform: Platform, cli: Cli) -> None:
    ran = cli("jobs", "run", "wine", "--tier", "huge", "--shell", "x")
    assert (ran.code, ran.err) == (4, "smalti: tier huge is larger than any plane\n")
    ran = cli("jobs", "show", "wine#7", "--json")
    assert (ran.code, ran.out) == (4, "")
    error = json.loads(ran.err)
    assert (error["exit_code"], error["error"]["code"]) == (4, "not_found")

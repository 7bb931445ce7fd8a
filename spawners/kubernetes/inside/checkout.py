"""Fills a pod's volumes before the person's program starts: its code, and what watches over it.

The init container of a run, in the platform's image (git and Python). What it says when it fails
is what a person reads: one sentence in the container's termination message. The token travels in
git's environment, which the order brings; it is never an argument and never on a disk.

Usage: python -m spawners.kubernetes.inside.checkout FILE (the order)
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TERMINATION = Path("/dev/termination-log")
TRIES = 4
PATIENCE = 300.0  # seconds; the agent tires of a pod without a collector before that
_PASSING = (
    "Could not resolve host",
    "Failed to connect",
    "error: 50",
    "timed out",
    "reset by peer",
)


class Failed(Exception):
    """The code cannot be had; the text is for a person."""


def run_git(order: dict[str, Any], *arguments: str) -> None:
    """Run git with the order's environment. Failed, with the last line of what it said."""
    done = subprocess.run(
        ["git", *arguments],
        env=order["git"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failed(said[-1][:300] if said else f"git ended with {done.returncode}")


def fetch(order: dict[str, Any], whole: bool = False) -> None:
    """Make a repository with the order's commit, or with all of the project. Failed."""
    target, commit = order["target"], order["commit"]
    run_git(order, "init", "--quiet", "--template=", target)
    at = ("-C", target)
    quietly = (*at, "fetch", "--quiet", "--no-write-fetch-head")
    if whole:
        run_git(order, *at, "remote", "add", "origin", order["url"])
        patiently(order, *quietly, "origin")
        try:
            run_git(order, *at, "cat-file", "-e", f"{commit}^{{commit}}")
        except Failed:  # on no branch, or on one that is gone
            patiently(order, *quietly, order["url"], commit)
        return
    refs = f"{commit}:refs/smalti/{commit}"
    patiently(order, *quietly, "--no-tags", order["url"], refs)
    run_git(order, *at, "checkout", "--quiet", "--detach", commit)


def patiently(order: dict[str, Any], *arguments: str) -> None:
    """Run git, and again what may pass by itself. Failed."""
    for number in range(TRIES):
        try:
            return run_git(order, *arguments)
        except Failed as error:
            if number == TRIES - 1 or not any(word in str(error) for word in _PASSING):
                raise
            time.sleep(2.0**number)


def clone(order: dict[str, Any]) -> None:
    """Fill a new volume: a home, and a clone that is the person's from then on.

    The checkout is put in its place last and by a rename: a volume has it whole or not at all.
    """
    volume, project = Path(order["volume"]["folder"]), Path(order["target"])
    fresh = volume / ".building"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    (volume / "home").mkdir(mode=0o700, exist_ok=True)
    fetch(order | {"target": str(fresh)}, whole=True)
    wanted, commit = order["volume"], order["commit"]
    at = ("-C", str(fresh))
    branch = wanted["branch"] or _default_branch(order, fresh)
    run_git(order, *at, "checkout", "--quiet", "-B", branch, commit, "--")
    for name, value in (
        (f"branch.{branch}.remote", "origin"),
        (f"branch.{branch}.merge", f"refs/heads/{branch}"),
        ("remote.origin.url", wanted["origin"]),
        ("smalti.origin", wanted["origin"]),  # by which a later start knows that it is still ours
    ):
        run_git(order, *at, "config", name, value)
    fresh.rename(project)


def _default_branch(order: dict[str, Any], project: Path) -> str:
    try:
        at = ("-C", str(project), "remote", "set-head", "origin", "--auto")
        run_git(order, *at)
        said = (project / ".git/refs/remotes/origin/HEAD").read_text()
    except (Failed, OSError):  # its HEAD names no branch that is there
        return "main"
    return said.strip().removeprefix("ref: refs/remotes/origin/")


def await_collector(order: dict[str, Any]) -> None:
    """Wait for the collector: without it, what the program leaves would be lost. Failed."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((order.get("host", "127.0.0.1"), order["port"]), 1.0).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                text = "the container that collects its outputs does not answer"
                raise Failed(text) from error
        time.sleep(0.05)


def install(tools: Path) -> None:
    """Put the watching program and its modules where the run's container sees them."""
    import spawners.shim

    here = Path(__file__).parent
    shim = Path(spawners.shim.__file__).parent
    (tools / "spawners" / "shim").mkdir(parents=True, exist_ok=True)
    (tools / "spawners" / "__init__.py").touch()
    for file in shim.glob("*.py"):
        shutil.copyfile(file, tools / "spawners" / "shim" / file.name)
    shutil.copyfile(here / "start.py", tools / "start.py")


def write_tool(file: Path, text: str) -> None:
    """Write a small text where the run can read and execute it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def main() -> int:
    """Do what the order says; 1 and a sentence when it cannot be done."""
    with open(sys.argv[1], "rb") as file:
        order: dict[str, Any] = json.loads(file.read())
    os.umask(0o022)
    try:
        install(Path(order["tools"]))
        for name, text in order["files"].items():
            write_tool(Path(order["tools"], name), text)
        for folder in order["folders"]:
            Path(folder).mkdir(parents=True, exist_ok=True)
        if "volume" not in order:
            fetch(order)
        elif not Path(order["target"]).is_dir():
            clone(order)
        await_collector(order)
        if order["file"] and not Path(order["target"], order["file"]).is_file():
            raise Failed(f"there is no file {order['file']} at commit {order['commit'][:12]}")
    except (Failed, OSError) as error:
        TERMINATION.write_text(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

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


def fetch(order: dict[str, Any]) -> None:
    """Make the checkout at the order's commit; tries again what may pass by itself."""
    target, commit = order["target"], order["commit"]
    run_git(order, "init", "--quiet", "--template=", target)
    at = ("-C", target)
    for number in range(TRIES):
        try:
            run_git(
                *(order, *at, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
                *(order["url"], f"{commit}:refs/smalti/{commit}"),
            )
            break
        except Failed as error:
            if number == TRIES - 1 or not any(word in str(error) for word in _PASSING):
                raise
            time.sleep(2.0**number)
    run_git(order, *at, "checkout", "--quiet", "--detach", commit)


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


def main() -> int:
    """Do what the order says; 1 and a sentence when it cannot be done."""
    with open(sys.argv[1], "rb") as file:
        order: dict[str, Any] = json.loads(file.read())
    os.umask(0o022)
    try:
        install(Path(order["tools"]))
        for name, text in order["files"].items():
            Path(order["tools"], name).write_text(text)
        for folder in order["folders"]:
            Path(folder).mkdir(parents=True, exist_ok=True)
        fetch(order)
        await_collector(order)
        if order["file"] and not Path(order["target"], order["file"]).is_file():
            raise Failed(f"there is no file {order['file']} at commit {order['commit'][:12]}")
    except (Failed, OSError) as error:
        TERMINATION.write_text(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

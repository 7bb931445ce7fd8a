"""Begins a session inside its sandbox, as its person, and becomes the tool.

Started by the agent's order with the tools environment's Python; standard library only. Owns
what must be done in the person's checkout before the tool opens it: `origin` follows the
platform's address, and the files of a commit are put back when the order says so. It runs with
the person's rights because a checkout can make git run what is written in it.

Usage: session_start.py [--origin URL] [--restore COMMIT] -- PROGRAM ARGUMENT...
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

PATIENCE = 60.0  # seconds in which a commit that is not here is asked for again
PAUSE = 1.0


def git(*arguments: str) -> tuple[int, str]:
    """Run git in the checkout; its exit code and what it said."""
    done = subprocess.run(
        ["git", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout.strip()


def follow_origin(url: str) -> None:
    """Let `origin` name the platform's present address, unless the person chose another."""
    _, ours = git("config", "--get", "smalti.origin")
    _, now = git("config", "--get", "remote.origin.url")
    if ours and ours == now and now != url:
        git("config", "remote.origin.url", url)
        git("config", "smalti.origin", url)


def restore(commit: str, start: str) -> None:
    """Give the working tree the files of a commit; HEAD and untracked files stay.

    Once for each start, whatever the number of its attempts: what was worked since is newer.
    """
    done = f"{start} {commit}"
    if git("config", "--get", "smalti.restored") == (0, done):
        return
    code, said = fetch(commit)
    if not code:
        code, said = git("restore", f"--source={commit}", "--worktree", "--no-overlay", "--", ".")
    if not code:
        code, said = git("config", "smalti.restored", done)
    if code:
        sys.exit(f"The files of {commit[:12]} could not be put back: {said}")
    sys.stdout.write(f"The files of {commit[:12]} were put back\n")
    sys.stdout.flush()


def fetch(commit: str) -> tuple[int, str]:
    """Have a commit here; a platform that is away is waited for. As `git`."""
    end_by = time.monotonic() + PATIENCE
    code, said = git("cat-file", "-e", f"{commit}^{{commit}}")
    while code and time.monotonic() < end_by:
        code, said = git("fetch", "--quiet", "--no-write-fetch-head", "origin", commit)
        if code:
            time.sleep(PAUSE)
    return code, said


def main() -> None:
    """Do what the command line says, then become the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--origin")
    parser.add_argument("--restore")
    parser.add_argument("program", nargs="+")
    wanted = parser.parse_args()
    if wanted.origin:
        follow_origin(wanted.origin)
    if wanted.restore:
        restore(wanted.restore, os.environ["SMALTI_RUN_ID"])
    lab = os.path.join(os.path.expanduser("~"), ".jupyter", "lab")
    # What a person sets in JupyterLab persists; a server configuration of theirs is not read.
    os.environ["JUPYTERLAB_SETTINGS_DIR"] = os.path.join(lab, "user-settings")
    os.environ["JUPYTERLAB_WORKSPACES_DIR"] = os.path.join(lab, "workspaces")
    os.execv(wanted.program[0], wanted.program)  # noqa: S606


if __name__ == "__main__":
    main()

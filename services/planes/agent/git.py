"""Running git on behalf of the agent, and the bare repository kept of each project.

Owns `cache/git/` in the agent's home and how git is called: with nobody's configuration, no
hooks, no prompts, no protocol but HTTP(S), no submodules, no filters (a large-file pointer stays
a pointer). Called by `trees`. Must never put a token into an argument or on disk: it travels in
git's environment, bound to the control plane's origin.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import re
import shutil
import signal
from pathlib import Path

from services.planes.agent.journal import redact
from services.planes.agent.programs import SYSTEM_PATH, CannotPrepare
from services.planes.agent.rules import is_name

log = logging.getLogger(__name__)

_MISSING = re.compile(r"not our ref|couldn't find remote ref|unadvertised object|no such ref")
_REFUSED = re.compile(r"Authentication failed|could not read (Username|Password)|error: 40[13]")
_ABSENT = re.compile(r"repository '.*' not found|error: 404|error: 410")
_DAMAGED = re.compile(r"corrupt|did not send all necessary|unable to (unpack|read)|bad object")
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.protectNTFS": "true",
    "core.protectHFS": "true",
    "safe.directory": "*",
    "credential.helper": "",
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "protocol.version": "2",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
}


class GitError(Exception):
    """git ended with an error; the text is what it said, without tokens."""


class Unreachable(Exception):
    """The repository cannot be reached now; trying again may help."""


class Repositories:
    """Bare repositories by project id, fetched into only when a commit is absent."""

    def __init__(self, folder: Path, patience: float) -> None:
        self.folder = folder
        self._patience = patience
        folder.mkdir(parents=True, exist_ok=True)
        self._locks: dict[str, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(4)
        # A git that was killed with its agent may have left these; no git of ours runs now.
        for lock in folder.glob("*/**/*.lock"):
            lock.unlink(missing_ok=True)

    def path(self, project_id: str) -> Path:
        """Where a project's repository is kept. CannotPrepare for an id that is none."""
        if not is_name(project_id):
            raise CannotPrepare("the order names no project")
        return self.folder / f"{project_id}.git"

    async def ensure(self, project_id: str, commit: str, url: str, token: str) -> Path:
        """Make sure that a commit is here and return its repository.

        Raises CannotPrepare when the commit or the repository does not exist or may not be
        read, Unreachable when it cannot be had now, GitError when what is here is damaged.
        """
        path = self.path(project_id)
        async with self._locks.setdefault(project_id, asyncio.Lock()), self._slots:
            if not (path / "HEAD").exists():
                shutil.rmtree(path, ignore_errors=True)
                await git("init", "--bare", "--quiet", "--template=", str(path))
            if not await self.has(path, commit):
                await self._fetch(path, commit, url, token)
                if not await self.has(path, commit):
                    raise CannotPrepare(f"commit {commit[:12]} is not in the project")
        return path

    async def has(self, path: Path, commit: str) -> bool:
        """Tell whether a commit is in a repository."""
        try:
            await git(f"--git-dir={path}", "cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return False
        return True

    async def drop(self, project_id: str) -> None:
        """Throw a repository away, for example a damaged one."""
        await asyncio.to_thread(shutil.rmtree, self.path(project_id), True)

    async def _fetch(self, path: Path, commit: str, url: str, token: str) -> None:
        arguments = ("--quiet", "--no-tags", "--no-write-fetch-head", "--force")
        try:
            async with asyncio.timeout(self._patience):
                await git(
                    f"--git-dir={path}",
                    "fetch",
                    *arguments,
                    url,
                    f"{commit}:refs/smalti/{commit}",
                    config=header(url, token),
                )
        except TimeoutError:
            text = f"fetching the code took longer than {self._patience:g} s"
            raise CannotPrepare(text, retryable=True) from None
        except GitError as error:
            raise told(str(error), commit) from error


def header(url: str, token: str) -> dict[str, str]:
    """The configuration by which git shows a token to the origin of an address, and only there."""
    secret = base64.b64encode(f"smalti:{token}".encode()).decode()
    origin = "/".join(url.split("/", 3)[:3])
    return {f"http.{origin}/.extraHeader": f"Authorization: Basic {secret}"}


def told(said: str, commit: str) -> Exception:
    """Turn what git said into the exception that says what to do about it."""
    if _DAMAGED.search(said):
        return GitError(said)
    if _MISSING.search(said):
        return CannotPrepare(f"commit {commit[:12]} is not in the project")
    if _REFUSED.search(said):
        text = "the project's repository did not accept the run's token"
        return CannotPrepare(text, retryable=True)
    if _ABSENT.search(said):
        return CannotPrepare("the project's repository is not there")
    return Unreachable(said.strip().split("\n")[-1][:300])


def environment(config: dict[str, str]) -> dict[str, str]:
    """Build the whole environment of a git process from configuration entries."""
    found = {
        "PATH": SYSTEM_PATH,
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": "http:https",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_CONFIG_COUNT": str(len(config)),
    }
    for number, (name, value) in enumerate(config.items()):
        found[f"GIT_CONFIG_KEY_{number}"] = name
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"):
        if name in os.environ:
            found[name] = os.environ[name]
    if ca_file := os.environ.get("SMALTI_AGENT_CA_FILE"):
        found["GIT_SSL_CAINFO"] = ca_file
    return found


def elsewhere(url: str, token: str) -> dict[str, str]:
    """Build the environment of a git that fetches a project in another place, such as a pod."""
    here = ("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")  # files of this machine
    found = environment({**_CONFIG, **header(url, token)})
    return {name: value for name, value in found.items() if name not in here}


async def git(*arguments: str, config: dict[str, str] | None = None) -> str:
    """Run git to its end and return its output. GitError; a cancelled git is killed."""
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment({**_CONFIG, **(config or {})}),
        start_new_session=True,
    )
    try:
        out, err = await process.communicate()
    except BaseException:
        if process.returncode is None:
            # Its helpers (git-remote-https) are in its session and go with it. It may have
            # ended by itself, which nobody has told us yet.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        raise
    if process.returncode != 0:
        said = redact(err.decode("utf-8", "replace"))
        raise GitError(said or f"git ended with {process.returncode}")
    return out.decode("utf-8", "replace")

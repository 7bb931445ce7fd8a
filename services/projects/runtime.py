"""git, run as a subprocess: clean environment, checked arguments, limits on time and output.

Owns how git is started everywhere in the control plane: nothing of the machine's or a user's
git configuration is read, no hook runs, nobody is asked for a password. What a person gave
(a ref, a path, an address) is only ever passed behind `--` or inside a longer argument, and
after `rules` has looked at it. Repositories are plain folders, one per project, named by id.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from services.core.errors import Unavailable
from services.core.ids import is_id
from services.core.settings import MiB, Settings

SECONDS = 60.0
OUTPUT_MOST = 16 * MiB
ERRORS_MOST = 64 << 10
AT_ONCE = 16  # git processes for the API; those for git clients are counted by `git_http`
PIECE = 256 << 10
PATIENCE = 2.0  # from the end of the input to SIGTERM
GRACE = 5.0  # between SIGTERM, at which git removes what it began, and SIGKILL

_URL = re.compile(r"[a-z+]+://\S+", re.IGNORECASE)


class GitFailed(Exception):
    """git ended with an error; `text` is what it said, for decisions and logs."""

    def __init__(self, command: str, code: int, text: str) -> None:
        super().__init__(f"git {command} ended with {code}: {_URL.sub('<url>', text)[:500]}")
        self.code, self.text = code, text


class OutputTooLarge(Exception):
    """git wrote more than was asked for; `output` is the beginning."""

    def __init__(self, output: bytes) -> None:
        super().__init__("git's output is larger than its limit")
        self.output = output


@dataclass(frozen=True)
class Repository:
    """One bare repository, and the means to run git in it."""

    path: Path
    git: Git

    async def run(
        self,
        *arguments: str,
        data: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
        most: int = OUTPUT_MOST,
    ) -> bytes:
        """Run git here and return its output.

        Raises GitFailed, OutputTooLarge past `most` bytes, Unavailable past `seconds`.
        """
        return await self.git.run(
            [f"--git-dir={self.path}", *arguments], data, extra, seconds, most
        )

    @asynccontextmanager
    async def open(
        self, *arguments: str, data: bool = False
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run git here for a caller who streams; whatever happens, it has ended afterwards."""
        command = [self.git.program, f"--git-dir={self.path}", *arguments]
        async with self.git.slots, self.git.process(command, data=data) as process:
            yield process


class Git:
    """Starts git. One per platform process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.slots = asyncio.Semaphore(AT_ONCE)
        self.program = shutil.which("git") or "git"
        self._environment = environment(settings)
        self._backend: list[str] | None = None

    def backend(self) -> list[str]:
        """Give the command of http-backend: straight, a process less than by way of git."""
        if self._backend is None:
            asked = subprocess.run(
                [self.program, "--exec-path"],
                env=self._environment,
                capture_output=True,
                check=False,
            )
            path = Path(os.fsdecode(asked.stdout.strip())) / "git-http-backend"
            found = os.access(path, os.X_OK)
            self._backend = [str(path)] if found else [self.program, "http-backend"]
        return self._backend

    async def run(
        self,
        arguments: Sequence[str],
        data: bytes | None,
        extra: Mapping[str, str] | None,
        seconds: float,
        most: int,
    ) -> bytes:
        """Run git to its end; see `Repository.run`."""
        what = next((one for one in arguments if not one.startswith("-")), "")
        try:
            async with (
                self.slots,
                asyncio.timeout(seconds),
                self.process(
                    [self.program, *arguments], data=data is not None, extra=extra
                ) as process,
            ):
                errors = asyncio.ensure_future(_at_most(process.stderr, ERRORS_MOST))
                feed = asyncio.ensure_future(_feed(process, data))
                try:
                    output = await _at_most(process.stdout, most + 1)
                    if len(output) > most:
                        raise OutputTooLarge(output[:most])
                    await feed
                    text = (await errors).decode(errors="replace").strip()
                    code = await process.wait()
                finally:
                    feed.cancel()
                    errors.cancel()
        except TimeoutError:
            _too_slow(what)
        if code != 0:
            raise GitFailed(what, code, text)
        return output

    @asynccontextmanager
    async def process(
        self,
        command: Sequence[str],
        *,
        data: bool = False,
        extra: Mapping[str, str] | None = None,
        keep: Sequence[int] = (),
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start git with pipes, and end it and all its children when the block is left."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if data else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**self._environment, **(extra or {})},
            cwd="/",
            pass_fds=keep,
            start_new_session=True,  # a group of its own, so that its children can be ended
            limit=PIECE,
        )
        try:
            yield process
        finally:
            await asyncio.shield(end(process))


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process and its group, if it has not ended, and wait for them.

    First its input ends, at which git takes back by itself what it began; then it is told to
    end; then it is killed.
    """
    if process.returncode is not None:
        return
    if process.stdin is not None and not process.stdin.is_closing():
        process.stdin.close()
        if await _ended(process, PATIENCE):
            return
    signal_group(process, signal.SIGTERM)
    if not await _ended(process, GRACE):
        signal_group(process, signal.SIGKILL)
        await process.wait()


async def _ended(process: asyncio.subprocess.Process, seconds: float) -> bool:
    """Wait for a process and all of its group; tell whether they ended in time."""
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
            while signal_group(process, 0):  # noqa: ASYNC110 - nothing tells when a group is empty
                await asyncio.sleep(0.02)
    except TimeoutError:
        return False
    return True


def signal_group(process: asyncio.subprocess.Process, number: int) -> bool:
    """Send a signal to a process that leads its group, and to all in it; tell if any is left."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


async def _feed(process: asyncio.subprocess.Process, data: bytes | None) -> None:
    if process.stdin is None or data is None:
        return
    try:
        process.stdin.write(data)
        await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # it ended before it read all; its exit code says why


async def _at_most(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """Read up to `most` bytes; what comes beyond is left."""
    assert stream is not None
    found = bytearray()
    while len(found) < most and (piece := await stream.read(min(PIECE, most - len(found)))):
        found += piece
    return bytes(found)


def _too_slow(what: str) -> NoReturn:
    raise Unavailable(f"git {what} took too long: try again", code="git_slow")


def environment(settings: Settings) -> dict[str, str]:
    """Make the environment that git runs in: nothing of ours, configuration as we say.

    Given by environment and not by each repository's file, so that a changed setting holds
    for all of them, and a file that somebody changed cannot loosen it.
    """
    configuration = [
        ("core.hooksPath", "/dev/null"),
        ("core.protectHFS", "true"),
        ("core.protectNTFS", "true"),
        ("core.fsmonitor", "false"),
        ("core.bigFileThreshold", "16m"),  # larger ones are streamed, not held in memory
        ("safe.directory", "*"),  # whoever owns the volume: these folders are ours
        ("protocol.allow", "never"),  # `imports` allows the one it uses
        ("http.receivepack", "true"),
        ("http.uploadpack", "true"),
        ("http.getanyfile", "false"),  # no dumb protocol
        ("receive.fsckObjects", "true"),
        ("receive.maxInputSize", str(settings.push_max)),
        ("receive.denyDeleteCurrent", "true"),
        ("receive.autogc", "false"),  # `tending` does it, when nobody waits
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        # A job's commit is fetched by its id, also when its branch has moved on or is gone.
        # Whoever may fetch at all may read every commit of the project through the API too.
        ("uploadpack.allowAnySHA1InWant", "true"),
        ("uploadpack.allowFilter", "true"),
        # What we keep for ourselves: not shown to clients, and not theirs to move.
        ("transfer.hideRefs", "refs/smalti"),
        ("pack.threads", "1"),
        ("pack.windowMemory", "64m"),
        ("pack.deltaCacheSize", "32m"),
        ("index.threads", "1"),
        ("i18n.logOutputEncoding", "UTF-8"),
    ]
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_COUNT": str(len(configuration)),
    }
    for number, (key, value) in enumerate(configuration):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


class Repositories:
    """The folder of all repositories: where each lies, and how one comes and goes."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.platform_folder / "git"
        self.git = Git(settings)
        self._locks: dict[str, asyncio.Lock] = {}

    def of(self, project_id: str) -> Repository:
        """Give a project's repository. ValueError for what is no id."""
        if not is_id(project_id):
            raise ValueError("a repository is named by a project's id")
        return Repository(self.folder / f"{project_id}.git", self.git)

    def editing(self, project_id: str) -> asyncio.Lock:
        """Give the lock that edits of one project take, so that they seldom meet in git."""
        if len(self._locks) > 1000:
            self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(project_id, asyncio.Lock())

    def create(self, project_id: str, branch: str) -> Repository:
        """Make an empty repository; it appears whole or not at all."""
        repository = self.of(project_id)
        fresh = make_bare(self.folder / f".new-{project_id}", branch)
        fresh.rename(repository.path)
        return repository

    def remove(self, project_id: str) -> None:
        """Take a repository away, if it is there."""
        path = self.of(project_id).path
        gone = path.with_name(f".gone-{project_id}")
        if path.exists():
            shutil.rmtree(gone, ignore_errors=True)
            path.rename(gone)  # first out of the way: a half-removed one is never served
        shutil.rmtree(gone, ignore_errors=True)


def make_bare(path: Path, branch: str) -> Path:
    """Lay out an empty bare repository, as `git init --bare` does without a template."""
    shutil.rmtree(path, ignore_errors=True)
    for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (path / folder).mkdir(parents=True)
    path.chmod(0o700)
    (path / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
    )
    point_head(path, branch)
    return path


def point_head(path: Path, branch: str) -> None:
    """Make a branch the one that a clone checks out and that cannot be deleted."""
    fresh = path / "HEAD.new"
    fresh.write_text(f"ref: refs/heads/{branch}\n")
    fresh.rename(path / "HEAD")

"""A real git client for tests: own home, own identity, a token as its password."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.house import House


@dataclass(frozen=True)
class Answer:
    """How a git command ended."""

    code: int
    out: str
    err: str


class Client:
    """git as a person runs it, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def variables(self) -> dict[str, str]:
        """The environment: nothing of the machine's."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Tess",
            "GIT_AUTHOR_EMAIL": "tess@example.org",
            "GIT_COMMITTER_NAME": "Tess",
            "GIT_COMMITTER_EMAIL": "tess@example.org",
            "LC_ALL": "C.UTF-8",
        }

    async def run(self, *arguments: str, at: str = ".", **extra: str) -> Answer:
        """Run git and wait for it."""
        process = await asyncio.create_subprocess_exec(
            "git",
            "-c",
            "init.defaultBranch=main",
            *arguments,
            cwd=self.folder / at,
            env={**self.variables(), **extra},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Answer(process.returncode or 0, out.decode(), err.decode())

    async def ok(self, *arguments: str, at: str = ".", **extra: str) -> str:
        """Run git; it must succeed."""
        answer = await self.run(*arguments, at=at, **extra)
        assert answer.code == 0, (arguments, answer)
        return answer.out.strip()

    async def commit(self, at: str, files: dict[str, bytes], message: str = "change") -> str:
        """Write files and commit them; return the commit's id."""
        for name, content in files.items():
            path = self.folder / at / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        await self.ok("add", "-A", at=at)
        await self.ok("commit", "-q", "-m", message, at=at)
        return await self.ok("rev-parse", "HEAD", at=at)


def address(house: House, full_name: str, token: str, user: str = "any") -> str:
    """Where a project is cloned from, with a token as the password."""
    host = urlsplit(house.origin).netloc
    return f"http://{user}:{token}@{host}/services/smalti/git/{full_name}.git"

"""The reader, confined for real, and a git repository that takes what it sends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from services.planes.agent.snapshots.process import ReaderProcess
from spawners.runtime import RunKey, Runtime

BOUNDS = {"prompt": 50 << 20, "largest": 1 << 30, "total": 10 << 30, "files": 50_000}


class Reading:
    """`async with Reading(runtime, project, store, prompt=...) as reading`."""

    def __init__(self, runtime: Runtime, project: Path, store: Path, **bounds: int) -> None:
        self.project, self.store, self.runtime = project, store, runtime
        self._bounds = {**BOUNDS, **bounds}
        self._number = 0
        subprocess.run(["git", "init", "-q", "--bare", str(store)], check=True)
        self.sent = 0

    async def __aenter__(self) -> Reading:
        reading = self.runtime.reader(RunKey("w1", 1), "person-1", self.project, ())
        self._process = ReaderProcess(reading, "main", str(self.project))
        await self._process.__aenter__()
        begin = {"author": "A <a@b>", "objects": [], "commits": [], "strict": False}
        await self._process.send({"begin": {**begin, "bounds": self._bounds}})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._process.__aexit__(None, None, None)

    async def look(self) -> dict[str, Any]:
        """Look once, keeping what is sent; git checks every object of it."""
        self._number += 1
        await self._process.send({"look": self._number})
        while "look" not in (said := await self._process.receive()):
            data = b"".join([piece async for piece in self._process.pack()])
            self.sent += len(data)
            done = subprocess.run(
                ["git", "index-pack", "--stdin", "--strict"],
                cwd=self.store, input=data, capture_output=True, check=False,
            )  # fmt: skip
            await self._process.send({"taken": done.returncode == 0})
        return said

    async def large(self, path: str) -> dict[str, Any]:
        """Have a large file sent by a reader of its own, and tell the first one of it."""
        reading = self.runtime.reader(RunKey("w1", 1), "person-1", self.project, ())
        async with ReaderProcess(reading, "large", str(self.project), path) as other:
            await other.receive()
            data = b"".join([piece async for piece in other.pack()])
            told = await other.receive()
        subprocess.run(
            ["git", "index-pack", "--stdin", "--strict"],
            cwd=self.store, input=data, capture_output=True, check=True,
        )  # fmt: skip
        await self._process.send({"large": told})
        return told

    def files(self, said: dict[str, Any]) -> dict[bytes, bytes]:
        """Give mode of each file of a look's commit, by path."""
        out = self._git("ls-tree", "-r", "-z", "--full-tree", str(said["commit"]))
        lines = [line.split(b"\t", 1) for line in out.split(b"\0") if line]
        return {path: head.split(b" ")[0] for head, path in lines}

    def content(self, said: dict[str, Any], path: bytes) -> bytes:
        """Give a file of a look's commit."""
        return self._git("cat-file", "blob", os.fsencode(said["commit"]) + b":" + path)

    def fsck(self) -> None:
        """Have git check all that was sent."""
        self._git("fsck", "--strict", "--no-dangling")

    def _git(self, *arguments: str | bytes) -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=self.store, check=True, capture_output=True
        ).stdout

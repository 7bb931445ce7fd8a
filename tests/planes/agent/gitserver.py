"""Real repositories behind the real `git http-backend`, for tests of the agent."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
from pathlib import Path

from aiohttp import web

TOKEN = "sml_runtoken"
_AS_SOMEONE = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


class GitServer:
    """Serves `<root>/<name>.git` at `/git/<name>.git` to whoever shows `TOKEN`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fetches = 0
        self.broken = 0  # so many answers of 500 are still to come

    def create(self, name: str) -> Path:
        """Make an empty repository."""
        path = self.root / f"{name}.git"
        subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
        subprocess.run(["git", "-C", str(path), "config", "http.receivepack", "true"], check=True)
        return path

    def commit(self, name: str, files: dict[str, bytes | str]) -> str:
        """Add a commit with these files to branch main (a str is a link); returns its id."""
        work = self.root / f"{name}.work"
        if not work.exists():
            self._git(self.root, "clone", "-q", f"{name}.git", work.name)
            self._git(work, "checkout", "-q", "-B", "main")
        for path, content in files.items():
            file = work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                file.symlink_to(content)
            else:
                file.write_bytes(content)
                file.chmod(0o755 if content.startswith(b"#!") else 0o644)
        self._git(work, "add", "-A")
        self._git(work, "commit", "-q", "--allow-empty", "-m", f"commit of {len(files)}")
        self._git(work, "push", "-q", "origin", "main")
        return self._git(work, "rev-parse", "HEAD").strip()

    @staticmethod
    def _git(cwd: Path, *arguments: str) -> str:
        env = {**os.environ, **_AS_SOMEONE}
        done = subprocess.run(
            ["git", *arguments], cwd=cwd, env=env, check=True, capture_output=True, text=True
        )
        return done.stdout

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request of smart HTTP."""
        wanted = base64.b64encode(f"smalti:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {wanted}":
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})
        if self.broken:
            self.broken -= 1
            return web.Response(status=500)
        path = request.path.removeprefix("/git")
        if path.endswith("git-upload-pack"):
            self.fetches += 1
        if not (self.root / path.split("/")[1]).exists():
            return web.Response(status=404)
        return await self._backend(request, path)

    async def _backend(self, request: web.Request, path: str) -> web.Response:
        body = await request.read()
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "PATH_INFO": path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=env,
        )
        out, _ = await process.communicate(body)
        head, _, rest = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        status = int(headers.pop("Status", "200").split()[0])
        return web.Response(status=status, body=rest, headers=headers)

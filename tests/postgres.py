"""A private PostgreSQL server for tests, on a Unix socket of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psycopg


def find() -> Path | None:
    """Find the folder of the newest server's programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if folders:
        return folders[0].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Server:
    """One server; `database()` gives fresh databases in it."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="smalti-pg-", dir="/tmp"))
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self._folder, self._user)

    def __enter__(self) -> Server:
        data = self._folder / "data"
        self._run("initdb", "-D", data, "-A", "trust", "-N", "-U", self._user)
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off"
        log = self._folder / "log"
        self._run("pg_ctl", "-D", data, "-w", "-o", options, "-l", log, "start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make a database, give its SQLAlchemy URL, drop it afterwards."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self._admin(f"CREATE DATABASE {name}")
        yield f"postgresql+psycopg://{self._user}@/{name}?host={self._folder}"
        self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    def _admin(self, statement: str) -> None:
        where = f"host={self._folder} user={self._user} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._binaries / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self._user, "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)

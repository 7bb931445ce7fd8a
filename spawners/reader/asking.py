"""What git knows of the person's checkout: which files it tracks, ignores, and at which commit.

Runs git with a git folder of our own, so that the person's configuration, hooks, attributes
and filters are not read; of theirs it is given the index, the objects and the ignore rules, to
read. Called by `walk` and `history`. Must never write into the person's `.git`.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

GIT = "git"
PATIENCE = 20.0


class Asking:
    """One project folder and the git folder of ours, in which nothing but a HEAD is."""

    def __init__(self, project: bytes, ours: Path) -> None:
        self.project = project
        self._ours = ours
        for name in ("objects", "refs"):
            (ours / name).mkdir(parents=True, exist_ok=True)
        (ours / "HEAD").write_text("ref: refs/heads/none\n")

    def environment(self) -> dict[bytes, bytes]:
        """Everything that a git process is told."""
        theirs = self.project + b"/.git"
        config = {
            b"core.hooksPath": b"/dev/null",
            b"core.fsmonitor": b"false",
            b"core.untrackedCache": b"false",
            b"core.bare": b"false",
            b"safe.directory": b"*",
            b"core.excludesFile": theirs + b"/info/exclude",
            b"core.attributesFile": b"/dev/null",
            b"gc.auto": b"0",
        }
        found = {
            b"PATH": b"/usr/local/bin:/usr/bin:/bin",
            b"HOME": b"/nonexistent",
            b"LC_ALL": b"C.UTF-8",
            b"GIT_DIR": os.fsencode(self._ours),
            b"GIT_WORK_TREE": self.project,
            b"GIT_INDEX_FILE": theirs + b"/index",
            b"GIT_OBJECT_DIRECTORY": theirs + b"/objects",
            b"GIT_CONFIG_NOSYSTEM": b"1",
            b"GIT_CONFIG_GLOBAL": b"/dev/null",
            b"GIT_ATTR_NOSYSTEM": b"1",
            b"GIT_OPTIONAL_LOCKS": b"0",
            b"GIT_NO_REPLACE_OBJECTS": b"1",
            b"GIT_CONFIG_COUNT": b"%d" % len(config),
        }
        for number, (name, value) in enumerate(config.items()):
            found[b"GIT_CONFIG_KEY_%d" % number] = name
            found[b"GIT_CONFIG_VALUE_%d" % number] = value
        return found

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start git with pipes."""
        return subprocess.Popen(
            [GIT, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.project,
            env=self.environment(),
        )

    def ask(self, *arguments: str, data: bytes = b"") -> bytes | None:
        """Run git to its end; None when it failed or took too long."""
        process = self.start(*arguments)
        try:
            out, _ = process.communicate(data, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None
        return out if process.returncode == 0 else None

    def tracked(self) -> frozenset[bytes]:
        """Paths in the person's index; none where there is no index that can be read."""
        out = self.ask("ls-files", "-z", "--cached")
        return frozenset(path for path in (out or b"").split(b"\0") if path)


class Ignored:
    """Asks git about paths, one folder at a time; git is started at the first question."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._process: subprocess.Popen[bytes] | None = None
        self.failed = False

    def of(self, paths: list[bytes]) -> set[bytes]:
        """Give those of the paths that git ignores; a folder's path ends in a slash."""
        if not paths or self.failed:
            return set()
        try:
            return self._exchange(paths)
        except (OSError, ValueError):
            # It ended, over a path that it would not take. Better saved than left out.
            self.failed = True
            self.close()
            return set()

    def _exchange(self, paths: list[bytes]) -> set[bytes]:
        if self._process is None:
            self._process = self._asking.start("check-ignore", "-z", "-v", "-n", "--stdin")
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        found: set[bytes] = set()
        for start in range(0, len(paths), 16):  # few at once: neither side's pipe may fill up
            some = paths[start : start + 16]
            # A leading "./" keeps a name such as ":(top)" from being taken for an option.
            process.stdin.write(b"".join(b"./" + path + b"\0" for path in some))
            process.stdin.flush()
            for path in some:
                if self._answer(process):
                    found.add(path)
        return found

    @staticmethod
    def _answer(process: subprocess.Popen[bytes]) -> bool:
        """Read source, line, pattern and path, each ended by a zero byte."""
        assert process.stdout is not None
        fields: list[bytes] = []
        piece = bytearray()
        while len(fields) < 4:
            byte = process.stdout.read(1)
            if not byte:
                raise ValueError("git ended")
            if byte == b"\0":
                fields.append(bytes(piece))
                piece.clear()
            else:
                piece += byte
        return bool(fields[0]) and not fields[2].startswith(b"!")

    def close(self) -> None:
        """Let git end."""
        if self._process is None:
            return
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process.wait()
        self._process = None

"""A small disk of its own for a test, and taking its room away to the last byte.

Used by the drills and by tests of what a full disk does. Needs the right to mount.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MiB = 1 << 20


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Put an empty file system of so many bytes at a folder; skip where that is not allowed."""
    options = f"size={size},mode=0755"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"a disk of its own needs the right to mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(folder: Path, leave: int = 0) -> Iterator[None]:
    """Take all of a disk's room but some bytes, and give it back."""
    ballast = folder / "ballast"
    try:
        _fill(ballast, leave)
        yield
    finally:
        ballast.unlink(missing_ok=True)


def _fill(ballast: Path, leave: int) -> None:
    disk = os.statvfs(ballast.parent)
    free = disk.f_bavail * disk.f_frsize
    with ballast.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave - MiB))
        file.seek(0, os.SEEK_END)
        try:
            while not leave:  # to the last byte, whatever else is written meanwhile
                file.write(b"x" * 4096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

"""Gives every person a uid of this machine, for ever.

Owns `people.json` in the runtime's state folder. Used when orders are made. Two persons never
share a uid and a uid is never given again, also when several processes ask at once or one is
killed in between: files that a person left must never become another's.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from spawners.runtime import RuntimeFailure


class UidMap:
    """The map of person ids to uids."""

    def __init__(self, folder: Path, first: int, count: int) -> None:
        self._path = folder / "people.json"
        self._lock = folder / "people.lock"
        self._first = first
        self._count = count
        self._known: dict[str, int] = {}

    def uid(self, person_id: str) -> int:
        """The person's uid, made at the first call.

        Raises
        ------
        RuntimeFailure
            When the reserved range is used up.
        """
        known = self._known.get(person_id)
        return known if known is not None else self._allocate(person_id)

    def _allocate(self, person_id: str) -> int:
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            stored: dict[str, int] = {}
            if self._path.exists():
                stored = json.loads(self._path.read_bytes())
            if person_id not in stored:
                # One after the highest ever given: entries are never taken away.
                following = max(stored.values(), default=self._first - 1) + 1
                if not self._first <= following < self._first + self._count:
                    raise RuntimeFailure("all uids reserved for persons are given")
                stored[person_id] = following
                self._store(stored)
        finally:
            os.close(handle)
        self._known = stored
        return stored[person_id]

    def _store(self, stored: dict[str, int]) -> None:
        beside = self._path.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(stored, file)
            file.flush()
            os.fsync(file.fileno())  # forgotten by a power cut, it would be given twice
        beside.replace(self._path)

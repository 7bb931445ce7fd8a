"""The desired set on disk: what should be on this plane, one file per workload.

Owns `desired/` in the agent's home. Called by the agent's loops and by the work on each
workload. Must never be partly written: a file is made beside its place and renamed, so that a
kill at any point leaves the old or the new one.

There is no fsync: a killed process loses nothing that was written, and after a loss of power
the control plane's answer to hello brings every entry back.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from services.planes.agent.rules import Kept, is_name

log = logging.getLogger(__name__)


class Desired:
    """Entries by workload id, kept in memory and on disk alike."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)

    def load(self) -> dict[str, Kept]:
        """Read all entries. What cannot be read is dropped: hello will bring it back."""
        entries: dict[str, Kept] = {}
        for file in self.folder.iterdir():
            if file.suffix != ".json":
                file.unlink()
                continue
            try:
                kept = Kept.model_validate_json(file.read_bytes())
            except (ValueError, OSError) as error:
                log.warning("desired file dropped", extra={"file": file.name, "why": str(error)})
                file.unlink(missing_ok=True)
                continue
            entries[kept.command.workload_id] = kept
        return entries

    def save(self, kept: Kept) -> None:
        """Write one entry in place of what was there. OSError when the disk does not take it.

        With a final report the order is left out: its token is not needed any more.
        """
        if kept.final is not None and kept.command.order is not None:
            kept = Kept(
                command=kept.command.model_copy(update={"order": None}), final=kept.final
            )
        path = self._path(kept.command.workload_id)
        temporary = path + ".tmp"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            data = memoryview(kept.model_dump_json(exclude_none=True).encode())
            while data:
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)
        os.replace(temporary, path)

    def drop(self, workload_id: str) -> None:
        """Remove one entry, if it is there."""
        Path(self._path(workload_id)).unlink(missing_ok=True)

    def _path(self, workload_id: str) -> str:
        if not is_name(workload_id):
            raise ValueError(f"not a workload id: {workload_id!r}")
        return f"{self.folder}/{workload_id}.json"

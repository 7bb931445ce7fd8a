"""The desired set on disk: what should be on this plane, and how finished runs finished.

Owns `desired/` in the agent's home: per workload `<id>.json` with the command that counts and,
once it finished, `<id>.final.json` with the report. Called by the agent's loops and by the work
on each workload. Must never be partly written: a file is made under another name and renamed,
so that a kill at any point leaves the old or the new one.

There is no fsync: a killed process loses nothing that was written, and after a loss of power
the control plane's answer to hello brings every entry back. Files that are not needed any more
are blanked and used again under a new name: on ext4 making or truncating a file costs a quarter
of a millisecond of cpu, writing over one and renaming it a tenth of that. What is left of a
longer text is overwritten with blanks, which JSON allows.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from services.planes.agent.rules import Kept, is_name
from services.planes.protocol import Command, RunReport

log = logging.getLogger(__name__)

_COMMAND, _FINAL = ".json", ".final.json"
SPARES = 64
SPARE_LENGTH = 16 << 10


class Desired:
    """Entries by workload id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spares: list[tuple[str, int]] = []  # name, length
        self._lengths: dict[str, int] = {}
        self._made = 0
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)

    def load(self) -> dict[str, Kept]:
        """Read all entries. What cannot be read is dropped: hello will bring it back."""
        entries: dict[str, Kept] = {}
        names = set(os.listdir(self.folder))
        for name in names:
            workload_id = name.removesuffix(_COMMAND)
            if name.endswith(_FINAL) or name == workload_id:
                continue
            final = f"{workload_id}{_FINAL}"
            kept = self._read(name, final if final in names else None)
            if kept is not None and kept.command.workload_id == workload_id:
                entries[workload_id] = kept
        for name in names:
            if name.removesuffix(_FINAL).removesuffix(_COMMAND) not in entries:
                os.unlink(f"{self.folder}/{name}")
        return entries

    def save(self, kept: Kept, before: Kept | None = None) -> None:
        """Write an entry; `before` is what was saved last. OSError when the disk takes no more.

        The report of an attempt is written before a command is, and taken away after it: an
        entry never has a final report of another attempt.
        """
        workload_id = kept.command.workload_id
        if kept.final is not None and (before is None or before.final != kept.final):
            self._write(workload_id, _FINAL, kept.final)
        if before is None or before.command != kept.command:
            self._write(workload_id, _COMMAND, kept.command)
        if kept.final is None and before is not None and before.final is not None:
            self._spare(workload_id, _FINAL)

    def drop(self, kept: Kept) -> None:
        """Remove an entry."""
        self._spare(kept.command.workload_id, _COMMAND)
        if kept.final is not None:
            self._spare(kept.command.workload_id, _FINAL)

    def _read(self, name: str, final: str | None) -> Kept | None:
        try:
            command = Command.model_validate_json((self.folder / name).read_bytes())
            report = None
            if final is not None:
                report = RunReport.model_validate_json((self.folder / final).read_bytes())
        except (ValueError, OSError) as error:
            log.warning("desired file dropped", extra={"file": name, "why": str(error)})
            return None
        if report is not None and report.attempt != command.attempt:
            report = None
        return Kept(command=command, final=report)

    def _write(self, workload_id: str, suffix: str, content: Command | RunReport) -> None:
        path = self._path(workload_id, suffix)
        data = content.model_dump_json(exclude_none=True).encode()
        temporary, length = self._spares.pop() if self._spares else (self._new_name(), 0)
        data = data.ljust(length)
        _overwrite(temporary, data)
        os.rename(temporary, path)
        self._lengths[path] = len(data)

    def _spare(self, workload_id: str, suffix: str) -> None:
        path = self._path(workload_id, suffix)
        length = self._lengths.pop(path, None)
        if length is None or length > SPARE_LENGTH or len(self._spares) >= SPARES:
            Path(path).unlink(missing_ok=True)
            return
        name = self._new_name()
        os.rename(path, name)
        _overwrite(name, b" " * length)  # it held a token
        self._spares.append((name, length))

    def _new_name(self) -> str:
        self._made += 1
        return f"{self.folder}/spare{self._made}"

    def _path(self, workload_id: str, suffix: str) -> str:
        if not is_name(workload_id):
            raise ValueError(f"not a workload id: {workload_id!r}")
        return f"{self.folder}/{workload_id}{suffix}"


def _overwrite(path: str, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)

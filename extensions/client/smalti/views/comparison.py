"""Two jobs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One named thing, left and right."""

    name: str
    left: Any = None
    right: Any = None


@dataclass(frozen=True)
class FileChange:
    """How a file of the code differs."""

    path: str
    status: str = ""
    additions: int | None = None
    deletions: int | None = None


@dataclass(frozen=True)
class CodeDifference:
    """How the code of two jobs differs; `patch` is a unified diff."""

    commits: tuple[str | None, ...] = ()
    files: tuple[FileChange, ...] = ()
    patch: str = ""


@dataclass(frozen=True)
class OutputSide:
    """One job's file of a path that both are asked for."""

    size: int = 0
    sha256: str | None = None


@dataclass(frozen=True)
class OutputDifference:
    """One output of two jobs, None where a side has none."""

    path: str
    left: OutputSide | None = None
    right: OutputSide | None = None
    same: bool = False


@dataclass(frozen=True)
class Comparison:
    """Two jobs side by side."""

    settings: tuple[Difference, ...] = ()
    code: CodeDifference = CodeDifference()
    metrics: tuple[Difference, ...] = ()
    outputs: tuple[OutputDifference, ...] = ()

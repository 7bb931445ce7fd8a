"""Pure decisions about jobs: names of variables and files, and how two jobs differ."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

RUNNABLE = (".py", ".ipynb", ".sh", ".R")
RESERVED = ("SMALTI_", "MLFLOW_", "JUPYTERHUB_", "LD_")
METRICS_FILE = "metrics.json"
METRICS_MOST = 1 << 20

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_variable(name: str) -> str:
    """Refuse a variable's name that a shell could not use or that belongs to the platform."""
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"env: {name[:50]!r} is not a name of a variable")
    if name.upper().startswith(RESERVED):
        raise ValueError(f"env: names that start with {', '.join(RESERVED)} are reserved")
    return name


def check_file(path: str) -> str:
    """Refuse a path that leaves the project, and a kind of file that we cannot run."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or not path.isprintable():
        raise ValueError("file: a path within the project, without '.' and '..'")
    if not path.endswith(RUNNABLE):
        raise ValueError(f"file: must end in one of {', '.join(RUNNABLE)}")
    return path


def numbers_in(text: bytes) -> dict[str, float] | None:
    """Take the finite numbers out of a metrics.json; None when it is not a flat JSON object."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    return {
        str(name): float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
    }


def _finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def differing(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Names, with both values, in which two mappings of the same names differ."""
    return [(name, left[name], right[name]) for name in left if left[name] != right[name]]


def as_text(value: Any) -> str | None:
    """Write a setting's value for people to compare."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)

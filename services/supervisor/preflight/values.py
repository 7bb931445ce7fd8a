"""The chart's values as helm would see them: the chart's own, then each file over the last.

Called by `examine`'s caller. It checks no types: helm does, by the chart's schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from services.supervisor.home import SupervisorError
from services.supervisor.processes import REPOSITORY

CHART = REPOSITORY / "helm" / "smalti"
Values = dict[str, Any]


def load(files: Sequence[Path]) -> Values:
    """Read the chart's values with those of the files over them. Raises SupervisorError."""
    values: Values = {}
    for file in (CHART / "values.yaml", *files):
        try:
            said = yaml.safe_load(file.read_text()) or {}
        except OSError as error:
            raise SupervisorError(f"{file} cannot be read: {error.strerror}.") from None
        except yaml.YAMLError as error:
            raise SupervisorError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
        if not isinstance(said, dict):
            raise SupervisorError(f"{file} holds no values.")
        values = merged(values, said)
    return values


def merged(under: Values, over: Values) -> Values:
    """Lay values over others, map by map; null takes away, as with helm."""
    found = dict(under)
    for name, value in over.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict) and isinstance(found.get(name), dict):
            found[name] = merged(found[name], value)
        else:
            found[name] = value
    return found

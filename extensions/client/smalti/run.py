"""What a run on the platform finds around it: its id, project and folder for outputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smalti.errors import ConfigurationError


@dataclass(frozen=True)
class Run:
    """The run that this program is. Files left in `outputs` become the run's outputs."""

    id: str
    project: str
    project_id: str | None
    commit: str | None
    outputs: Path


def current_run(environ: Mapping[str, str] = os.environ) -> Run:
    """Return the run that this program is; raise ConfigurationError outside of one."""
    run_id, outputs = environ.get("SMALTI_RUN_ID"), environ.get("SMALTI_OUTPUTS")
    if not run_id or not outputs:
        raise ConfigurationError("this program is not a run on the platform")
    return Run(
        id=run_id,
        project=environ.get("SMALTI_PROJECT", ""),
        project_id=environ.get("SMALTI_PROJECT_ID") or None,
        commit=environ.get("SMALTI_COMMIT") or None,
        outputs=Path(outputs),
    )

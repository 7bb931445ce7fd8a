"""Names and labels of what is made in a cluster, and how a run is read back from them.

Owns every key that this code writes into a cluster. Names derive from the run's key, so that
"already exists" means "I made it"; labels hold ids only, never a person's words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from spawners.runtime import RunKey, RuntimeFailure

PREFIX = "smalti.org/"
PLANE = PREFIX + "plane"
WORKLOAD = PREFIX + "workload"
ATTEMPT = PREFIX + "attempt"
PROJECT = PREFIX + "project"
PERSON = PREFIX + "person"
VOLUME = PREFIX + "volume"  # of a session's pod and of its claim: what outlives the run
BY = "app.kubernetes.io/managed-by"
BY_US = "smalti-agent"
STOP = PREFIX + "stop"  # annotation: how it was asked to end, so that the next agent knows

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,45}[a-z0-9])?")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def name(key: RunKey) -> str:
    """Name the Job and the Secret of a run. RuntimeFailure for a key that makes no name."""
    if not _ID.fullmatch(key.workload_id) or not 0 <= key.attempt < 1_000_000:
        raise RuntimeFailure(f"not a name for a run: {str(key)[:80]!r}")
    return f"smalti-{key.workload_id}-{key.attempt}"


def labels(key: RunKey, plane: str, **ids: str) -> dict[str, str]:
    """Label what belongs to a run. `ids`: project, person, volume; left out where they are none."""
    found = {BY: BY_US, PLANE: plane, WORKLOAD: key.workload_id, ATTEMPT: str(key.attempt)}
    for word, text in ids.items():
        if _LABEL.fullmatch(text):
            found[PREFIX + word] = text
    return found


def claim(volume: str) -> str:
    """Name the claim of a volume. RuntimeFailure for an id that makes no name."""
    if not _ID.fullmatch(volume):
        raise RuntimeFailure(f"not a name for a volume: {volume[:80]!r}")
    return f"smalti-volume-{volume}"


def claim_labels(volume: str, plane: str) -> dict[str, str]:
    """Label the claim of a volume, which belongs to no run."""
    return {BY: BY_US, PLANE: plane, VOLUME: volume}


def selector(plane: str) -> str:
    """Select everything that this plane's agents have made."""
    return f"{BY}={BY_US},{PLANE}={plane}"


def key_of(found: Mapping[str, str]) -> RunKey | None:
    """Read a run's key back from labels; None when they name none."""
    try:
        return RunKey(found[WORKLOAD], int(found[ATTEMPT]))
    except (KeyError, ValueError):
        return None

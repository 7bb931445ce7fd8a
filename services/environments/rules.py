"""What the folder or the image of an environment revision says about its status. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from services.environments.schemas import RevisionStatus

BEING_PREPARED = "being prepared on this machine"

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Found:
    """What was found at the place of a revision: its stamp's text, None without a stamp."""

    folder: bool
    stamp: str | None = None


@dataclass(frozen=True)
class State:
    """What may change of a revision."""

    status: RevisionStatus
    reason: str | None
    digest: str | None


def state_of(found: Found) -> State:
    """Say how a revision is. Its folder appears whole, so where it is, it is ready."""
    if not found.folder:
        return State(RevisionStatus.BUILDING, BEING_PREPARED, None)
    return State(RevisionStatus.READY, None, digest_in(found.stamp))


def state_of_image(image: str) -> State:
    """Say how a revision is that is an image: the cluster has it, or will say why not."""
    _, pinned, digest = image.partition("@sha256:")
    if not (pinned and _DIGEST.fullmatch(digest)):
        digest = hashlib.sha256(image.encode()).hexdigest()
    return State(RevisionStatus.READY, None, digest)


def digest_in(stamp: str | None) -> str | None:
    """Read the digest out of a stamp; None when it holds none."""
    try:
        values = json.loads(stamp or "")
    except (ValueError, RecursionError):
        return None
    digest = values.get("digest") if isinstance(values, dict) else None
    return digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else None

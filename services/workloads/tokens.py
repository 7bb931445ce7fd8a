"""A run's own token: derived, so that it can be delivered again without being stored.

The secret of an attempt is an HMAC of its name under the platform's signing key; the database
holds only its hash (`people.tokens`), from admission to the end of the attempt.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from services.core.rights import Permission
from services.core.settings import Settings

RIGHTS = frozenset(
    {
        Permission.PEOPLE_READ,
        Permission.PROJECTS_LIST,
        Permission.PROJECT_READ,
        Permission.FILES_READ,
        Permission.JOBS_LIST,
        Permission.JOB_READ,
        Permission.JOB_START,
        Permission.JOB_STOP,
        Permission.OUTPUTS_READ,
        Permission.WORKSPACES_LIST,
        Permission.WORKSPACE_READ,
        Permission.EXPERIMENTS_READ,
        Permission.EXPERIMENTS_WRITE,
        Permission.ENVIRONMENTS_READ,
        Permission.TIERS_READ,
        Permission.PLANES_READ,
        Permission.EVENTS_READ,
        Permission.SECRETS_USE,
    }
)

# A session is a person at work: they push what they have made.
_OF_KIND = {"session": RIGHTS | {Permission.FILES_WRITE}}

# Who may start a run may have it see the code that it runs, whatever else they may not.
_OF_EVERY_RUN = frozenset({Permission.PROJECT_READ, Permission.FILES_READ})


def narrowed(starter: frozenset[Permission] | None) -> list[str] | None:
    """List the rights of a run that is started with narrowed ones; None: those of every run.

    Else whoever may do little more than start a job could do all the rest through its token.
    """
    if starter is None:
        return None
    return sorted(right.value for right in RIGHTS & (starter | _OF_EVERY_RUN))


def given(kept: list[str] | None, kind: str = "job") -> frozenset[Permission]:
    """Read what `narrowed` gave; a right that this version does not know is none."""
    most = _OF_KIND.get(kind, RIGHTS)
    return most if kept is None else frozenset(one for one in most if one.value in kept)


def secret_of(settings: Settings, workload_id: str, attempt: int) -> str:
    """Derive the token of one attempt."""
    key = bytes.fromhex(settings.secret("signing.key"))
    name = f"run:{workload_id}:{attempt}".encode()
    digest = hmac.new(key, name, hashlib.sha256).digest()
    return f"sml_{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

"""Environments, what runs find installed: the names that other nouns use.

`resolve` settles which revision a run gets; `unready` says which cannot be used yet, and
"environments" is woken on the bus when that changes.
"""

from services.environments.actions import Resolved, digest_of, id_of, names, resolve, unready
from services.environments.default import loops, set_up
from services.environments.schemas import RevisionStatus

__all__ = [
    "Resolved",
    "RevisionStatus",
    "digest_of",
    "id_of",
    "loops",
    "names",
    "resolve",
    "set_up",
    "unready",
]

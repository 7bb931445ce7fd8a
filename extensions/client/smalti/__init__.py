"""The Python client of Smalti: `import smalti; client = smalti.connect()`.

Owns the list of public names. They are loaded when first used, so that the command line,
which needs few of them, starts quickly. Nothing else of the package is promised to stay.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from smalti.client import Client as Client
    from smalti.client import connect as connect
    from smalti.errors import ApiError as ApiError
    from smalti.errors import BadRequest as BadRequest
    from smalti.errors import ConfigurationError as ConfigurationError
    from smalti.errors import Conflict as Conflict
    from smalti.errors import ConnectionFailed as ConnectionFailed
    from smalti.errors import Forbidden as Forbidden
    from smalti.errors import JobNotSuccessful as JobNotSuccessful
    from smalti.errors import NotFound as NotFound
    from smalti.errors import NotLoggedIn as NotLoggedIn
    from smalti.errors import PreconditionFailed as PreconditionFailed
    from smalti.errors import ServerError as ServerError
    from smalti.errors import SmaltiError as SmaltiError
    from smalti.errors import TooMany as TooMany
    from smalti.errors import TransferFailed as TransferFailed
    from smalti.errors import Unauthorized as Unauthorized
    from smalti.errors import UnexpectedAnswer as UnexpectedAnswer
    from smalti.errors import WaitedTooLong as WaitedTooLong
    from smalti.errors import WorkspaceNotRunning as WorkspaceNotRunning
    from smalti.job import Job as Job
    from smalti.project import Project as Project
    from smalti.retries import Retry as Retry
    from smalti.run import Run as Run
    from smalti.run import current_run as current_run
    from smalti.workspace import Workspace as Workspace

_HOMES = {
    "Client": "client",
    "connect": "client",
    "Job": "job",
    "Project": "project",
    "Retry": "retries",
    "Run": "run",
    "current_run": "run",
    "Workspace": "workspace",
    "ApiError": "errors",
    "BadRequest": "errors",
    "ConfigurationError": "errors",
    "Conflict": "errors",
    "ConnectionFailed": "errors",
    "Forbidden": "errors",
    "JobNotSuccessful": "errors",
    "NotFound": "errors",
    "NotLoggedIn": "errors",
    "PreconditionFailed": "errors",
    "ServerError": "errors",
    "SmaltiError": "errors",
    "TooMany": "errors",
    "TransferFailed": "errors",
    "Unauthorized": "errors",
    "UnexpectedAnswer": "errors",
    "WaitedTooLong": "errors",
    "WorkspaceNotRunning": "errors",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - strings, all of them


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'smalti' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"smalti.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

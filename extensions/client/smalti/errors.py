"""Everything that the client raises on purpose, as one tree under `SmaltiError`.

Raised by every module of the package, turned into exit codes by `smalti.cli.exits`. Messages
are single lines for people; they must never hold a token or a password.
"""

from __future__ import annotations

from typing import Any


class SmaltiError(Exception):
    """Something that the client was asked for did not happen.

    `code` is a stable word for programs; `status` the HTTP status, where an answer came;
    `request_id` finds the call in the platform's log; `details` is what the server added.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status
        self.request_id = request_id
        self.details = details


class ConfigurationError(SmaltiError):
    """The client was not told what it needs, or its file cannot be read."""

    code = "configuration"


class NotLoggedIn(ConfigurationError):
    """There is no token for the server."""

    code = "not_logged_in"


class ConnectionFailed(SmaltiError):
    """No answer came from `address`, after all retries."""

    code = "connection_failed"

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"no connection to {address}: {reason}")
        self.address = address
        self.reason = reason


class UnexpectedAnswer(SmaltiError):
    """An answer came, and it is not one of Smalti's."""

    code = "unexpected_answer"


class TransferFailed(SmaltiError):
    """A file could not be brought over whole and unchanged, or its name is not safe."""

    code = "transfer_failed"


class WaitedTooLong(SmaltiError):
    """The time that the caller gave for waiting is over; the job goes on."""

    code = "waited_too_long"


class WorkspaceNotRunning(SmaltiError):
    """A workspace that was to run does not; `workspace` is its last view."""

    code = "workspace_not_running"

    def __init__(self, message: str, workspace: Any) -> None:
        super().__init__(message)
        self.workspace = workspace


class JobNotSuccessful(SmaltiError):
    """A job that was to succeed ended otherwise; `job` is its last view."""

    code = "job_not_successful"

    def __init__(self, message: str, job: Any) -> None:
        super().__init__(message)
        self.job = job


class ApiError(SmaltiError):
    """The platform refused or failed; its children say which."""


class BadRequest(ApiError):
    """The platform does not understand the request, or a rule refuses it (400, 413, 422)."""


class Unauthorized(ApiError):
    """The token is unknown, expired or revoked (401)."""


class Forbidden(ApiError):
    """The caller may not do this (403)."""


class NotFound(ApiError):
    """It does not exist, or the caller may not know that it does (404, 410)."""


class Conflict(ApiError):
    """It contradicts what is there (409)."""


class PreconditionFailed(ApiError):
    """It was changed by somebody else meanwhile (412)."""


class TooMany(ApiError):
    """A limit on number or rate is reached (429)."""


class ServerError(ApiError):
    """The platform failed, is away or is full (5xx)."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: PreconditionFailed,
    429: TooMany,
}


def kind_of(status: int) -> type[ApiError]:
    """Choose the error for an HTTP status of 400 or more."""
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, BadRequest)

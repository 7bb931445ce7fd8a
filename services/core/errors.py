"""What may go wrong in a way that a person is told about.

`PublicError` and its children are the only texts that leave the platform in an answer.
Everything else that is raised becomes a 500 with the request id and nothing more.
"""

from __future__ import annotations

from typing import Any


class PublicError(Exception):
    """An error whose code, status and message are written for the person who caused it."""

    status = 400
    code = "bad_request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.details = details
        self.headers: dict[str, str] = {}


class BadRequest(PublicError):
    """The request cannot be understood or asks for what cannot be."""


class Unauthorized(PublicError):
    """Nobody known is asking."""

    status, code = 401, "unauthorized"


class Forbidden(PublicError):
    """The caller may see that it exists, and may not do this to it."""

    status, code = 403, "forbidden"


class NotFound(PublicError):
    """It does not exist, or the caller may not know that it does."""

    status, code = 404, "not_found"


class MethodNotAllowed(PublicError):
    """The path exists, the method does not."""

    status, code = 405, "method_not_allowed"


class Conflict(PublicError):
    """It contradicts what is there now."""

    status, code = 409, "conflict"


class Gone(PublicError):
    """It was there and has been cleaned away, by age or by request."""

    status, code = 410, "gone"


class PreconditionFailed(PublicError):
    """If-Match named an older state than the present one."""

    status, code = 412, "precondition_failed"


class TooLarge(PublicError):
    """A limit on size is exceeded; the message names the limit."""

    status, code = 413, "too_large"


class Unprocessable(PublicError):
    """Understood, and refused by a rule that the message names."""

    status, code = 422, "unprocessable"


class TooMany(PublicError):
    """A limit on number or rate is reached."""

    status, code = 429, "too_many"


class Unavailable(PublicError):
    """Something that is needed is away; the same request may work later."""

    status, code = 503, "unavailable"

    def __init__(self, message: str, *, retry_after: int = 2, **more: Any) -> None:
        super().__init__(message, **more)
        self.headers["Retry-After"] = str(retry_after)


class StorageFull(PublicError):
    """There is no room to keep what was sent."""

    status, code = 507, "storage_full"

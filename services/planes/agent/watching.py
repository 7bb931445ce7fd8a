"""What can be seen of a session from outside: who listens on its port, what its tool wrote.

Called by `sessions`. Reads files that a person can write: nothing in them is believed beyond
what it may be, no link is followed, and nothing here can be made to wait.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from services.planes.protocol import Activity

_MOST = 4096
_LISTENS = "0A"


def listener(port: int) -> int | None:
    """The uid of the process that listens on a port of 127.0.0.1; None when none does."""
    wanted = f"0100007F:{port:04X}"
    with open("/proc/net/tcp") as table:
        for line in table:
            fields = line.split()
            if fields[1] == wanted and fields[3] == _LISTENS:
                return int(fields[7])
    return None


def read_activity(file: Path) -> Activity | None:
    """Read what a tool wrote of itself; None for anything else than that."""
    with suppress(OSError):
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            return parse_activity(os.read(handle, _MOST))
        finally:
            os.close(handle)
    return None


def parse_activity(text: bytes) -> Activity | None:
    """Read what a tool said of itself; None for anything else than that."""
    with suppress(ValidationError):
        seen = Activity.model_validate_json(text)
        return seen.model_copy(update={"last": min(_aware(seen.last), datetime.now(UTC))})
    return None


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)

"""The agent's own log: one JSON object per line on standard output.

Owns the form of the lines and that no token stands in one. Called once by the entry point;
everybody else logs by `logging.getLogger(__name__)` with fields in `extra`. Must never be
given what a run printed.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TOKEN = re.compile(r"sml_[A-Za-z0-9_\-]+|(?i:(?<=basic )|(?<=bearer ))[A-Za-z0-9+/=._\-]{8,}")


def redact(text: str) -> str:
    """Take everything that looks like a token of ours out of a text."""
    return _TOKEN.sub("[token]", text)


class JsonLines(logging.Formatter):
    """Writes a record as one JSON line: at, level, event, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Build the line; a traceback goes into `trace`."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, default=str))


def set_up(level: int = logging.INFO) -> None:
    """Send everything that is logged to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Standard output may go away with whoever reads it; that must neither end us nor make noise.
    logging.raiseExceptions = False

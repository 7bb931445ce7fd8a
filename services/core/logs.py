"""Structured logs: one JSON object a line on standard error, scrubbed of secrets.

Owns the format and the scrubbing for every process of the control plane. A line never holds a
query string, a body or a credential; text that came from outside is cut at `LONGEST`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

LONGEST = 2000

_SECRET = re.compile(
    r"(sml_[A-Za-z0-9_-]{6,})"
    r"|((?:authorization|cookie|set-cookie)\s*[:=]\s*)[^\r\n]+"
    r"|((?:bearer|basic|token)\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|([?&;\s\"'](?:token|code|state|password|secret|key|signature)=)[^&\s\"']+"
    r"|(://[^/\s:@]+:)[^@/\s]+@",
    re.IGNORECASE,
)


def scrub(text: str) -> str:
    """Take out everything that looks like a credential."""

    def hide(match: re.Match[str]) -> str:
        kept = next((group for group in match.groups()[1:] if group), "")
        return f"{kept}***{'@' if match[5] else ''}"

    return _SECRET.sub(hide, text)


class JsonLines(logging.Formatter):
    """Formats a record as one scrubbed JSON line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; line breaks of the message stay inside its JSON string."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": scrub(record.getMessage())[:LONGEST],
        }
        for name in ("call", "fields"):
            if hasattr(record, name):
                value = getattr(record, name)
                line.update(value if isinstance(value, dict) else {"request_id": value})
        # A path is what the caller wrote: also what they put there by mistake.
        line = {name: scrub(v) if isinstance(v, str) else v for name, v in line.items()}
        if record.exc_info:
            line["trace"] = scrub(self.formatException(record.exc_info))[-8 * LONGEST :]
        return json.dumps(line)


def set_up(level: int = logging.INFO) -> None:
    """Send all logs of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


_access = logging.getLogger("smalti.access")


def access(endpoint: Any, seconds: float) -> None:
    """Log one finished call; the busy paths of agents and probes only when they fail."""
    status = endpoint.get_status()
    quiet = status < 400 and "/agent/" in endpoint.request.path
    if quiet or (status < 400 and endpoint.request.path.endswith(("/health", "/metrics"))):
        return
    fields = {
        "request_id": endpoint.request_id,
        "method": endpoint.request.method,
        "path": endpoint.request.path[:300],
        "status": status,
        "ms": round(seconds * 1000, 1),
        "actor": f"{endpoint.actor.kind.value}:{endpoint.actor.id}"[:80],
        "address": endpoint.address,
    }
    level = logging.WARNING if status >= 500 else logging.INFO
    line = f"{fields['method']} {fields['path']} {status}"
    _access.log(level, line, extra={"fields": fields})

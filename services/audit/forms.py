"""The forms in which the audit trail is exported: JSON lines and CSV.

Called by `actions`. JSON lines hold a row as it is and are what the chain can be checked by. CSV
is for spreadsheets: a text that one would take for a formula is made harmless by an apostrophe
before it. Must never hold more than the row at hand.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.audit.schemas import AuditEventView, ExportFormat

COLUMNS = (
    "position", "at", "actor_kind", "actor_id", "actor_name", "person_id", "action",
    "target_kind", "target_id", "project_id", "address", "request_id", "before", "after",
    "previous_hash", "hash",
)  # fmt: skip
# What a spreadsheet may take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Form:
    """How rows are written down."""

    media_type: str
    ending: str
    head: bytes
    line: Callable[[AuditEventView], str]


def json_line(row: AuditEventView) -> str:
    """Write a row as a line of JSON."""
    return row.model_dump_json() + "\n"


def csv_line(row: AuditEventView) -> str:
    """Write a row as a line of CSV (RFC 4180, UTF-8)."""
    plain = row.model_dump(mode="json")
    actor, target = plain["actor"], plain["target"]
    plain |= {f"actor_{name}": actor[name] for name in ("kind", "id", "name")}
    plain |= {"person_id": actor["person_id"]}
    plain |= {f"target_{name}": target[name] for name in ("kind", "id")}
    for name in ("before", "after"):
        value = plain[name]
        plain[name] = None if value is None else json.dumps(value, ensure_ascii=False)
    return _line([plain[name] for name in COLUMNS])


def harmless(value: Any) -> str:
    """Give a cell's text, with an apostrophe before what a spreadsheet would calculate."""
    text = "" if value is None else str(value)
    # Without what some programs skip before they look: blanks, and marks that are not seen.
    begins = text.lstrip(" \u00a0\ufeff\u200b\u200e\u200f\u202a\u202b\u202d\u202e")
    return f"'{text}" if begins.startswith(_FORMULA) else text


def _line(cells: list[Any]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([harmless(cell) for cell in cells])
    return written.getvalue()


FORMS = {
    ExportFormat.JSON_LINES: Form("application/x-ndjson", "jsonl", b"", json_line),
    ExportFormat.CSV: Form(
        "text/csv; charset=utf-8", "csv", _line(list(COLUMNS)).encode(), csv_line
    ),
}

"""Keyset paging: every row once, in order, whatever happens meanwhile; foreign cursors refused."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from sqlalchemy import delete, insert, select

from services.core.database import Database, Transaction
from services.core.errors import BadRequest
from services.core.paging import Page, PageQuery, paginate
from services.core.tables import web_sessions

KEYS = [web_sessions.c.created_at, web_sessions.c.session_hash]
START = datetime(2030, 1, 1, tzinfo=UTC)


class Row(BaseModel):
    """What a page shows of a row."""

    name: str


def fill(tx: Transaction, seconds: list[int]) -> None:
    """Replace the table's rows: one for each number, named after its place."""
    tx.execute(delete(web_sessions))
    rows = [
        {
            "session_hash": f"{place:04}",
            "sealed_token": "",
            "xsrf": "",
            "created_at": START + timedelta(seconds=second),
            "expires_at": START,
        }
        for place, second in enumerate(seconds)
    ]
    if rows:
        tx.execute(insert(web_sessions), rows)


def page(tx: Transaction, query: PageQuery, descending: bool = True) -> Page[Row]:
    """Read one page."""
    return paginate(
        tx,
        select(web_sessions),
        KEYS,
        query,
        lambda row: Row(name=row.session_hash),
        descending=descending,
    )


def query(limit: int, cursor: str | None = None) -> PageQuery:
    """Make a page's query."""
    return PageQuery(limit=limit, cursor=cursor)


def walk(db: Database, limit: int, descending: bool) -> list[str]:
    """Read all pages."""
    names: list[str] = []
    cursor = None
    while True:
        found = db.read_now(page, query(limit, cursor), descending)
        names += [row.name for row in found.items]
        cursor = found.next_cursor
        if cursor is None:
            return names
        assert len(found.items) == limit


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seconds=st.lists(st.integers(0, 3), max_size=12),
    limit=st.integers(1, 5),
    descending=st.booleans(),
)
def test_every_row_comes_once_and_in_order(
    db: Database, seconds: list[int], limit: int, descending: bool
) -> None:
    db.write_now(fill, seconds)
    wanted = sorted((second, f"{place:04}") for place, second in enumerate(seconds))
    if descending:
        wanted.reverse()
    assert walk(db, limit, descending) == [name for _, name in wanted]


def test_a_page_is_not_moved_by_rows_that_come_and_go(db: Database) -> None:
    db.write_now(fill, [0, 1, 2, 3])
    first = db.read_now(page, query(2))
    assert [row.name for row in first.items] == ["0003", "0002"]
    gone = web_sessions.c.session_hash.in_(["0003", "0002"])
    db.write_now(lambda tx: tx.execute(delete(web_sessions).where(gone)) and None)
    second = db.read_now(page, query(2, first.next_cursor))
    assert [row.name for row in second.items] == ["0001", "0000"]


def encoded(value: Any) -> str:
    """Write a cursor by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "ü",
        "!!!!",
        "AAAA",
        encoded([]),
        encoded({}),
        encoded(None),
        encoded("2030-01-01"),
        encoded(["2030-01-01T00:00:00+00:00"]),
        encoded(["2030-01-01T00:00:00+00:00", "a", "b"]),
        encoded(["yesterday", "a"]),
        encoded([1, "a"]),
        encoded(["2030-01-01T00:00:00+00:00", 7]),
        encoded(["2030-01-01T00:00:00+00:00", None]),
        encoded(["2030-01-01T00:00:00+00:00", "a\x00"]),
        encoded([[["deep"]], "a"]),
    ],
)
def test_a_cursor_that_was_not_given_is_refused(db: Database, cursor: str) -> None:
    with pytest.raises(BadRequest) as caught:
        db.read_now(page, query(2, cursor))
    assert caught.value.code == "bad_cursor"


@pytest.mark.parametrize("limit", [0, -1, 201, 10**30])
def test_the_length_of_a_page_is_bounded(limit: int) -> None:
    with pytest.raises(ValidationError):
        query(limit)

"""Lists by pages: keyset paging, so that page 2,000 costs what page 1 costs.

A cursor is the sort key of the last row that was shown, opaque to callers. Every sort that
is offered ends in the id, so that the order is total and a row is never shown twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, ColumnElement, Row, Select, literal, tuple_

from services.core.columns import UtcDateTime
from services.core.database import Transaction
from services.core.errors import BadRequest

T = TypeVar("T", bound=BaseModel)

DEFAULT, MOST = 50, 200


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


class PageQuery(BaseModel):
    """The two parameters that every list takes."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(DEFAULT, ge=1, le=MOST, description="Most items on this page.")
    cursor: str | None = Field(
        None, max_length=500, description="`next_cursor` of the page before."
    )


def paginate(
    tx: Transaction,
    statement: Select[Any],
    keys: Sequence[Column[Any]],
    query: PageQuery,
    view: Callable[[Row[Any]], T],
    *,
    descending: bool = True,
) -> Page[T]:
    """Run a select for one page, sorted by `keys`, and turn its rows into views.

    Raises BadRequest for a cursor that this list did not hand out.
    """
    rows, cursor = page_of_rows(tx, statement, keys, query, descending=descending)
    return Page(items=[view(row) for row in rows], next_cursor=cursor)


def page_of_rows(
    tx: Transaction,
    statement: Select[Any],
    keys: Sequence[Column[Any]],
    query: PageQuery,
    *,
    descending: bool = True,
) -> tuple[Sequence[Row[Any]], str | None]:
    """The same, for views that need something of all rows at once: rows and next cursor."""
    if query.cursor is not None:
        after = _decode(query.cursor, keys)
        here = tuple_(*keys)
        statement = statement.where(here < tuple_(*after) if descending else here > tuple_(*after))
    order = [key.desc() if descending else key.asc() for key in keys]
    return cut(tx.all(statement.order_by(*order).limit(query.limit + 1)), keys, query.limit)


def cut(
    rows: Sequence[Row[Any]], keys: Sequence[Column[Any]], limit: int
) -> tuple[Sequence[Row[Any]], str | None]:
    """Take the page out of rows of which one more than `limit` was asked for."""
    shown = rows[:limit]
    if len(rows) <= limit:
        return shown, None
    return shown, _encode([shown[-1]._mapping[key] for key in keys])


def _encode(values: list[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _decode(cursor: str, keys: Sequence[Column[Any]]) -> list[ColumnElement[Any]]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        plain = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        if not isinstance(plain, list) or len(plain) != len(keys):
            raise ValueError("wrong length")
        return [_typed(value, key) for value, key in zip(plain, keys, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadRequest("cursor: not one that this list gave", code="bad_cursor") from error


def _typed(value: Any, key: Column[Any]) -> ColumnElement[Any]:
    # As the column's own type: an untyped time would be compared as text.
    if isinstance(key.type, UtcDateTime):
        return literal(datetime.fromisoformat(value).astimezone(UTC), key.type)
    kind = key.type.python_type
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("out of range")
    if isinstance(value, str) and "\x00" in value.encode().decode():
        raise ValueError("holds a NUL")
    return literal(value, key.type)

"""Lists that come in pages, as one iterator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from smalti.errors import UnexpectedAnswer
from smalti.transport import Call, Transport

T = TypeVar("T")
PAGE = 100


def iterate(
    transport: Transport,
    url: str,
    view: Callable[[Any], T],
    query: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> Iterator[T]:
    """Yield the items of a list, asking for the next page when it is needed.

    At most `limit` items, all without. Raises UnexpectedAnswer when the pages do not end.
    """
    given, seen, cursor = 0, set[str](), None
    while limit is None or given < limit:
        size = PAGE if limit is None else min(PAGE, limit - given)
        page = transport.json(
            Call("GET", url, query={**(query or {}), "limit": size, "cursor": cursor})
        )
        items = items_of(page)
        for item in items[: None if limit is None else limit - given]:
            given += 1
            yield view(item)
        cursor = page.get("next_cursor")
        if cursor is None:
            return
        if cursor in seen:
            raise UnexpectedAnswer("the server's list does not end: a page came twice")
        seen.add(cursor)


def items_of(page: Any) -> list[Any]:
    """Return the items of an answer that is a list, or raise UnexpectedAnswer."""
    items = page.get("items") if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise UnexpectedAnswer("the server's answer is not a list of items")
    return items

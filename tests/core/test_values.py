"""Ids, shapes of requests, ETags and columns."""

from __future__ import annotations

import contextlib
import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from sqlalchemy import insert, select

from services.core import etags
from services.core.database import Database
from services.core.errors import BadRequest, PreconditionFailed, Unprocessable
from services.core.ids import is_id, new_id
from services.core.shapes import DEPTH, RequestModel, parse_body, parse_query
from services.core.tables import idempotency_keys
from services.core.work import Work
from tests.house import House


class Query(BaseModel):
    """A query to try things on."""

    limit: int = Field(50, ge=1, le=200)
    tag: list[str] = []
    name: str | None = None


class Body(RequestModel):
    """A body to try things on."""

    name: str
    more: Any = None


def test_ids_sort_as_they_were_made_from_any_thread() -> None:
    made: list[str] = []
    lock = threading.Lock()

    def make() -> None:
        for _ in range(500):
            with lock:
                made.append(new_id())

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == sorted(set(made))
    assert all(is_id(one) and one[14] == "7" and one[19] in "89ab" for one in made)


@pytest.mark.parametrize("text", ["", "x", "../etc", new_id().upper(), new_id() + "\n", "0" * 36])
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    assert not is_id(text)


def test_a_query_is_checked() -> None:
    assert parse_query({"limit": [b"7"], "tag": [b"a", b"b"]}, Query).tag == ["a", "b"]
    assert parse_query({"tag": [b"a"]}, Query).tag == ["a"]
    for arguments in (
        {"limit": [b"0"]},
        {"limit": [b"1", b"2"]},
        {"limit": [b"many"]},
        {"name": [b"\xff"]},
        {"name": [b"a\x00b"]},
    ):
        with pytest.raises(BadRequest):
            parse_query(arguments, Query)


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"null",
        b'"a"',
        b"{",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        json.dumps({"name": "a", "more": [[[]]] * 3}).encode()[:-1],
    ],
)
def test_a_body_that_is_no_object_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_body(raw, Body)


def test_a_body_may_not_be_nested_without_end() -> None:
    deep: Any = 1
    for _ in range(DEPTH + 1):
        deep = [deep]
    with pytest.raises(BadRequest):
        parse_body(json.dumps({"name": "a", "more": deep}).encode(), Body)


@pytest.mark.parametrize(
    "values", [{}, {"name": 1}, {"name": "a", "other": 1}, {"name": "a\x00"}, {"name": ["a"]}]
)
def test_a_body_of_the_wrong_shape_is_unprocessable(values: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable):
        parse_body(json.dumps(values).encode(), Body)


@given(st.binary(max_size=200) | st.recursive(st.none(), st.lists).map(lambda x: str(x).encode()))
def test_no_body_breaks_anything(raw: bytes) -> None:
    with contextlib.suppress(BadRequest, Unprocessable):
        parse_body(raw, Body)


def test_what_was_sent_is_not_said_back() -> None:
    with pytest.raises(Unprocessable) as caught:
        parse_body(b'{"name": {"password": "canary-secret"}}', Body)
    assert "canary-secret" not in caught.value.message + json.dumps(caught.value.details)


async def test_if_match_names_the_state_or_fails(house: House) -> None:
    view = Query()
    tag = etags.of(view)
    for given_tag in (None, "*", tag, f'"other", {tag}', f"W/{tag}"):
        work = Work(house.context, if_match=given_tag)
        await work.read(etags.check, view)
    for given_tag in ("", '"other"', tag.strip('"')):
        work = Work(house.context, if_match=given_tag)
        with pytest.raises(PreconditionFailed):
            await work.read(etags.check, view)


def test_times_come_back_as_they_went_in(db: Database) -> None:
    at = datetime(2030, 1, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5)))
    row = {"actor_id": "a", "key": "k", "fingerprint": "f", "created_at": at}
    db.write_now(lambda tx: tx.execute(insert(idempotency_keys).values(row)) and None)
    found = db.read_now(lambda tx: tx.scalar(select(idempotency_keys.c.created_at)))
    assert found == at
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(db: Database) -> None:
    row = {"actor_id": "a", "key": "k", "fingerprint": "f", "created_at": datetime(2030, 1, 1)}  # noqa: DTZ001
    with pytest.raises(Exception, match="without a zone"):
        db.write_now(lambda tx: tx.execute(insert(idempotency_keys).values(row)) and None)

"""Range and attachment headers, as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import PublicError
from services.storage.downloads import attachment_headers, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 6)),
        ("bytes=2-", (2, 10)),
        ("bytes=2-500", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-300", (0, 10)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 400 + "-", None),
    ],
)
def test_one_range_or_all(header: str, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(header: str) -> None:
    with pytest.raises(PublicError) as caught:
        parse_range(header, 10)
    assert caught.value.status == 416
    assert caught.value.headers["Content-Range"] == "bytes */10"


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d*-\d*", fullmatch=True), st.integers(0, 50))
def test_what_is_answered_lies_within_the_object(header: str, size: int) -> None:
    try:
        part = parse_range(header, size)
    except PublicError:
        return
    if part is not None:
        assert 0 <= part[0] < part[1] <= size


@given(st.text(max_size=300), st.text(max_size=100))
def test_headers_can_be_sent_whatever_the_name(filename: str, media_type: str) -> None:
    headers = attachment_headers(filename, media_type)
    for value in headers.values():
        assert value.isascii()
        assert value.isprintable()
    disposition = headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="')
    assert disposition.count('"') == 2

"""What hides secrets in logs: every form, wherever the log is cut, and nothing else."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.planes.agent.masking import SEGMENT, Mask

VALUE = 'pass word/"wörd"+%\\ 8f3a'


@pytest.mark.parametrize(
    "text",
    [
        VALUE,
        f"key={VALUE};",
        VALUE * 2,
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
        base64.b64encode(f"{VALUE}\n".encode()).decode(),
        base64.b64encode(f"u:{VALUE}".encode()).decode(),
        base64.b64encode(f"us:{VALUE}!".encode()).decode(),
        urllib.parse.quote(VALUE),
        urllib.parse.quote(VALUE, safe=""),
        urllib.parse.urlencode({"a": VALUE}),
        json.dumps({"a": VALUE}),
        json.dumps({"a": VALUE}, ensure_ascii=False),
        repr([VALUE]),
        VALUE.encode().hex(),
    ],
)
def test_every_form_is_hidden_and_keeps_its_length(text: str) -> None:
    raw = f"before {text} after\n".encode()
    hidden = Mask([VALUE]).hide(raw)
    assert len(hidden) == len(raw)
    assert hidden.startswith(b"before ")
    assert hidden.endswith(b" after\n")
    assert b"8f3a" not in hidden
    assert hidden.count(b"*") >= 12


def test_lines_of_a_longer_value_are_hidden_alone() -> None:
    value = "-----BEGIN KEY-----\n" + "\n".join(f"line{n}-abcdefgh" for n in range(5)) + "\n"
    hidden = Mask([value]).hide(b"got line3-abcdefgh here, line 3 not")
    assert hidden == b"got ************** here, line 3 not"


def test_base64_in_lines_is_hidden() -> None:
    value = "s3cr3t" * 40
    raw = base64.encodebytes(value.encode())
    assert set(Mask([value]).hide(raw)) <= set(b"*\n=")


def test_short_values_stay() -> None:
    mask = Mask(["", "1", "true", "12345"])
    assert not mask
    assert mask.hide(b"1 true 12345") == b"1 true 12345"


def test_a_very_long_value_is_hidden_with_a_small_reach() -> None:
    value = "".join(f"{n:05d}" for n in range(12_000))
    mask = Mask([value])
    assert mask.reach < 2 * SEGMENT
    assert mask.hide(value.encode()) == b"*" * len(value)


def test_a_log_of_one_character_takes_no_long_time() -> None:
    began = time.monotonic()
    assert Mask(["aaaaaaaa"]).hide(b"a" * (1 << 20)) == b"*" * (1 << 20)
    assert time.monotonic() - began < 5


def shipped(mask: Mask, raw: bytes, arrivals: list[int], size: int) -> bytes:
    """Ship a log that grows by these steps, as `RunLog` does."""
    sent = b""
    there = 0
    for step in [*arrivals, len(raw)]:
        there = min(len(raw), there + step)
        ended = there == len(raw)
        while True:
            before = min(len(sent), mask.reach)
            data = raw[len(sent) - before : min(there, len(sent) - before + size)]
            length = min(len(data) - before, size - before - mask.reach)
            if len(data) < size:
                length = len(data) - before if ended else mask.settled(data) - before
            if length <= 0:
                break
            sent += mask.hide(data)[before : before + length]
    return sent


@given(
    st.lists(st.sampled_from(["abcabc", "abcabcd", "bcdefg", "aaaaaa", "x", "\n"]), max_size=20),
    st.lists(st.integers(0, 9), max_size=30),
    st.integers(70, 90),
)
def test_where_it_is_cut_changes_nothing(words: list[str], arrivals: list[int], size: int) -> None:
    mask = Mask(["abcabcd", "bcdefg", "aaaaaa"])
    raw = "".join(words).encode()
    assert shipped(mask, raw, arrivals, size) == mask.hide(raw)

"""Keys: what our words make is taken, everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.ids import new_id
from services.storage.keys import check_key, check_prefix, is_key

words = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,40}", fullmatch=True)


def test_keys_of_ids_and_our_words_are_taken() -> None:
    for key in (f"logs/{new_id()}/3/{17:016d}", f"outputs/{new_id()}/0/12", "a/b"):
        assert check_key(key) == key
        assert check_prefix(key.rpartition("/")[0])


@given(st.lists(words, min_size=2, max_size=6))
def test_two_to_eight_words_are_a_key(parts: list[str]) -> None:
    assert is_key("/".join(parts)) == (len("/".join(parts)) <= 255)


@given(st.text(max_size=60))
def test_no_text_makes_a_key_that_climbs(text: str) -> None:
    for key in (text, f"logs/{text}", f"logs/{text}/1"):
        if is_key(key):
            assert all(part not in ("", ".", "..") for part in key.split("/"))
            assert not set(key) - set("abcdefghijklmnopqrstuvwxyz0123456789_-/")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "one",
        "/a/b",
        "a/b/",
        "a//b",
        "a/../b",
        "a/./b",
        "a/b\n",
        "a/b\x00",
        "A/b",
        "a/.b",
        "a/b.o",
        "a/\\b",
        "a/é",
        "a/%2e%2e",
        "a/" + "b" * 65,
        "/".join("a" * 9),
        "/".join(["a" * 60] * 5),
    ],
)
def test_other_keys_are_refused(key: str) -> None:
    assert not is_key(key)
    with pytest.raises(ValueError):
        check_key(key)

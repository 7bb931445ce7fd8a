"""Strangers' text on a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti.cli.output import fit
from smalti.cli.terminal import RESET, LogFilter, clean

SGR = re.compile(r"\x1b\[[0-9;:]*m")
NASTY = st.text(
    st.sampled_from("\x1b[]0;31mHPX^_\\\x07\x9b\x9d\x9c\r\n\tab?\x00\x7fü K2J(B") | st.characters(),
    max_size=60,
)


def filtered(*pieces: str, colours: bool = True) -> str:
    """A log that came in pieces, as a terminal gets it."""
    log = LogFilter(colours=colours)
    return "".join(map(log.feed, pieces)) + log.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü\t\r\n", "plain ü\t\r\n"),
        ("a\x1b[31mred\x1b[0m", "a\x1b[31mred\x1b[0m"),
        ("a\x1b[31mred", f"a\x1b[31mred{RESET}"),
        ("a\x1b[2Jb\x1b[10;3Hc", "abc"),
        ("a\x1b]0;title\x07b\x1b]52;c;ZXZpbA==\x1b\\c", "abc"),
        ("a\x1bPq\x1b\\b", "ab"),
        ("a\x9b31mb\x9d0;x\x9cc", f"a\x1b[31mbc{RESET}"),
        ("a\x1b(Bb\x1bcc", "abc"),
        ("a\x00\x08\x7fb", "ab"),
        ("a\x1b]0;never ends\nnext line", "a\nnext line"),
        ("a\x1b[3\nb", "a\nb"),
        ("a\x1b[>4;2mb\x1b[?25lc", "abc"),
    ],
)
def test_only_colours_pass(text: str, shown: str) -> None:
    assert filtered(text) == shown
    assert filtered(*text) == shown


@given(NASTY)
def test_no_escape_but_colour_ever_passes(text: str) -> None:
    shown = SGR.sub("", filtered(text))
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", shown)
    assert filtered(*text) == filtered(text)
    assert "\x1b" not in filtered(text, colours=False)


@given(NASTY)
def test_cell_is_one_harmless_line(text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", clean(text))


def test_long_cell_is_cut() -> None:
    assert clean("x" * 1000, 10) == "x" * 10 + "…"
    assert clean("a\x1b[31m\nb\u202e") == "a\\x1b[31m\\nb\\u202e"


@given(st.lists(st.integers(1, 80), min_size=3, max_size=3), st.integers(10, 200))
def test_table_fits_by_its_long_texts_only(widths: list[int], room: int) -> None:
    fitted = fit(("job", "what", "reason"), widths, room)
    assert fitted[0] == widths[0]
    assert all(after <= before for after, before in zip(fitted, widths, strict=True))
    assert sum(fitted) + 4 <= room or all(width <= 10 for width in fitted[1:])
    if sum(widths) + 4 <= room:
        assert fitted == widths

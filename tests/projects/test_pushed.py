"""What a push asks for, read as it passes by."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from services.projects.pushed import Command, Commands
from tests.projects.test_git_hard import pkt

OLD, NEW = "1" * 40, "2" * 40
REFS = st.text("abc/", min_size=1, max_size=20).map(lambda text: f"refs/heads/{text}")


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut into pieces of these sizes, and the rest."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


@given(st.lists(REFS, max_size=8), st.lists(st.integers(1, 60), max_size=20), st.booleans())
def test_however_it_is_cut(names: list[str], sizes: list[int], gzipped: bool) -> None:
    lines = [f"{OLD} {NEW} {name}".encode() for name in names]
    if lines:
        lines[0] += b"\0 report-status side-band-64k\n"
    body = b"".join(pkt(line) for line in lines) + b"0000PACK and then anything"
    commands = Commands(gzipped=gzipped)
    for piece in cut(gzip.compress(body) if gzipped else body, sizes):
        commands.feed(piece)
    assert commands.done
    assert commands.found == [Command(name, OLD, NEW) for name in names]


@given(st.lists(st.binary(max_size=100), max_size=10), st.booleans())
def test_nonsense_breaks_nothing(pieces: list[bytes], gzipped: bool) -> None:
    commands = Commands(gzipped=gzipped)
    for piece in pieces:
        commands.feed(piece)
    assert len(commands._rest) <= 1 << 21

"""The resolver: what is believed, for how long, and what a header may hold."""

from __future__ import annotations

import base64
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.actor import Actor
from services.core.auth.resolver import MOST_CACHED, Resolver, SourceAway, token_in
from services.core.errors import Unauthorized
from services.core.rights import Principal

ALICE = Actor(Principal.PERSON, "1", "alice", person_id="1")


class Source:
    """A source that counts, and can be away or change its mind."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Actor | None = ALICE
        self.away = False

    def knows(self, token: str) -> bool:
        """Take all."""
        return True

    async def resolve(self, token: str) -> Actor | None:
        """Answer, or be away."""
        self.asked += 1
        if self.away:
            raise SourceAway("test")
        return self.answer


def resolver(believed: float) -> tuple[Resolver, Source]:
    """Make a resolver with one source."""
    made, source = Resolver(believed), Source()
    made.add(source)
    return made, source


async def test_an_answer_is_believed_for_a_while_and_forgotten_on_demand() -> None:
    made, source = resolver(20)
    assert await made.actor_of_token("a") is ALICE
    assert await made.actor_of_token("a") is ALICE
    assert source.asked == 1
    source.answer = None
    made.forget("a")
    assert await made.actor_of_token("a") is None
    assert await made.actor_of_token("b") is None
    source.answer = ALICE
    made.forget()
    assert await made.actor_of_token("b") is ALICE


async def test_a_refusal_is_believed_as_well() -> None:
    made, source = resolver(20)
    source.answer = None
    for _ in range(50):
        assert await made.actor_of_token("guess") is None
    assert source.asked == 1


async def test_a_source_that_is_away_is_stood_in_for_by_what_was_known() -> None:
    made, source = resolver(0)
    assert await made.actor_of_token("a") is ALICE
    source.away = True
    assert await made.actor_of_token("a") is ALICE
    with pytest.raises(SourceAway):
        await made.actor_of_token("never seen")


async def test_what_was_forgotten_does_not_come_back_while_the_source_is_away() -> None:
    made, source = resolver(20)
    assert await made.actor_of_token("a") is ALICE
    made.forget("a")
    source.away = True
    with pytest.raises(SourceAway):
        await made.actor_of_token("a")


async def test_the_memory_is_bounded() -> None:
    made, _ = resolver(20)
    for number in range(MOST_CACHED + 100):
        await made.actor_of_token(f"token-{number}")
    assert len(made._cache) == MOST_CACHED


async def test_threads_may_forget_while_others_ask() -> None:
    made, _ = resolver(20)
    done = threading.Event()

    def forget() -> None:
        while not done.is_set():
            made.forget("same")

    thread = threading.Thread(target=forget)
    thread.start()
    for _ in range(3000):
        assert await made.actor_of_token("same") is ALICE
    done.set()
    thread.join()


@pytest.mark.parametrize("token", ["", "x" * 513, "a\nb", "a\x00", "a\x7f"])
async def test_what_cannot_be_a_token_is_asked_of_nobody(token: str) -> None:
    made, source = resolver(20)
    assert await made.actor_of_token(token) is None
    assert source.asked == 0


def basic(text: str) -> str:
    """Write a Basic header."""
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("", None),
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("token abc", "abc"),
        (basic("anybody:abc"), "abc"),
        (basic("a:b:c"), "b:c"),
        (basic("abc"), ""),
        ("Bearer", ""),
    ],
)
def test_a_header_gives_its_token(header: str, token: str | None) -> None:
    assert token_in(header) == token


@pytest.mark.parametrize("header", ["Digest abc", "Basic !!!", "Basic /w==", "abc"])
def test_a_header_of_another_kind_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized):
        token_in(header)


@given(st.text(max_size=100))
def test_no_header_breaks_anything(header: str) -> None:
    try:
        found = token_in(header)
    except Unauthorized:
        return
    assert found is None or isinstance(found, str)

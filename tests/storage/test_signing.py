"""Reading signed addresses: only what was signed, for its method, until its end."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.core.errors import Forbidden
from services.core.routing import PREFIX
from services.storage.signing import Signer, _encoded

SECRET = "0123456789abcdef" * 4
METHODS: tuple[Literal["GET", "PUT"], ...] = ("GET", "PUT")


class Clock:
    """A clock that is set by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def token_of(path: str) -> str:
    assert path.startswith(f"{PREFIX}/objects/")
    return path.rpartition("/")[2]


def test_what_is_signed_is_read() -> None:
    signer = Signer(SECRET)
    got = signer.read(
        token_of(signer.sign_get("outputs/w/0/1", "café.png", "image/png", 60)), "GET"
    )
    assert (got.key, got.filename, got.media_type) == ("outputs/w/0/1", "café.png", "image/png")
    put = signer.read(token_of(signer.sign_put("outputs/w/0/1", 500, 60)), "PUT")
    assert (put.key, put.most) == ("outputs/w/0/1", 500)


def test_an_address_ends() -> None:
    clock = Clock()
    signer = Signer(SECRET, clock)
    token = token_of(signer.sign_get("a/b", "x", None, 900))
    clock.now += 900
    signer.read(token, "GET")
    clock.now += 1
    with pytest.raises(Forbidden) as caught:
        signer.read(token, "GET")
    assert caught.value.code == "address_ended"


@pytest.mark.parametrize("seconds", [0, -1, 901, float("inf"), float("nan")])
def test_no_address_lives_longer_than_15_minutes(seconds: float) -> None:
    with pytest.raises(ValueError):
        Signer(SECRET).sign_get("a/b", "x", None, seconds)


def test_an_address_is_for_one_method() -> None:
    signer = Signer(SECRET)
    for made, other in ((signer.sign_get("a/b", "x", None, 60), "PUT"),
                        (signer.sign_put("a/b", 5, 60), "GET")):  # fmt: skip
        with pytest.raises(Forbidden):
            signer.read(token_of(made), other)  # type: ignore[arg-type]


def test_another_secret_makes_another_address() -> None:
    token = token_of(Signer(SECRET).sign_get("a/b", "x", None, 60))
    with pytest.raises(Forbidden):
        Signer(SECRET[::-1]).read(token, "GET")
    with pytest.raises(ValueError):
        Signer("short")


@given(st.data())
def test_no_single_change_passes(data: st.DataObject) -> None:
    signer = Signer(SECRET)
    token = token_of(signer.sign_get("outputs/w/0/1", "x.txt", "text/plain", 60))
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("abcXYZ019-_.=/+ \n%é"))
    changed = token[:place] + other + token[place + 1 :]
    assume(changed != token)
    with pytest.raises(Forbidden):
        signer.read(changed, "GET")


@given(st.text(max_size=300), st.sampled_from(METHODS))
def test_no_text_is_an_address(text: str, method: Literal["GET", "PUT"]) -> None:
    with pytest.raises(Forbidden):
        Signer(SECRET).read(text, method)


@given(
    st.one_of(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
        st.fixed_dictionaries(
            {"method": st.just("GET"), "key": st.text(), "until": st.just(9_999_999_999)}
        ),
    )
)
def test_even_a_right_mac_opens_only_what_has_the_form(content: object) -> None:
    """As if another part of the platform were tricked into signing what it should not."""
    signer = Signer(SECRET)
    coded = _encoded(json.dumps(content).encode())
    token = f"{coded}.{signer._mac(coded.encode())}"
    try:
        address = signer.read(token, "GET")
    except Forbidden:
        return
    assert ".." not in address.key
    assert not address.key.startswith("/")


@given(st.text(), st.text())
def test_any_filename_and_media_type_can_be_signed(filename: str, media_type: str) -> None:
    signer = Signer(SECRET)
    token = token_of(signer.sign_get("a/b", filename, media_type, 60))
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert signer.read(token, "GET").filename == filename[-255:]

"""What people write: addresses, names of projects and jobs, durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smalti import address, durations, names
from smalti.errors import BadRequest, ConfigurationError

WORDS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,30}", fullmatch=True).filter(
    lambda word: not names.is_id(word)
)
ROOT = "https://data.example.org/hub-prefix"


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("data.example.org", "https://data.example.org"),
        ("HTTP://LocalHost:8000/", "http://localhost:8000"),
        ("http://localhost:8000/services/smalti/api/v1", "http://localhost:8000"),
        ("http://localhost:8000/hub/login", "http://localhost:8000"),
        ("https://x.org/base/services/smalti/", "https://x.org/base"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_address_as_typed_gives_root(text: str, root: str) -> None:
    assert address.parse(text).root == root


@pytest.mark.parametrize(
    "text",
    ["", "ftp://x", "http://", "http://u:p@x.org", "http://x:99999", "http://a b/", "http://x:y"],
)
def test_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        address.parse(text)


@given(st.text(max_size=60))
def test_address_parse_of_anything_gives_address_or_refusal(text: str) -> None:
    try:
        found = address.parse(text)
    except ConfigurationError:
        return
    assert found == address.parse(found.root)
    assert found.origin.port > 0 or found.origin.port == 0


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("http://localhost:8000", "http://127.0.0.1:8000", True),
        ("http://x.org", "http://x.org:80", True),
        ("http://localhost:8000", "http://ada.localhost:8000", False),
        ("http://localhost:8000", "https://localhost:8000", False),
        ("http://localhost:8000", "http://localhost:8001", False),
        ("http://x.org", "http://x.org.evil.org", False),
    ],
)
def test_origins_are_same_only_when_they_are(left: str, right: str, same: bool) -> None:
    assert address.origin_of(left).same(address.origin_of(right)) is same


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (f"{ROOT}/services/smalti/git/ada/wine.git", ("ada", "wine")),
        (f"{ROOT}/services/smalti/git/ada/wine", ("ada", "wine")),
        ("https://data.example.org/services/smalti/git/ada/wine.git", None),
        ("https://other.example.org/hub-prefix/services/smalti/git/ada/wine.git", None),
        ("git@github.com:ada/wine.git", None),
        (f"{ROOT}/services/smalti/git/ada/wine/more.git", None),
    ],
)
def test_git_url_names_project_of_this_server_only(url: str, found: tuple[str, str] | None) -> None:
    assert address.parse(ROOT).project_of(url) == found


@given(WORDS, WORDS, st.integers(1, 10**15))
def test_job_names_survive_reading_and_writing(owner: str, name: str, number: int) -> None:
    for text in (f"{owner}/{name}#{number}", f"{name}#{number}", f"#{number}"):
        assert str(names.job_name(text)) == text
    assert names.job_name(str(number)) == names.job_name(f"#{number}")


@given(st.text(max_size=50))
def test_name_parsers_of_anything_give_name_or_refusal(text: str) -> None:
    for parse in (names.project_name, names.job_name):
        try:
            found = str(parse(text))
        except BadRequest:
            continue
        assert ".." not in found.split("/")
        assert "\n" not in found


@pytest.mark.parametrize(
    "text", ["", "#", "wine#0", "wine#-1", "wine#x", "a/b/c#1", "wine#1 ", "../x#1", "wine##1", "٣"]
)
def test_job_name_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        names.job_name(text)


def test_job_name_of_id_is_an_id() -> None:
    text = "0190F3A2-0000-7000-8000-000000000001"
    assert names.job_name(text).id == text.lower()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("45m", 2700), ("1h30m", 5400), ("7d", 604_800), (" 2H ", 7200)],
)
def test_duration_is_read(text: str, seconds: int) -> None:
    assert durations.parse(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5h", "5m2h", "1w", "h", "٣"])
def test_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        durations.parse(text)


@given(st.integers(0, 10**8))
def test_duration_shown_is_read_back_up_to_its_smaller_unit(seconds: int) -> None:
    shown = durations.show(seconds)
    if seconds >= 10:
        assert 0 <= seconds - durations.parse(shown) < 86_400
        assert durations.parse(shown) > seconds * 0.95


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.2s"), (59, "59s"), (3600, "1h"), (5400, "1h30m"), (86_400, "1d"), (90_061, "1d1h")],
)
def test_duration_is_shown_short(seconds: float, text: str) -> None:
    assert durations.show(seconds) == text

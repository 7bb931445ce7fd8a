"""Logs: one JSON object a line, and never a credential in it (S11)."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.logs import LONGEST, JsonLines, scrub
from tests.house import House

CANARY = "c4n4ry-0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        f"sml_{CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"authorization=token {CANARY}",
        f"Authorization: Basic {CANARY}==",
        f"token {CANARY} was refused",
        f"Cookie: smalti-session={CANARY}; other=1",
        f"Set-Cookie: smalti-session={CANARY}",
        f"GET /services/smalti/oauth_callback?code={CANARY}&state={CANARY}",
        f"?token={CANARY}",
        f'{{"x": 1, "password={CANARY}"}}',
        f"https://user:{CANARY}@git.example/repo.git",
        f"fatal: unable to access 'https://x:{CANARY}@h/'",
        f"signature={CANARY} at ?signature={CANARY}",
    ],
)
def test_credentials_are_taken_out(text: str) -> None:
    assert CANARY not in scrub(f" {text} ")


@pytest.mark.parametrize(
    "text", ["job 12 of alice started", "12 tokens were listed", "a plain https://example.org/x"]
)
def test_plain_words_stay(text: str) -> None:
    assert scrub(text) == text


@given(st.text(max_size=300))
def test_whatever_is_logged_is_one_line_of_json(message: str) -> None:
    record = logging.LogRecord("smalti", logging.INFO, "f", 1, "%s", (message,), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "\r" not in line
    json.loads(line)


def test_a_long_text_is_cut() -> None:
    record = logging.LogRecord("smalti", logging.INFO, "f", 1, "x" * 100_000, (), None)
    assert len(json.loads(JsonLines().format(record))["message"]) <= LONGEST


def test_a_trace_is_scrubbed_too() -> None:
    try:
        raise ValueError(f"sml_{CANARY}")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("smalti", logging.ERROR, "f", 1, "broken", (), info)
    line = JsonLines().format(record)
    assert CANARY not in line
    assert "ValueError" in line


async def test_calls_are_logged_without_their_secrets(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alice = await house.sign_in("alice")
    await house.call("POST", "/tokens", as_=alice, json={"name": CANARY})
    await house.call("GET", f"/people?name={CANARY}", as_=alice)
    await house.call("GET", "/me", as_=f"sml_{CANARY}")
    headers = {"Cookie": f"smalti-session={CANARY}"}
    await house.call("GET", "/services/smalti/", headers=headers)
    await house.call("GET", f"/services/smalti/oauth_callback?code={CANARY}&state={CANARY}")
    ours = [record for record in caplog.records if record.name.startswith("smalti")]
    text = "\n".join(JsonLines().format(record) for record in ours)
    assert "/services/smalti/api/v1/me" in text
    assert CANARY not in text
    assert alice not in text

"""S10: what people made is never a page on the main origin, whatever it says it is."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.security.furnished import Furnished, furnish, made, routes_of

PAGES = {
    "evil.html": b"<script>alert(1)</script>",
    "evil.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "evil.xhtml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>",
    "evil.js": b"alert(1)",
    "evil.pdf": b"%PDF-1.4",
    "evil": b"<html><script>alert(1)</script>",
    'na"me\r\nX-Injected: 1.txt': b"x",
}


@pytest.fixture
async def two(house: House) -> Furnished:
    """Alice and Bob."""
    return await furnish(house)


def is_saved(headers: dict[str, str]) -> None:
    """A browser saves this and runs nothing of it."""
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "x-injected" not in headers


@pytest.mark.parametrize("name", PAGES)
async def test_a_projects_file_is_saved_and_not_shown(two: Furnished, name: str) -> None:
    from urllib.parse import quote

    ids, token = two.alice.ids, two.alice.token
    path = f"/projects/{ids['project']}/content/{quote(name)}"
    put = await two.house.call("PUT", path, as_=token, content=PAGES[name])
    if "\n" in name:
        assert put.status_code in (400, 422)
        return
    assert put.status_code < 300, put.text
    for method in ("GET", "HEAD"):
        is_saved(dict((await two.house.call(method, path, as_=token)).headers))


@pytest.mark.parametrize("name", [name for name in PAGES if "\n" not in name])
async def test_an_output_is_saved_and_not_shown(two: Furnished, name: str) -> None:
    ids, token = two.alice.ids, two.alice.token
    put = await two.agent.put_output(ids["running"], name, PAGES[name])
    assert put.status_code == 200, put.text
    await two.agent.finish(ids["running"])
    path = f"/jobs/{ids['running']}/outputs/{name}"
    for headers in ({}, {"Range": "bytes=0-3"}):
        answer = await two.house.call("GET", path, as_=token, headers=headers)
        assert answer.status_code in (200, 206)
        is_saved(dict(answer.headers))


async def test_a_log_is_plain_text_whatever_it_says(two: Furnished) -> None:
    ids, token = two.alice.ids, two.alice.token
    await two.agent.put_log(ids["running"], 0, b"<html><script>alert(1)</script>\n")
    path = f"/jobs/{ids['running']}/logs?follow=false"
    answer = await two.house.call("GET", path, as_=token)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_no_answer_is_a_page_that_could_be_framed_or_run(two: Furnished) -> None:
    """Every route's refusals too: an error repeats what it was asked."""
    evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    for route in routes_of(two.house):
        if route.path.endswith("/events"):
            continue  # a stream without an end; its data is JSON
        path = route.path
        for name in route.parameters:
            path = path.replace(f"{{{name}*}}", evil).replace(f"{{{name}}}", evil)
        for token in (None, two.alice.token):
            answer = await two.house.call(route.method, path, as_=token)
            headers = answer.headers
            assert answer.status_code < 500, (route.method, path, answer.text)
            assert headers["x-content-type-options"] == "nosniff", (route.method, path)
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path
            assert "<script>alert" not in answer.text, (route.method, path)


async def test_the_logs_text_of_a_title_stays_data(two: Furnished) -> None:
    body = {
        "project_id": two.alice.ids["project"],
        "command": ["true"],
        "title": "<img src=x onerror=alert(1)>",
    }
    job = await made(two.house, "POST", "/jobs", two.alice.token, json=body)
    answer = await two.house.call("GET", f"/jobs/{job['id']}", as_=two.alice.token)
    assert answer.headers["content-type"] == "application/json"
